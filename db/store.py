"""The store: every avatar that was ever painted, its owner, its picture and who likes it.

What `add` returned is on disk; callers show a picture only after that, so no shown one is lost.
"""

import hashlib
import json
import operator
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Select, String, cast, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.colours import count_in, count_out, read_colours
from db.desk import Desk
from db.engine import StoreError, connect
from db.gallery import (
    BadCursor,
    compared,
    matching,
    newer_than,
    older_than,
    owner_id,
    read_cursor,
)
from db.records import (
    LAST,
    Avatar,
    Colours,
    Family,
    GalleryQuery,
    GuildLimits,
    MemberSettings,
    NewAvatar,
    Owed,
    Owner,
    Page,
    Picture,
    Scope,
    Sort,
    Statistics,
    Usage,
)
from db.schema import (
    AvatarRow,
    FavouriteRow,
    OwedRow,
    OwnerRow,
    ParentRow,
    PictureRow,
    SettingsRow,
    ThumbnailRow,
    UsageRow,
    ValueRow,
)
from db.sessions import Sessions

__all__ = [
    "LAST",
    "Avatar",
    "BadCursor",
    "Colours",
    "Family",
    "GalleryQuery",
    "GuildLimits",
    "MemberSettings",
    "NewAvatar",
    "Owed",
    "Owner",
    "Page",
    "Picture",
    "Scope",
    "Sort",
    "Statistics",
    "Store",
    "StoreError",
    "Usage",
]

# what nobody mistakes for another when reading aloud; and no vowels, so no words
ID_ALPHABET = "23456789bcdfghjkmnpqrstvwxyz"
ID_LENGTH = 8

NOBODY = Owner("", "")  # whom deleted avatars belong to
USAGE_KEPT = timedelta(days=1)


