"""Rows of avatars: their ids, their conversion to records, and their deletion."""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Select, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.owners import save_owner, select_owner_id
from db.records import Avatar, NewAvatar, Owner
from db.schema import (
    AvatarRow,
    FavoriteRow,
    ParentRow,
    PictureRow,
    PostedAvatarRow,
    PostRow,
    ReportRow,
    ShownRow,
    ThumbnailRow,
    ValueRow,
)

# Letters and digits that sound and look different; without vowels, so that no words appear.
ID_ALPHABET = "23456789bcdfghjkmnpqrstvwxyz"
ID_LENGTH = 8
NOBODY = Owner("", "")  # who owns deleted avatars


def select_key(id: str) -> Select[Any]:
    """Selects the primary key of the avatar with this public id, unless it was deleted."""
    return select(AvatarRow.id).where(AvatarRow.public_id == id, AvatarRow.deleted_at.is_(None))


async def draw_unused_ids(session: AsyncSession, count: int) -> list[str]:
    unused: set[str] = set()
    while len(unused) < count:
        drawn = {_draw_id() for _ in range(count - len(unused))}
        taken = select(AvatarRow.public_id).where(AvatarRow.public_id.in_(drawn))
        unused |= drawn - set(await session.scalars(taken))
    return list(unused)


def _draw_id() -> str:
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


def new_row(new: NewAvatar, id: str, created: datetime, owner_id: int) -> AvatarRow:
    for name, vector in (("latent", new.latent), ("condition", new.condition)):
        if vector.ndim != 1:
            raise ValueError(f"the {name} of an avatar is one vector, not {list(vector.shape)}")
    return AvatarRow(
        public_id=id,
        created=created,
        owner_id=owner_id,
        guild=new.guild,
        channel=new.channel,
        private=new.private,
        model=new.model,
        seed=new.seed,
        prompt=new.prompt,
        wish=new.wish,
        conditions=new.conditions,
        latent=new.latent,
        condition=new.condition,
        format=new.format,
        width=new.width,
        height=new.height,
        bytes=len(new.picture),
        sha256=hashlib.sha256(new.picture).hexdigest(),
        picture=PictureRow(data=new.picture),
        values=[ValueRow(attribute=a, value=v) for a, v in new.conditions.items()],
        parents=[ParentRow(position=i, parent=id) for i, id in enumerate(new.parents)],
        order_id=new.order_id,
        choices=new.choices,
    )


async def delete_values(
    session: AsyncSession, avatars: Iterable[tuple[int, Mapping[str, str]]]
) -> None:
    """Deletes the values of avatars, given by primary key and conditions."""
    v = ValueRow
    # by their whole keys: the table has no index by avatar alone
    this = (
        v.attribute == bindparam("this_attribute"),
        v.value == bindparam("this_value"),
        v.avatar_id == bindparam("this_avatar"),
    )
    rows = [
        {"this_attribute": attribute, "this_value": value, "this_avatar": key}
        for key, conditions in avatars
        for attribute, value in conditions.items()
    ]
    if rows:
        connection = await session.connection()
        await connection.execute(delete(v).where(*this), rows)


async def scrub(database: Database, session: AsyncSession, keys: Collection[int]) -> None:
    """Deletes the data of the avatars with these keys except their ids and times. Callers delete
    their values before.
    """
    for table in (PictureRow, ThumbnailRow, ParentRow, FavoriteRow, ReportRow):
        await session.execute(delete(table).where(table.avatar_id.in_(keys)))
    await withdraw_posts(session, keys)
    # read first: an upsert would lock this row, and deletions would wait for each other
    nobody = await session.scalar(select(select_owner_id(NOBODY)))
    if nobody is None:
        nobody = await save_owner(database, session, NOBODY)
    empty = np.zeros(0, np.float32)
    await session.execute(
        update(AvatarRow)
        .where(AvatarRow.id.in_(keys))
        .values(
            deleted_at=datetime.now(UTC),
            owner_id=nobody,
            guild=None,
            channel=None,
            model="",
            seed=0,
            prompt="",
            wish={},
            conditions={},
            latent=empty,
            condition=empty,
            sha256="",
            order_id=None,
            favorites=0,
            hidden_at=None,
            choices=None,
        )
    )


async def withdraw_posts(session: AsyncSession, keys: Collection[int]) -> None:
    """Lets the posts that show one of these avatars be deleted, and forgets which messages do."""
    shown = PostedAvatarRow
    with_them = select(shown.post_id).where(shown.avatar_id.in_(keys))
    due = update(PostRow).where(PostRow.id.in_(with_them)).values(due=datetime.now(UTC))
    await session.execute(due)
    for table in (PostedAvatarRow, ShownRow):
        await session.execute(delete(table).where(table.avatar_id.in_(keys)))


async def load_avatars(session: AsyncSession, keys: Iterable[int]) -> list[Avatar]:
    """The avatars with these primary keys, in this order."""
    rows = await session.scalars(select(AvatarRow).where(AvatarRow.id.in_(keys)))
    by_key = {row.id: row for row in rows}
    return [_avatar(by_key[key]) for key in keys]


def _avatar(row: AvatarRow) -> Avatar:
    return Avatar(
        id=row.public_id,
        created=row.created,
        owner=Owner(row.owner.kind, row.owner.key, row.owner.name),
        guild=row.guild,
        channel=row.channel,
        private=row.private,
        model=row.model,
        seed=row.seed,
        prompt=row.prompt,
        wish=row.wish,
        conditions=row.conditions,
        latent=row.latent,
        condition=row.condition,
        parents=tuple(parent.parent for parent in row.parents),
        format=row.format,
        width=row.width,
        height=row.height,
        bytes=row.bytes,
        sha256=row.sha256,
        favorites=row.favorites,
        hidden=row.hidden_at is not None,
        choices=row.choices,
    )
