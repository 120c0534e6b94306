"""The galleries' queries: keyset pagination, newest first, each along an index.

The order is `avatars.id`. A cursor names an id and a direction, so pages neither repeat nor skip an
avatar while others come and go.
"""

import re
from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.records import GalleryQuery, Owner
from db.schema import AvatarRow, FavouriteRow, OwnerRow, ValueRow

Key = InstrumentedAttribute[int]


class BadCursor(ValueError):  # noqa: N818
    """A cursor that no page has given out."""


def read_cursor(cursor: str | None) -> tuple[bool, int | None]:
    """-> (towards newer ones?, the id to start beyond; None is the newest end).

    Raises BadCursor.
    """
    if cursor is None:
        return False, None
    parts = re.fullmatch("([on])([0-9]{1,18})", cursor)
    if parts is None:
        raise BadCursor(f"{cursor!r} is no cursor; take `older` or `newer` from a page")
    return parts[1] == "n", int(parts[2])


def older_than(id: int) -> str:
    return f"o{id}"


def newer_than(id: int) -> str:
    return f"n{id}"


def owner_id(owner: Owner) -> ScalarSelect[int]:
    return (
        select(OwnerRow.id)
        .where(OwnerRow.kind == owner.kind, OwnerRow.key == owner.key)
        .scalar_subquery()
    )


def matching(query: GalleryQuery) -> tuple[Select[int], Key]:
    """-> ids of all avatars that the query may show, and the column that orders them.

    The column belongs to the table whose index leads; databases do not see that it equals
    `avatars.id`, and would sort. Raises ValueError for a scope that lacks its viewer or guild.
    """
    filters = dict(query.values)
    living = AvatarRow.deleted_at.is_(None)
    public = and_(living, AvatarRow.private.is_(False))
    key: Key = AvatarRow.id
    if query.scope == "everyone" and filters:
        leading = aliased(ValueRow)
        attribute, value = filters.popitem()
        key = leading.avatar_id
        ids = (
            select(key)
            .join(AvatarRow, AvatarRow.id == key)
            .where(leading.attribute == attribute, leading.value == value, public)
        )
    elif query.scope == "everyone":
        ids = select(key).where(public)
    elif query.scope == "guild":
        if query.guild is None:
            raise ValueError("the gallery of a guild needs the guild's id")
        ids = select(key).where(AvatarRow.guild == query.guild, public)
    elif query.viewer is None:
        raise ValueError(f"the gallery {query.scope!r} needs a viewer")
    elif query.scope == "mine":
        ids = select(key).where(AvatarRow.owner_id == owner_id(query.viewer), living)
    else:
        viewer = owner_id(query.viewer)
        key = FavouriteRow.avatar_id
        ids = (
            select(key)
            .join(AvatarRow, AvatarRow.id == key)
            .where(FavouriteRow.owner_id == viewer, living)
            .where(or_(AvatarRow.private.is_(False), AvatarRow.owner_id == viewer))
        )
    for attribute, value in filters.items():
        ids = ids.where(_painted_with(attribute, value, key))
    return ids, key


def _painted_with(attribute: str, value: str, key: Key) -> Any:
    row = aliased(ValueRow)
    return exists().where(row.attribute == attribute, row.value == value, row.avatar_id == key)
