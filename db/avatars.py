"""Avatars: everything that was painted and not deleted, with the pictures and thumbnails.

What `add` returned is on disk; callers show a picture only after that, so no shown one is lost.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Select, String, cast, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.condition_counts import add_counts, subtract_counts
from db.database import Database
from db.owners import save_owner, select_owner_id
from db.records import Avatar, Family, NewAvatar, Owner, Picture
from db.schema import AvatarRow, FavoriteRow, ParentRow, PictureRow, ThumbnailRow, ValueRow
from db.usage import count_usage

# letters and digits that nobody mistakes for another when reading aloud; no vowels, so no words
ID_ALPHABET = "23456789bcdfghjkmnpqrstvwxyz"
ID_LENGTH = 8

NOBODY = Owner("", "")  # who owns deleted avatars


class AvatarRepository:
    """Public ids are 8 characters of `ID_ALPHABET`. A deleted avatar is as if it never was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, avatars: Sequence[NewAvatar]) -> list[Avatar]:
        """Stores all of them, in this order, or none; they are on disk when it returns. Where
        something was stored for their `order_id` before, that is what it returns.

        Raises ValueError for a parent that was never stored, and for a latent or condition that
        is not one vector.
        """
        created = datetime.now(UTC)
        async with self._database.writing() as session:
            await _check_parents(session, {id for new in avatars for id in new.parents})
            # sorted: two transactions that write the same owners do not deadlock
            owners = {
                owner: await save_owner(self._database, session, owner)
                for owner in sorted({new.owner for new in avatars}, key=lambda o: (o.kind, o.key))
            }
            # after the owner's row is written: another transaction for this order waits for it
            for order_id in {new.order_id for new in avatars if new.order_id is not None}:
                if keys := list(await session.scalars(_select_of_order(order_id))):
                    return await load_avatars(session, keys)
            ids = await _unused_ids(session, len(avatars))
            rows = [
                _row(new, id, created, owners[new.owner])
                for new, id in zip(avatars, ids, strict=True)
            ]
            session.add_all(rows)
            await count_usage(session, avatars, created)
            await session.flush()
            await add_counts(self._database, session, rows)
            keys = [row.id for row in rows]
            session.expunge_all()
            return await load_avatars(session, keys)

    async def get(self, id: str) -> Avatar | None:
        """None when there is none, or it was deleted."""
        async with self._database.reading() as session:
            key = await session.scalar(select_key(id))
            return None if key is None else (await load_avatars(session, [key]))[0]

    async def picture(self, id: str) -> Picture | None:
        """None when there is none, or it was deleted."""
        a = AvatarRow
        columns = (PictureRow.data, a.format, a.width, a.height, a.sha256)
        living = select_key(id).with_only_columns(*columns)
        async with self._database.reading() as session:
            row = (await session.execute(living.join(a.picture))).one_or_none()
        return None if row is None else Picture(*row)

    async def thumbnail(self, id: str) -> bytes | None:
        """None when none was stored, or the avatar was deleted."""
        living = select_key(id).scalar_subquery()
        small = select(ThumbnailRow.data).where(ThumbnailRow.avatar_id == living)
        async with self._database.reading() as session:
            return await session.scalar(small)

    async def save_thumbnail(self, id: str, data: bytes) -> None:
        """Stores the first one; of a deleted avatar none."""
        async with self._database.writing() as session:
            # locked, so that it is not deleted meanwhile
            key = await session.scalar(select_key(id).with_for_update(key_share=True))
            if key is not None:
                row = self._database.insert(ThumbnailRow).values(avatar_id=key, data=data)
                await session.execute(row.on_conflict_do_nothing())

    async def of_order(self, order_id: str) -> list[Avatar]:
        """What was painted for this order and not deleted, in the sequence of painting."""
        async with self._database.reading() as session:
            return await load_avatars(
                session, list(await session.scalars(_select_of_order(order_id)))
            )

    async def portrait(
        self, owner: Owner, model: str, seed: int, private: bool, width: int
    ) -> Avatar | None:
        """The owner's newest avatar that this model made of this seed alone, of that width in
        pixels, and as private: with no wish and no parents. Not one that was hidden: it may be
        shown again.
        """
        a = AvatarRow
        found = select(a.id).where(
            a.owner_id == select_owner_id(owner),
            a.deleted_at.is_(None),
            a.seed == seed,
            a.model == model,
            a.private.is_(private),
            a.hidden_at.is_(None),
            a.width == width,
            cast(a.wish, String) == "{}",
            ~select(ParentRow.parent).where(ParentRow.avatar_id == a.id).exists(),
        )
        async with self._database.reading() as session:
            key = await session.scalar(found.order_by(a.id.desc()).limit(1))
            return None if key is None else (await load_avatars(session, [key]))[0]

    async def picture_sizes(self, owner: Owner) -> list[tuple[str, int]]:
        """Ids and pictures' bytes of all the owner's avatars, the oldest first."""
        a = AvatarRow
        own = select(a.public_id, a.bytes).where(
            a.owner_id == select_owner_id(owner), a.deleted_at.is_(None)
        )
        async with self._database.reading() as session:
            return [(id, size) for id, size in await session.execute(own.order_by(a.id))]

    async def with_pictures(self, ids: Sequence[str]) -> list[tuple[Avatar, bytes]]:
        """The avatars with these ids and their pictures' bytes, the oldest first; some hundreds at
        most. What was deleted is left out.
        """
        a = AvatarRow
        found = select(a.id, PictureRow.data).join(a.picture)
        found = found.where(a.public_id.in_(ids), a.deleted_at.is_(None)).order_by(a.id)
        async with self._database.reading() as session:
            rows = (await session.execute(found)).all()
            avatars = await load_avatars(session, [key for key, _ in rows])
        return [(avatar, data) for avatar, (_, data) in zip(avatars, rows, strict=True)]

    async def family(self, avatar: Avatar, limit: int) -> Family:
        """At most so many of the avatar's public children, and of its siblings."""
        a, p = AvatarRow, ParentRow
        public = (a.deleted_at.is_(None), a.private.is_(False))
        parents = select(a.public_id, a.id).where(a.public_id.in_(avatar.parents), *public)
        related = select(p.avatar_id).join(a, a.id == p.avatar_id).where(*public)
        related = related.distinct().order_by(p.avatar_id.desc()).limit(limit)
        children = related.where(p.parent == avatar.id)
        siblings = related.where(p.parent.in_(avatar.parents), a.public_id != avatar.id)
        async with self._database.reading() as session:
            found = {row.public_id: row.id for row in await session.execute(parents)}
            return Family(
                await load_avatars(session, [found[id] for id in avatar.parents if id in found]),
                await load_avatars(session, list(await session.scalars(children))),
                await load_avatars(session, list(await session.scalars(siblings))),
            )

    async def delete(self, id: str) -> bool:
        """Deletes everything of the avatar but its ids, which its children refer to; False when
        there is none.
        """
        async with self._database.writing() as session:
            # locked, so that it is made nobody's favorite meanwhile
            a = AvatarRow
            found = (
                select_key(id).add_columns(a.conditions, a.private).with_for_update(key_share=True)
            )
            row = (await session.execute(found)).one_or_none()
            if row is None:
                return False
            # by its whole key: the table has no index by avatar alone
            values = tuple_(ValueRow.attribute, ValueRow.value).in_(row.conditions.items())
            await session.execute(delete(ValueRow).where(ValueRow.avatar_id == row.id, values))
            await scrub(self._database, session, [row.id])
            if not row.private:
                await subtract_counts(session, [row.conditions])
            return True

    async def set_hidden(self, id: str, hidden: bool) -> bool:
        """Hides a public avatar, which is private from then on, or shows a hidden one again; False
        when there is neither.
        """
        a = AvatarRow
        # locked, so that nobody deletes it meanwhile
        found = select(a).where(a.public_id == id, a.deleted_at.is_(None))
        found = found.with_for_update(key_share=True, of=a)
        async with self._database.writing() as session:
            row = await session.scalar(found)
            if row is None or (row.private and row.hidden_at is None):
                return False
            if hidden != row.private:
                row.private, row.hidden_at = hidden, datetime.now(UTC) if hidden else None
                await session.flush()
                if hidden:
                    await subtract_counts(session, [row.conditions])
                else:
                    await add_counts(self._database, session, [row])
            return True

    async def count(self) -> int:
        """How many avatars there are, private ones included, deleted ones not."""
        async with self._database.reading() as session:
            living = select(func.count()).where(AvatarRow.deleted_at.is_(None))
            return await session.scalar(living) or 0


