"""What a gallery message shows, encoded in the custom ids of its components."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from bot.errors import BadPrompt
from db.records import Scope, Sort

MAX_CUSTOM_ID = 100  # characters
SCOPES: tuple[Scope, ...] = ("everyone", "guild", "mine", "favourites")
SORTS: tuple[Sort, ...] = ("new", "loved")


@dataclass(frozen=True, slots=True)
class GalleryState:
    """One page of a gallery. `values` (attribute to value) is the filter; `cursor` is as in
    GalleryQuery.
    """

    scope: Scope
    sort: Sort = "new"
    values: Mapping[str, str] = field(default_factory=dict)
    cursor: str | None = None

    def custom_id(self, move: str) -> str:
        """The custom id of a button that shows this page. Raises BadPrompt if it is too long."""
        state = f"{self.scope[0]}{self.sort[0]}:{self.cursor or ''}:{pack_values(self.values)}"
        return check_custom_id(f"irodori:g:{move}{state}")


def pack_values(values: Mapping[str, str]) -> str:
    """A query string. Letters are not escaped: custom ids are short, but may hold any letter."""
    return "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in values.items())


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() else "+" if c == " " else quote(c, safe="") for c in text)


def check_custom_id(custom_id: str) -> str:
    """The custom id. Raises BadPrompt if it is longer than Discord allows."""
    if len(custom_id) > MAX_CUSTOM_ID:
        raise BadPrompt("gallery-too-many-values")
    return custom_id
