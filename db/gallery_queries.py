"""SQL of the galleries: keyset pagination, each query along an index.

An avatar's position in a gallery is its `avatars.id`, or its number of favorites and then that. A
cursor holds a position and a direction, so pages neither repeat nor skip avatars while others are
added or deleted; an avatar whose number of favorites changes meanwhile changes its position.
"""

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.records import LAST, GalleryQuery
from db.schema import AvatarRow, FavoriteRow, ValueRow

NOBODY = 0  # no owner has this key

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
    key, favorites = "([0-9]{1,18})", "([0-9]{1,9})"  # fit into 64 and 32 bits
    form = f"([on]){key}" if query.sort == "new" else rf"([on]){favorites}\.{key}"
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


@dataclass(frozen=True)
class Positions:
    """The positions of a gallery, by the index that is read.

    `candidates` selects the positions along the index, and those that meet all `filters` are in the
    gallery. `columns` are the columns of a position. If the index has another order than the
    gallery, then `sorted` is False, and the positions are sorted after reading.
    """

    candidates: Select[Any]
    columns: Sequence[Key]
    filters: Sequence[ColumnElement[bool]]
    sorted: bool

    @property
    def matching(self) -> Select[Any]:
        """A SELECT of the positions of all avatars in the gallery."""
        return self.candidates.where(*self.filters)

    def beyond(
        self, start: Position | None, newer: bool, inclusive: bool = False
    ) -> list[ColumnElement[bool]]:
        """Conditions for the positions beyond `start` (and at it, if inclusive), the nearest first.

        Each of them is one range of the index. A comparison of rows, `(favourites, id) < (0,
        1000)`, would be one condition, but SQLite then reads all rows with as many favorites.
        """
        if start is None:
            return [true()]
        nearest = operator.gt if newer else operator.lt
        last = nearest
        if inclusive:
            last = operator.ge if newer else operator.le
        *equal, column = self.columns
        *fixed, key = start
        found = [and_(*(c == n for c, n in zip(equal, fixed, strict=True)), last(column, key))]
        if equal:
            found.append(nearest(equal[0], fixed[0]))
        return found if self.sorted else [or_(*found)]


def select_positions(
    query: GalleryQuery, leading: str | None = None, viewers: Sequence[int] = ()
) -> Positions:
    """The positions of all avatars in the gallery. `viewers` are the primary keys of the viewer and
    of the owners that are linked with it.

    In the gallery of everyone, the index of values is read at the value of the attribute `leading`.
    It is sorted from new to old. Without `leading`, the index of the gallery's order is read.

    The columns belong to the table whose index is used first: with the equal columns of `avatars`,
    databases would sort. Raises ValueError for a missing viewer or guild.
    """
    values = dict(query.values)
    existing = AvatarRow.deleted_at.is_(None)
    public = and_(existing, AvatarRow.private.is_(False))
    key: Key = AvatarRow.id
    joins = False
    if query.scope == "everyone" and leading is not None:
        row = aliased(ValueRow)
        key, joins = row.avatar_id, True
        visible = and_(row.attribute == leading, row.value == values.pop(leading), public)
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
        visible = and_(_is_one_of(AvatarRow.owner_id, viewers), existing)
    else:
        key, joins = FavoriteRow.avatar_id, True
        readable = or_(AvatarRow.private.is_(False), _is_one_of(AvatarRow.owner_id, viewers))
        visible = and_(_is_one_of(FavoriteRow.owner_id, viewers), existing, readable)
    if query.public:
        visible = and_(visible, AvatarRow.private.is_(False))
    columns = [key] if query.sort == "new" else [AvatarRow.favorites, key]
    positions = cast(Select[Any], select(*columns))
    if joins:
        positions = positions.join(AvatarRow, AvatarRow.id == key)
    return Positions(
        candidates=positions.where(visible),
        columns=columns,
        filters=[_has_value(attribute, value, key) for attribute, value in values.items()],
        sorted=query.sort == "new" or not joins,
    )


def _is_one_of(column: Key, keys: Sequence[int]) -> ColumnElement[bool]:
    # databases read an index in its order for one key, and sort for several
    if len(keys) > 1:
        return column.in_(keys)
    return column == (keys[0] if keys else NOBODY)


def _has_value(attribute: str, value: str, key: Key) -> ColumnElement[bool]:
    row = aliased(ValueRow)
    return exists().where(row.attribute == attribute, row.value == value, row.avatar_id == key)
