"""The store: every avatar that was ever painted, its owner, its picture and who likes it.

What `add` returned is on disk; callers show a picture only after that, so no shown one is lost.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db.engine import StoreError, connect, writing
from db.gallery import BadCursor, matching, newer_than, older_than, owner_id, read_cursor
from db.records import Avatar, GalleryQuery, NewAvatar, Owner, Page, Picture, Scope
from db.schema import AvatarRow, FavouriteRow, OwnerRow, ParentRow, PictureRow, ValueRow

__all__ = [
    "Avatar",
    "BadCursor",
    "GalleryQuery",
    "NewAvatar",
    "Owner",
    "Page",
    "Picture",
    "Scope",
    "Store",
    "StoreError",
]

# what nobody mistakes for another when reading aloud; and no vowels, so no words
ID_ALPHABET = "23456789bcdfghjkmnpqrstvwxyz"
ID_LENGTH = 8


class Store:
    """Public ids are 8 characters of `ID_ALPHABET`. A deleted avatar is as if it never was."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reading = async_sessionmaker(engine)
        self._writing = async_sessionmaker(writing(engine))
        # SQLite has one writer at a time; those that wait must not hold the readers' connections
        self._writers = asyncio.Semaphore(1 if engine.dialect.name == "sqlite" else 10)
        # both databases know ON CONFLICT, but SQLAlchemy has it by dialect
        dialects: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
        self._insert = dialects[engine.dialect.name]

    @classmethod
    async def open(cls, url: str) -> "Store":
        """Opens the database and brings its schema up to date.

        `sqlite+aiosqlite:///PATH` (made where it is missing) or `postgresql+asyncpg://…`.
        Raises StoreError.
        """
        return cls(await connect(url))

    async def close(self) -> None:
        await self._engine.dispose()

    async def add(self, avatars: Sequence[NewAvatar]) -> list[Avatar]:
        """Stores all of them, in this order, or none; they are on disk when it returns.

        Raises ValueError for a parent that was never stored, and for a latent or condition that
        is not one vector.
        """
        created = datetime.now(UTC)
        async with self._write() as session:
            await _check_parents(session, {id for new in avatars for id in new.parents})
            # sorted: two that write the same owners wait for each other, not both for ever
            owners = {
                owner: await self._owner_id(session, owner)
                for owner in sorted({new.owner for new in avatars}, key=lambda o: (o.kind, o.key))
            }
            ids = await _unused_ids(session, len(avatars))
            rows = [
                _row(new, id, created, owners[new.owner])
                for new, id in zip(avatars, ids, strict=True)
            ]
            session.add_all(rows)
            await session.flush()
            keys = [row.id for row in rows]
            session.expunge_all()
            return await _load(session, keys)

    async def get(self, id: str) -> Avatar | None:
        """None when there is none, or it was deleted."""
        async with self._reading() as session:
            key = await session.scalar(_living(id))
            return None if key is None else (await _load(session, [key]))[0]

    async def picture(self, id: str) -> Picture | None:
        """None when there is none, or it was deleted."""
        a = AvatarRow
        columns = (PictureRow.data, a.format, a.width, a.height, a.sha256)
        living = _living(id).with_only_columns(*columns)
        async with self._reading() as session:
            row = (await session.execute(living.join(a.picture))).one_or_none()
        return None if row is None else Picture(*row)

    async def gallery(self, query: GalleryQuery) -> Page:
        """One page. Following `older` and `newer` neither repeats nor skips an avatar, whatever is
        added or deleted meanwhile; the page that ends at the newest may therefore be a short one.

        Raises BadCursor, and ValueError for a scope that lacks its viewer or guild.
        """
        newer, start = read_cursor(query.cursor)
        if query.limit < 1:
            raise ValueError(f"limit is {query.limit}; a page shows at least 1")
        ids, key = matching(query)
        page = ids.order_by(key.asc() if newer else key.desc()).limit(query.limit + 1)
        if start is not None:
            page = page.where(key > start if newer else key < start)
        async with self._reading() as session:
            keys = list(await session.scalars(page))
            more = len(keys) > query.limit
            keys = sorted(keys[: query.limit], reverse=True)
            if start is None:
                more_behind = False
            else:
                behind = key <= start if newer else key >= start
                more_behind = await session.scalar(ids.where(behind).limit(1)) is not None
            avatars = await _load(session, keys)
        # an empty page lies between what is before `start` and what is behind it
        if keys:
            oldest, newest = keys[-1], keys[0]
        elif start is not None:
            oldest, newest = (start + 1, start) if newer else (start, start - 1)
        else:
            return Page([], None, None)
        more_older, more_newer = (more_behind, more) if newer else (more, more_behind)
        return Page(
            avatars,
            older_than(oldest) if more_older else None,
            newer_than(newest) if more_newer else None,
        )

    async def favourite(self, id: str, owner: Owner) -> tuple[bool, int] | None:
        """Turns it over: (is it one of the owner's favourites now?, how many owners like it).

        None when there is no such avatar, or it was deleted.
        """
        f = FavouriteRow
        async with self._write() as session:
            # locked, so that two of the same owner's clicks take turns
            key = await session.scalar(_living(id).with_for_update())
            if key is None:
                return None
            liker = await self._owner_id(session, owner)
            mine = (f.avatar_id == key) & (f.owner_id == liker)
            removed = await session.scalar(delete(f).where(mine).returning(f.avatar_id))
            if removed is None:
                values = {"avatar_id": key, "owner_id": liker, "created": datetime.now(UTC)}
                await session.execute(self._insert(f).values(values))
            count = select(func.count()).where(f.avatar_id == key)
            return removed is None, await session.scalar(count) or 0

    async def is_favourite(self, id: str, owner: Owner) -> bool:
        f = FavouriteRow
        mine = select(f.avatar_id).where(
            f.avatar_id == _living(id).scalar_subquery(), f.owner_id == owner_id(owner)
        )
        async with self._reading() as session:
            return await session.scalar(mine) is not None

    async def delete(self, id: str) -> bool:
        """Hides the avatar for ever and drops its picture's bytes; False when there is none."""
        a = AvatarRow
        living = (a.public_id == id) & a.deleted_at.is_(None)
        async with self._write() as session:
            key = await session.scalar(
                update(a).where(living).values(deleted_at=datetime.now(UTC)).returning(a.id)
            )
            if key is None:
                return False
            await session.execute(delete(PictureRow).where(PictureRow.avatar_id == key))
            return True

    async def count(self) -> int:
        """How many avatars there are, private ones included, deleted ones not."""
        async with self._reading() as session:
            living = select(func.count()).where(AvatarRow.deleted_at.is_(None))
            return await session.scalar(living) or 0

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncSession]:
        async with self._writers, self._writing.begin() as session:
            yield session

    async def _owner_id(self, session: AsyncSession, owner: Owner) -> int:
        """The owner's row, made where it is missing; a new name replaces the old one."""
        insert = self._insert(OwnerRow).values(kind=owner.kind, key=owner.key, name=owner.name)
        name = case((insert.excluded.name != "", insert.excluded.name), else_=OwnerRow.name)
        upsert = insert.on_conflict_do_update(index_elements=["kind", "key"], set_={"name": name})
        return (await session.execute(upsert.returning(OwnerRow.id))).scalar_one()


def _living(id: str) -> Select[Any]:
    """Selects the key of the avatar with this public id, unless it was deleted."""
    return select(AvatarRow.id).where(AvatarRow.public_id == id, AvatarRow.deleted_at.is_(None))


async def _check_parents(session: AsyncSession, parents: set[str]) -> None:
    if not parents:
        return
    known = select(AvatarRow.public_id).where(AvatarRow.public_id.in_(parents))
    unknown = parents - set(await session.scalars(known))
    if unknown:
        raise ValueError(f"no avatar was ever stored as {', '.join(sorted(unknown))}: no parent")


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
    )


async def _load(session: AsyncSession, keys: Iterable[int]) -> list[Avatar]:
    """The avatars with these keys, in this order."""
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
    )
