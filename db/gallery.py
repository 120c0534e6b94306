"""The galleries' queries: keyset pagination, each along an index.

An avatar's place in a gallery is its `avatars.id`, or its favourites and then that. A cursor names
a place and a direction, so pages neither repeat nor skip an avatar while others come and go; one
that gains or loses favourites meanwhile moves, of course.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    exists,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.records import LAST, GalleryQuery, Owner
from db.schema import AvatarRow, FavouriteRow, OwnerRow, ValueRow

Place = tuple[int, ...]
Key = InstrumentedAttribute[int]
Operator = Callable[[Any, Any], Any]  # of the module `operator`


class BadCursor(ValueError):  # noqa: N818
    """A cursor that no page has given out."""


def read_cursor(query: GalleryQuery) -> tuple[bool, Place | None]:
    """-> (towards newer ones?, the place to start beyond; None is that end of the gallery).

    Raises BadCursor.
    """
    if query.cursor is None:
        return False, None
    if query.cursor == LAST:
        return True, None
    number = "([0-9]{1,18})"
    form = f"([on]){number}" if query.sort == "new" else rf"([on]){number}\.{number}"
    parts = re.fullmatch(form, query.cursor)
    if parts is None:
        raise BadCursor(f"{query.cursor!r} is no cursor; take `older` or `newer` from a page")
    return parts[1] == "n", tuple(map(int, parts.groups()[1:]))


def older_than(place: Place) -> str:
    return "o" + ".".join(map(str, place))


def newer_than(place: Place) -> str:
    return "n" + ".".join(map(str, place))


def owner_id(owner: Owner) -> ScalarSelect[int]:
    return (
        select(OwnerRow.id)
        .where(OwnerRow.kind == owner.kind, OwnerRow.key == owner.key)
        .scalar_subquery()
    )


def matching(query: GalleryQuery) -> tuple[Select[Any], Sequence[Key]]:
    """-> places of all avatars that the query may show, and the columns that make a place.

    The columns belong to the table whose index leads; databases do not see that they equal
    those of `avatars`, and would sort. Raises ValueError for a scope that lacks its viewer or
    guild.
    """
    filters = dict(query.values)
    living = AvatarRow.deleted_at.is_(None)
    public = and_(living, AvatarRow.private.is_(False))
    key: Key = AvatarRow.id
    joins = False
    if query.scope == "everyone" and filters and query.sort == "new":
        leading = aliased(ValueRow)
        attribute, value = filters.popitem()
        key, joins = leading.avatar_id, True
        shown = and_(leading.attribute == attribute, leading.value == value, public)
    elif query.scope == "everyone":
        shown = public
    elif query.scope == "hidden":
        shown = and_(living, AvatarRow.hidden_at.is_not(None))
    elif query.scope == "guild":
        if query.guild is None:
            raise ValueError("the gallery of a guild needs the guild's id")
        shown = and_(AvatarRow.guild == query.guild, public)
    elif query.viewer is None:
        raise ValueError(f"the gallery {query.scope!r} needs a viewer")
    elif query.scope == "mine":
        shown = and_(AvatarRow.owner_id == owner_id(query.viewer), living)
    else:
        viewer = owner_id(query.viewer)
        key, joins = FavouriteRow.avatar_id, True
        visible = or_(AvatarRow.private.is_(False), AvatarRow.owner_id == viewer)
        shown = and_(FavouriteRow.owner_id == viewer, living, visible)
    place = [key] if query.sort == "new" else [AvatarRow.favourites, key]
    places = cast(Select[Any], select(*place))
    if joins:
        places = places.join(AvatarRow, AvatarRow.id == key)
    places = places.where(shown)
    for attribute, value in filters.items():
        places = places.where(_painted_with(attribute, value, key))
    return places, place


def compared(columns: Sequence[Key], operator: Operator, place: Place) -> ColumnElement[bool]:
    """Whether what the columns say is beyond, or at, this place; larger is newer or more loved."""
    return operator(_row(columns), _row([literal(number) for number in place]))


def _row(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else tuple_(*parts)


def _painted_with(attribute: str, value: str, key: Key) -> Any:
    row = aliased(ValueRow)
    return exists().where(row.attribute == attribute, row.value == value, row.avatar_id == key)
