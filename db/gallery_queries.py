"""SQL of the galleries: keyset pagination, each query along an index.

An avatar's position in a gallery is its `avatars.id`, or its number of favorites and then that. A
cursor holds a position and a direction, so pages neither repeat nor skip avatars while others are
added or deleted; an avatar whose number of favorites changes meanwhile changes its position.
"""

import operator
import re
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.owners import select_owner_id
from db.records import LAST, GalleryQuery
from db.schema import AvatarRow, FavoriteRow, ValueRow

Position = tuple[int, ...]
Key = InstrumentedAttribute[int]


class InvalidCursorError(ValueError):
    """A cursor that does not come from a page."""


def parse_cursor(query: GalleryQuery) -> tuple[bool, Position | None]:
    """Whether the page goes towards newer avatars, and the position that it starts beyond; None is
    the end of the gallery.

    Raises InvalidCursorError.
    """
    if query.cursor is None:
        return False, None
    if query.cursor == LAST:
        return True, None
    number = "([0-9]{1,18})"
    form = f"([on]){number}" if query.sort == "new" else rf"([on]){number}\.{number}"
    parts = re.fullmatch(form, query.cursor)
    if parts is None:
        raise InvalidCursorError(
            f"{query.cursor!r} is not a cursor; take `older` or `newer` from a page"
        )
    return parts[1] == "n", tuple(map(int, parts.groups()[1:]))


def cursor_to_older(position: Position) -> str:
    return "o" + ".".join(map(str, position))


def cursor_to_newer(position: Position) -> str:
    return "n" + ".".join(map(str, position))


def select_positions(query: GalleryQuery) -> tuple[Select[Any], Sequence[Key]]:
    """A SELECT of the positions of all avatars in the gallery, and the columns of a position.

    The columns belong to the table whose index is used first: with the equal columns of `avatars`,
    databases would sort. Raises ValueError for a missing viewer or guild.
    """
    filters = dict(query.values)
    existing = AvatarRow.deleted_at.is_(None)
    public = and_(existing, AvatarRow.private.is_(False))
    key: Key = AvatarRow.id
    joins = False
    if query.scope == "everyone" and filters and query.sort == "new":
        leading = aliased(ValueRow)
        attribute, value = filters.popitem()
        key, joins = leading.avatar_id, True
        visible = and_(leading.attribute == attribute, leading.value == value, public)
    elif query.scope == "everyone":
        visible = public
    elif query.scope == "hidden":
        visible = and_(existing, AvatarRow.hidden_at.is_not(None))
    elif query.scope == "guild":
        if query.guild is None:
            raise ValueError("the gallery of a guild needs the guild's id")
        visible = and_(AvatarRow.guild == query.guild, public)
    elif query.viewer is None:
        raise ValueError(f"the gallery {query.scope!r} needs a viewer")
    elif query.scope == "mine":
        visible = and_(AvatarRow.owner_id == select_owner_id(query.viewer), existing)
    else:
        viewer = select_owner_id(query.viewer)
        key, joins = FavoriteRow.avatar_id, True
        readable = or_(AvatarRow.private.is_(False), AvatarRow.owner_id == viewer)
        visible = and_(FavoriteRow.owner_id == viewer, existing, readable)
    columns = [key] if query.sort == "new" else [AvatarRow.favorites, key]
    positions = cast(Select[Any], select(*columns))
    if joins:
        positions = positions.join(AvatarRow, AvatarRow.id == key)
    positions = positions.where(visible)
    for attribute, value in filters.items():
        positions = positions.where(_has_value(attribute, value, key))
    return positions, columns


def ranges(
    columns: Sequence[Key], start: Position | None, newer: bool, inclusive: bool = False
) -> list[ColumnElement[bool]]:
    """Conditions for the positions beyond `start` (and at it, if inclusive), the nearest first.

    Each of them is one range of an index. A comparison of rows, `(favourites, id) < (0, 1000)`,
    would be one condition, but SQLite then reads all rows with as many favorites.
    """
    if start is None:
        return [true()]
    nearest = operator.gt if newer else operator.lt
    last = nearest
    if inclusive:
        last = operator.ge if newer else operator.le
    *equal, column = columns
    *fixed, key = start
    found = [and_(*(c == n for c, n in zip(equal, fixed, strict=True)), last(column, key))]
    if equal:
        found.append(nearest(equal[0], fixed[0]))
    return found


def _has_value(attribute: str, value: str, key: Key) -> Any:
    row = aliased(ValueRow)
    return exists().where(row.attribute == attribute, row.value == value, row.avatar_id == key)
