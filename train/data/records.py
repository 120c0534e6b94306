"""Records of a layout: images and their tags."""

from dataclasses import dataclass, field

from train.data.errors import Problem, Unused
from train.data.text import normalize

MAX_NAME = 100
"""Upper limit of the characters of a value or of an attribute's name; Discord's options allow no
more."""


@dataclass(frozen=True)
class Entry:
    """An image and its tags."""

    location: str
    """File or line, for messages."""
    file: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Layout:
    """The recognized layout, with the files that it uses and those that it does not."""

    name: str
    entries: list[Entry]
    problems: list[Problem] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What the user should know about the interpretation of the files."""


def word(text: str) -> str:
    """The form of values: lower case, with hyphens for spaces."""
    return "-".join(normalize(text).lower().split())