class Store:
    """Public ids are 8 characters of `ID_ALPHABET`. A deleted avatar is as if it never was.

    `desk` holds what is remembered beside the avatars.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Sessions(engine)
        self.desk = Desk(self._sessions)

    @classmethod
    async def open(cls, url: str) -> "Store":
        """Opens the database and brings its schema up to date.

        `sqlite+aiosqlite:///PATH` (made where it is missing) or `postgresql+asyncpg://…`.
        Raises StoreError.
        """
        return cls(await connect(url))

    async def close(self) -> None:
        await self._sessions.engine.dispose()

    async def add(self, avatars: Sequence[NewAvatar]) -> list[Avatar]:
        """Stores all of them, in this order, or none; they are on disk when it returns. Where
        something was stored for their `order` before, that is what it returns.

        Raises ValueError for a parent that was never stored, and for a latent or condition that
        is not one vector.
        """
        created = datetime.now(UTC)
        async with self._sessions.writing() as session:
            await _check_parents(session, {id for new in avatars for id in new.parents})
            # sorted: two that write the same owners wait for each other, not both for ever
            owners = {
                owner: await self._sessions.owner_id(session, owner)
                for owner in sorted({new.owner for new in avatars}, key=lambda o: (o.kind, o.key))
            }
            # after the owner's row is written: who stores the same order now waits for it
            for order in {new.order for new in avatars if new.order is not None}:
                if keys := list(await session.scalars(_painted(order))):
                    return await _load(session, keys)
            ids = await _unused_ids(session, len(avatars))
            rows = [
                _row(new, id, created, owners[new.owner])
                for new, id in zip(avatars, ids, strict=True)
            ]
            session.add_all(rows)
            session.add_all(_usage(avatars, created))
            await session.execute(delete(UsageRow).where(UsageRow.created < created - USAGE_KEPT))
            await session.flush()
            await count_in(self._sessions, session, rows)
            keys = [row.id for row in rows]
            session.expunge_all()
            return await _load(session, keys)

    async def get(self, id: str) -> Avatar | None:
        """None when there is none, or it was deleted."""
        async with self._sessions.reading() as session:
            key = await session.scalar(_living(id))
            return None if key is None else (await _load(session, [key]))[0]

    async def picture(self, id: str) -> Picture | None:
        """None when there is none, or it was deleted."""
        a = AvatarRow
        columns = (PictureRow.data, a.format, a.width, a.height, a.sha256)
        living = _living(id).with_only_columns(*columns)
        async with self._sessions.reading() as session:
            row = (await session.execute(living.join(a.picture))).one_or_none()
        return None if row is None else Picture(*row)

    async def thumbnail(self, id: str) -> bytes | None:
        """None when none was kept, or the avatar was deleted."""
        living = _living(id).scalar_subquery()
        small = select(ThumbnailRow.data).where(ThumbnailRow.avatar_id == living)
        async with self._sessions.reading() as session:
            return await session.scalar(small)

    async def keep_thumbnail(self, id: str, data: bytes) -> None:
        """Keeps the first one; of a deleted avatar none."""
        async with self._sessions.writing() as session:
            # locked, so that it is not deleted meanwhile
            key = await session.scalar(_living(id).with_for_update(key_share=True))
            if key is not None:
                row = self._sessions.insert(ThumbnailRow).values(avatar_id=key, data=data)
                await session.execute(row.on_conflict_do_nothing())

    async def painted(self, order: str) -> list[Avatar]:
        """What was stored for this order, in the order of painting, but for what was deleted."""
        async with self._sessions.reading() as session:
            return await _load(session, list(await session.scalars(_painted(order))))

    async def portrait(
        self, owner: Owner, model: str, seed: int, private: bool, width: int
    ) -> Avatar | None:
        """The owner's newest avatar that this model made of this seed alone, of that width in
        pixels, and as private: with no wish and no parents. Not one that was hidden: it may be
        shown again.
        """
        a = AvatarRow
        found = select(a.id).where(
            a.owner_id == owner_id(owner),
            a.deleted_at.is_(None),
            a.seed == seed,
            a.model == model,
            a.private.is_(private),
            a.hidden_at.is_(None),
            a.width == width,
            cast(a.wish, String) == "{}",
            ~select(ParentRow.parent).where(ParentRow.avatar_id == a.id).exists(),
        )
        async with self._sessions.reading() as session:
            key = await session.scalar(found.order_by(a.id.desc()).limit(1))
            return None if key is None else (await _load(session, [key]))[0]

    async def sizes(self, owner: Owner) -> list[tuple[str, int]]:
        """Ids and pictures' bytes of all the owner's avatars, the oldest first."""
        a = AvatarRow
        own = select(a.public_id, a.bytes).where(
            a.owner_id == owner_id(owner), a.deleted_at.is_(None)
        )
        async with self._sessions.reading() as session:
            return [(id, size) for id, size in await session.execute(own.order_by(a.id))]

    async def with_pictures(self, ids: Sequence[str]) -> list[tuple[Avatar, bytes]]:
        """The avatars with these ids and their pictures' bytes, the oldest first; some hundreds at
        most. What was deleted is left out.
        """
        a = AvatarRow
        found = select(a.id, PictureRow.data).join(a.picture)
        found = found.where(a.public_id.in_(ids), a.deleted_at.is_(None)).order_by(a.id)
        async with self._sessions.reading() as session:
            rows = (await session.execute(found)).all()
            avatars = await _load(session, [key for key, _ in rows])
        return [(avatar, data) for avatar, (_, data) in zip(avatars, rows, strict=True)]

    async def gallery(self, query: GalleryQuery) -> Page:
        """One page. Following `older` and `newer` neither repeats nor skips an avatar, whatever is
        added or deleted meanwhile; the page that ends at the newest may therefore be a short one.

        Raises BadCursor, and ValueError for a scope that lacks its viewer or guild.
        """
        newer, start = read_cursor(query)
        if query.limit < 1:
            raise ValueError(f"limit is {query.limit}; a page shows at least 1")
        matches, columns = matching(query)
        page = matches.order_by(*(c.asc() if newer else c.desc() for c in columns))
        if start is not None:
            beyond = operator.gt if newer else operator.lt
            page = page.where(compared(columns, beyond, start))
        async with self._sessions.reading() as session:
            rows = await session.execute(page.limit(query.limit + 1))
            places = [tuple(row) for row in rows]
            more = len(places) > query.limit
            places = sorted(places[: query.limit], reverse=True)
            more_behind = False
            if start is not None:
                back = compared(columns, operator.le if newer else operator.ge, start)
                behind = await session.execute(matches.where(back).limit(1))
                more_behind = behind.first() is not None
            avatars = await _load(session, [place[-1] for place in places])
            count = before = None
            if query.counted:
                counting = select(func.count())
                # where the order does not matter, the index of the values may lead
                every, _ = matching(replace(query, sort="new"))
                count = await session.scalar(counting.select_from(every.subquery())) or 0
                before = 0
                if places:
                    ahead = matches.where(compared(columns, operator.gt, places[0]))
                    before = await session.scalar(counting.select_from(ahead.subquery())) or 0
        # an empty page lies between what is before `start` and what is behind it
        if places:
            oldest, newest = places[-1], places[0]
        elif start is not None:
            *loved, id = start
            oldest = (*loved, id + 1) if newer else start
            newest = start if newer else (*loved, id - 1)
        else:
            return Page([], None, None, count, before)
        more_older, more_newer = (more_behind, more) if newer else (more, more_behind)
        return Page(
            avatars,
            older_than(oldest) if more_older else None,
            newer_than(newest) if more_newer else None,
            count,
            before,
        )

    async def colours(self) -> list[Colours]:
        """All colours that there are in public, each once, the last painted ones first."""
        async with self._sessions.reading() as session:
            return await read_colours(session)

    async def family(self, avatar: Avatar, limit: int) -> Family:
        """At most so many of the avatar's public children, and of its siblings."""
        a, p = AvatarRow, ParentRow
        public = (a.deleted_at.is_(None), a.private.is_(False))
        parents = select(a.public_id, a.id).where(a.public_id.in_(avatar.parents), *public)
        related = select(p.avatar_id).join(a, a.id == p.avatar_id).where(*public)
        related = related.distinct().order_by(p.avatar_id.desc()).limit(limit)
        children = related.where(p.parent == avatar.id)
        siblings = related.where(p.parent.in_(avatar.parents), a.public_id != avatar.id)
        async with self._sessions.reading() as session:
            found = {row.public_id: row.id for row in await session.execute(parents)}
            return Family(
                await _load(session, [found[id] for id in avatar.parents if id in found]),
                await _load(session, list(await session.scalars(children))),
                await _load(session, list(await session.scalars(siblings))),
            )

    async def favourite(self, id: str, owner: Owner) -> tuple[bool, int] | None:
        """Turns it over: (is it one of the owner's favourites now?, how many owners like it).

        None when there is no such avatar, or it was deleted.
        """
        a, f = AvatarRow, FavouriteRow
        async with self._sessions.writing() as session:
            if await session.scalar(_living(id)) is None:
                return None
            # the owner's row first, as everywhere; so two of the same owner's clicks take turns
            liker = await self._sessions.owner_id(session, owner)
            key = await session.scalar(_living(id).with_for_update(key_share=True))
            if key is None:  # deleted just now
                return None
            mine = (f.avatar_id == key) & (f.owner_id == liker)
            removed = await session.scalar(delete(f).where(mine).returning(f.avatar_id))
            if removed is None:
                values = {"avatar_id": key, "owner_id": liker, "created": datetime.now(UTC)}
                await session.execute(self._sessions.insert(f).values(values))
            change = 1 if removed is None else -1
            counted = update(a).where(a.id == key).values(favourites=a.favourites + change)
            count = (await session.execute(counted.returning(a.favourites))).scalar_one()
            return removed is None, count

    async def is_favourite(self, id: str, owner: Owner) -> bool:
        f = FavouriteRow
        mine = select(f.avatar_id).where(
            f.avatar_id == _living(id).scalar_subquery(), f.owner_id == owner_id(owner)
        )
        async with self._sessions.reading() as session:
            return await session.scalar(mine) is not None

    async def delete(self, id: str) -> bool:
        """Hides the avatar for ever and drops all that is known of it but its ids, which its
        children name; False when there is none.
        """
        async with self._sessions.writing() as session:
            # locked, so that nobody likes it meanwhile
            a = AvatarRow
            found = _living(id).add_columns(a.conditions, a.private).with_for_update(key_share=True)
            row = (await session.execute(found)).one_or_none()
            if row is None:
                return False
            # by its whole key: the table has no index by avatar alone
            values = tuple_(ValueRow.attribute, ValueRow.value).in_(row.conditions.items())
            await session.execute(delete(ValueRow).where(ValueRow.avatar_id == row.id, values))
            await self._scrub(session, [row.id])
            if not row.private:
                await count_out(session, [row.conditions])
            return True

    async def hide(self, id: str, hidden: bool) -> bool:
        """Hides a public avatar, which is private from then on, or shows a hidden one again; False
        when there is neither.
        """
        a = AvatarRow
        # locked, so that nobody deletes it meanwhile
        found = select(a).where(a.public_id == id, a.deleted_at.is_(None))
        found = found.with_for_update(key_share=True, of=a)
        async with self._sessions.writing() as session:
            row = await session.scalar(found)
            if row is None or (row.private and row.hidden_at is None):
                return False
            if hidden != row.private:
                row.private, row.hidden_at = hidden, datetime.now(UTC) if hidden else None
                await session.flush()
                if hidden:
                    await count_out(session, [row.conditions])
                else:
                    await count_in(self._sessions, session, [row])
            return True

    async def forget(self, owner: Owner) -> int:
        """Deletes all that is known of the owner: avatars, favourites, settings, what is owed, the
        name and who it is. How many avatars there were. What counts for quotas stays for its day.
        """
        a, f, o = AvatarRow, FavouriteRow, OwedRow
        async with self._sessions.writing() as session:
            await session.execute(
                delete(o).where(o.owner_kind == owner.kind, o.owner_key == owner.key)
            )
            # locked first, and then as everybody locks: owners, avatars, colours. What the owner
            # has painted meanwhile is stored before or after all of this.
            mine = (OwnerRow.kind == owner.kind, OwnerRow.key == owner.key)
            key = await session.scalar(select(OwnerRow.id).where(*mine).with_for_update())
            if key is None:
                return 0
            own = select(a.id).where(a.owner_id == key, a.deleted_at.is_(None))
            whole = own.add_columns(a.conditions, a.private).with_for_update(key_share=True)
            rows = (await session.execute(whole)).all()
            if rows:
                await session.execute(delete(ValueRow).where(ValueRow.avatar_id.in_(own)))
                await self._scrub(session, own)
            liked = select(f.avatar_id).where(f.owner_id == key)
            fewer = update(a).where(a.id.in_(liked), a.deleted_at.is_(None))
            await session.execute(fewer.values(favourites=a.favourites - 1))
            await session.execute(delete(f).where(f.owner_id == key))
            await count_out(session, [row.conditions for row in rows if not row.private])
            await session.execute(delete(SettingsRow).where(SettingsRow.owner_id == key))
            await session.execute(delete(OwnerRow).where(OwnerRow.id == key))
            return len(rows)

    async def _scrub(self, session: AsyncSession, ids: Collection[int] | Select[Any]) -> None:
        """All but the values, which are found in other ways by those who call."""
        for table in (PictureRow, ThumbnailRow, ParentRow, FavouriteRow):
            await session.execute(delete(table).where(table.avatar_id.in_(ids)))
        nothing = np.zeros(0, np.float32)
        # written once: all who delete would wait for each other at this row
        nobody = await session.scalar(select(owner_id(NOBODY)))
        if nobody is None:
            nobody = await self._sessions.owner_id(session, NOBODY)
        await session.execute(
            update(AvatarRow)
            .where(AvatarRow.id.in_(ids))
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
                latent=nothing,
                condition=nothing,
                sha256="",
                order_id=None,
                favourites=0,
                hidden_at=None,
            )
        )

    async def use(self, owner: Owner, guild: str | None, pictures: int) -> None:
        """Counts pictures that are not stored towards the owner's usage."""
        row = _usage_row(owner, guild, datetime.now(UTC), pictures)
        async with self._sessions.writing() as session:
            session.add(row)

    async def count(self) -> int:
        """How many avatars there are, private ones included, deleted ones not."""
        async with self._sessions.reading() as session:
            living = select(func.count()).where(AvatarRow.deleted_at.is_(None))
            return await session.scalar(living) or 0

    async def statistics(self) -> Statistics:
        a, u = AvatarRow, UsageRow
        living = a.deleted_at.is_(None)
        colours = cast(a.conditions, String)  # as text: JSON cannot be grouped by
        loved = (
            select(func.min(colours), func.sum(a.favourites).label("favourites"))
            .where(living, a.private.is_(False), a.favourites > 0)
            .group_by(colours)
        )
        async with self._sessions.reading() as session:
            counts = select(func.count(), func.count(a.owner_id.distinct())).where(living)
            pictures, members = (await session.execute(counts)).one()
            public = select(func.count()).where(living, a.private.is_(False))
            favourites = select(func.count()).select_from(FavouriteRow)
            painted = select(func.sum(u.pictures)).where(u.created > datetime.now(UTC) - USAGE_KEPT)
            return Statistics(
                pictures=pictures,
                private=pictures - (await session.scalar(public) or 0),
                today=await session.scalar(painted) or 0,
                members=members,
                favourites=await session.scalar(favourites) or 0,
                loved=_by_conditions((await session.execute(loved)).all()),
            )


def _living(id: str) -> Select[Any]:
    """Selects the key of the avatar with this public id, unless it was deleted."""
    return select(AvatarRow.id).where(AvatarRow.public_id == id, AvatarRow.deleted_at.is_(None))


def _painted(order: str) -> Select[Any]:
    """Selects the keys of what was stored for this order, in the order of painting."""
    return select(AvatarRow.id).where(AvatarRow.order_id == order).order_by(AvatarRow.id)


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
        order_id=new.order,
    )


def _usage(avatars: Sequence[NewAvatar], created: datetime) -> list[UsageRow]:
    pictures = Counter((new.owner, new.guild) for new in avatars)
    return [_usage_row(owner, guild, created, count) for (owner, guild), count in pictures.items()]


def _usage_row(owner: Owner, guild: str | None, created: datetime, pictures: int) -> UsageRow:
    return UsageRow(kind=owner.kind, key=owner.key, guild=guild, created=created, pictures=pictures)


def _by_conditions(rows: Iterable[Any]) -> list[tuple[dict[str, str], int]]:
    loved = [(json.loads(text), int(favourites)) for text, favourites in rows]
    return sorted(loved, key=lambda pair: -pair[1])


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
        hidden=row.hidden_at is not None,
    )
