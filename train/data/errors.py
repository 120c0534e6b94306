"""Errors in training data."""

from dataclasses import dataclass

SHOWN = 5
"""Number of bad entries that a message lists."""


class DataError(Exception):
    """Training data that cannot be used. The message says how to correct it."""


@dataclass(frozen=True)
class Problem:
    """A file or line that cannot be used: an error, unless bad entries are omitted."""

    location: str
    message: str
    reason: str
    """The kind of problem, by which reports group."""
    side: int = 0
    """Shorter side of an image that is too small."""


@dataclass(frozen=True)
class Unused:
    """A file that is not an error, and not used either."""

    file: str
    reason: str