def select_key(id: str) -> Select[Any]:
    """Selects the primary key of the avatar with this public id, unless it was deleted."""
    return select(AvatarRow.id).where(AvatarRow.public_id == id, AvatarRow.deleted_at.is_(None))


def _select_of_order(order_id: str) -> Select[Any]:
    """Selects the keys of what was painted for this order, in the sequence of painting."""
    return select(AvatarRow.id).where(AvatarRow.order_id == order_id).order_by(AvatarRow.id)


async def _check_parents(session: AsyncSession, parents: set[str]) -> None:
    if not parents:
        return
    known = select(AvatarRow.public_id).where(AvatarRow.public_id.in_(parents))
    unknown = parents - set(await session.scalars(known))
    if unknown:
        raise ValueError(
            f"no avatar was ever stored as {', '.join(sorted(unknown))}, which cannot be a parent"
        )


async def _unused_ids(session: AsyncSession, count: int) -> list[str]:
    unused: set[str] = set()
    while len(unused) < count:
        drawn = {_draw_id() for _ in range(count - len(unused))}
        taken = select(AvatarRow.public_id).where(AvatarRow.public_id.in_(drawn))
        unused |= drawn - set(await session.scalars(taken))
    return list(unused)


def _draw_id() -> str:
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


def _row(new: NewAvatar, id: str, created: datetime, owner_id: int) -> AvatarRow:
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
    )


async def scrub(
    database: Database, session: AsyncSession, keys: Collection[int] | Select[Any]
) -> None:
    """Deletes everything of the avatars with these keys but their ids and times, and their values,
    which callers delete first.
    """
    for table in (PictureRow, ThumbnailRow, ParentRow, FavoriteRow):
        await session.execute(delete(table).where(table.avatar_id.in_(keys)))
    # written once: transactions that delete would else wait for each other at this row
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
            favourites=0,
            hidden_at=None,
        )
    )


async def load_avatars(session: AsyncSession, keys: Iterable[int]) -> list[Avatar]:
    """The avatars with these primary keys, in the sequence given."""
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
        favourites=row.favourites,
        hidden=row.hidden_at is not None,
    )
