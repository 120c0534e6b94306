"""Avatars: all stored pictures that were not deleted, with their metadata and thumbnails.

Avatars are on disk when `add` returns. Callers show pictures only after that, so a picture that
somebody saw is never lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import (
    delete_values,
    draw_unused_ids,
    load_avatars,
    new_row,
    scrub,
    select_key,
    withdraw_posts,
)
from db.condition_counts import ConditionCounts
from db.database import Database
from db.events import announce
from db.forgetting import OwnerForgotten, find_forgotten, hash_guild, hash_owner
from db.owners import read_linked_ids, save_owner, select_owner_id
from db.records import Avatar, Family, NewAvatar, Owner, Picture
from db.schema import AvatarRow, ParentRow, PictureRow, ThumbnailRow
from db.usage import count_usage

MAX_COUNTED = 50_000  # avatars of an owner; more would take too long


class AvatarRepository:
    """Public ids are 8 characters of `ID_ALPHABET`. Deleted avatars are not found."""

    def __init__(self, database: Database, counts: ConditionCounts) -> None:
        self._database = database
        self._counts = counts

    async def add(
        self, avatars: Sequence[NewAvatar], requested: float | None = None
    ) -> list[Avatar]:
        """Stores all of them, in this order, or none; they are on disk when it returns. If
        avatars are stored for their `order_id` already, or one of them is a portrait that is, it
        returns those.

        `requested` is the monotonic time when the request began. If the data of a guild was deleted
        since then, the avatars are stored without it.

        Raises OwnerForgotten if an owner's data was deleted since then, and ValueError for a parent
        that was never stored, and for a latent or condition that is not one vector.
        """
        created = datetime.now(UTC)
        async with self._database.writing() as session:
            await _check_parents(session, {id for new in avatars for id in new.parents})
            # sorted: two transactions that write the same owners do not deadlock
            owners = {
                owner: await save_owner(self._database, session, owner)
                for owner in sorted({new.owner for new in avatars}, key=lambda o: (o.kind, o.key))
            }
            # after the owner's row is written: another transaction for this order, or for this
            # portrait, waits for it
            for stored in _select_stored(avatars):
                if keys := list(await session.scalars(stored)):
                    return await load_avatars(session, keys)
            if requested is not None:
                # after the owner's row is written: their deletion is seen, or deletes these
                avatars = await _without_forgotten(self._database, session, avatars, requested)
            ids = await draw_unused_ids(session, len(avatars))
            rows = [
                new_row(new, id, created, owners[new.owner])
                for new, id in zip(avatars, ids, strict=True)
            ]
            session.add_all(rows)
            await count_usage(session, avatars, created)
            await session.flush()
            await self._counts.add(session, rows)
            keys = [row.id for row in rows]
            public = [row.public_id for row in rows if not row.private]
            session.expunge_all()
            await announce(self._database, session, public)
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
        """Stores the thumbnail, unless there is one already or the avatar was deleted."""
        async with self._database.writing() as session:
            # locked, so that it is not deleted meanwhile
            key = await session.scalar(select_key(id).with_for_update(key_share=True))
            if key is not None:
                row = self._database.insert(ThumbnailRow).values(avatar_id=key, data=data)
                await session.execute(row.on_conflict_do_nothing())

    async def of_order(self, order_id: str) -> list[Avatar]:
        """What was painted for this order and not deleted, in the order of painting."""
        async with self._database.reading() as session:
            return await load_avatars(
                session, list(await session.scalars(_select_of_order(order_id)))
            )

    async def portrait(
        self, owner: Owner, model: str, seed: int, private: bool, width: int
    ) -> Avatar | None:
        """The owner's newest portrait: an avatar without wish, parents and choices, of this model,
        seed, width in pixels and privacy. Hidden avatars are skipped, because they may be shown
        again.
        """
        async with self._database.reading() as session:
            key = await session.scalar(_select_portrait(owner, model, seed, private, width))
            return None if key is None else (await load_avatars(session, [key]))[0]

    async def picture_sizes(
        self, owner: Owner, after: str | None = None, limit: int | None = None
    ) -> list[tuple[str, int]]:
        """Ids and pictures' bytes of the avatars of the owner and of those linked with it, the
        oldest first: all, or at most `limit` of those after an avatar, which may be deleted.
        """
        a = AvatarRow
        async with self._database.reading() as session:
            linked = await read_linked_ids(session, owner)
            own = _own(linked, after).with_only_columns(a.public_id, a.bytes)
            rows = await session.execute(own.order_by(a.id).limit(limit))
            return [(id, size) for id, size in rows]

    async def count_own(self, owner: Owner, after: str | None = None) -> int:
        """Number of avatars as in `picture_sizes`, up to MAX_COUNTED."""
        async with self._database.reading() as session:
            linked = await read_linked_ids(session, owner)
            own = _own(linked, after).with_only_columns(AvatarRow.id).limit(MAX_COUNTED)
            count = select(func.count()).select_from(own.subquery())
            return await session.scalar(count) or 0

    async def with_pictures(self, ids: Sequence[str]) -> list[tuple[Avatar, bytes]]:
        """The avatars with these ids and their pictures' bytes, the oldest first; at most some
        hundreds. Deleted ones are left out.
        """
        a = AvatarRow
        found = select(a.id, PictureRow.data).join(a.picture)
        found = found.where(a.public_id.in_(ids), a.deleted_at.is_(None)).order_by(a.id)
        async with self._database.reading() as session:
            rows = (await session.execute(found)).all()
            avatars = await load_avatars(session, [key for key, _ in rows])
        return [(avatar, data) for avatar, (_, data) in zip(avatars, rows, strict=True)]

    async def family(self, avatar: Avatar, limit: int) -> Family:
        """The avatar's public relatives, at most `limit` children and as many siblings."""
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
        """Deletes the avatar's data except its ids, which its children refer to. False if it does
        not exist.
        """
        async with self._database.writing() as session:
            # locked, so that no favorite is added meanwhile
            a = AvatarRow
            found = (
                select_key(id).add_columns(a.conditions, a.private).with_for_update(key_share=True)
            )
            row = (await session.execute(found)).one_or_none()
            if row is None:
                return False
            await delete_values(session, [(row.id, row.conditions)])
            await scrub(self._database, session, [row.id])
            if not row.private:
                await self._counts.subtract(session, [(row.id, row.conditions)])
            return True

    async def set_hidden(self, id: str, hidden: bool) -> bool:
        """Hides a public avatar, which is private from then on, or shows a hidden one again. False
        if the avatar is neither public nor hidden.
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
                    await withdraw_posts(session, [row.id])
                    await self._counts.subtract(session, [(row.id, row.conditions)])
                else:
                    await self._counts.add(session, [row])
            return True

    async def read_newest(self) -> None:
        """Reads the newest picture, so that a damaged database raises its error."""
        newest = select(PictureRow.data).order_by(PictureRow.avatar_id.desc()).limit(1)
        async with self._database.reading() as session:
            await session.execute(newest)

    async def count(self) -> int:
        """Number of avatars, including private ones and excluding deleted ones."""
        async with self._database.reading() as session:
            living = select(func.count()).where(AvatarRow.deleted_at.is_(None))
            return await session.scalar(living) or 0


async def _without_forgotten(
    database: Database, session: AsyncSession, avatars: Sequence[NewAvatar], since: float
) -> list[NewAvatar]:
    """The avatars without guilds whose data was deleted since a monotonic time. Raises
    OwnerForgotten.
    """
    owners = {hash_owner(new.owner) for new in avatars}
    guilds = {new.guild: hash_guild(new.guild) for new in avatars if new.guild is not None}
    subjects = {*owners, *guilds.values()}
    forgotten = await find_forgotten(database, session, subjects, since)
    if owners & forgotten:
        raise OwnerForgotten
    gone = {guild for guild, subject in guilds.items() if subject in forgotten}
    return [replace(new, guild=None, channel=None) if new.guild in gone else new for new in avatars]


def _own(owners: Sequence[int], after: str | None) -> Select[Any]:
    """Selects the avatars of owners, or those after one."""
    a = AvatarRow
    is_own = a.owner_id == owners[0] if len(owners) == 1 else a.owner_id.in_(owners)
    own = select(a).where(is_own, a.deleted_at.is_(None))
    if after is not None:
        own = own.where(a.id > select(a.id).where(a.public_id == after).scalar_subquery())
    return own


def _select_of_order(order_id: str) -> Select[Any]:
    """Selects the keys of what was painted for this order, in the order of painting."""
    return select(AvatarRow.id).where(AvatarRow.order_id == order_id).order_by(AvatarRow.id)


def _select_portrait(owner: Owner, model: str, seed: int, private: bool, width: int) -> Select[Any]:
    """Selects the key of the owner's newest portrait; see `AvatarRepository.portrait`."""
    a = AvatarRow
    found = select(a.id).where(
        a.owner_id == select_owner_id(owner),
        a.deleted_at.is_(None),
        a.seed == seed,
        a.model == model,
        a.private.is_(private),
        a.hidden_at.is_(None),
        a.width == width,
        a.choices.is_(None),
        cast(a.wish, String) == "{}",
        ~select(ParentRow.parent).where(ParentRow.avatar_id == a.id).exists(),
    )
    return found.order_by(a.id.desc()).limit(1)


def _select_stored(avatars: Sequence[NewAvatar]) -> Iterator[Select[Any]]:
    """Selects the keys of avatars that are to be stored only once, as earlier requests did."""
    for order_id in {new.order_id for new in avatars if new.order_id is not None}:
        yield _select_of_order(order_id)
    for new in avatars:
        if new.portrait:
            yield _select_portrait(new.owner, new.model, new.seed, new.private, new.width)


async def _check_parents(session: AsyncSession, parents: set[str]) -> None:
    if not parents:
        return
    known = select(AvatarRow.public_id).where(AvatarRow.public_id.in_(parents))
    unknown = parents - set(await session.scalars(known))
    if unknown:
        raise ValueError(
            f"no avatar was ever stored as {', '.join(sorted(unknown))}, which cannot be a parent"
        )
