"""Members: their settings, and the deletion of all their data."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import delete_values, scrub
from db.condition_counts import ConditionCounts
from db.database import Database
from db.forgetting import hash_owner, mark_forgotten
from db.owners import save_owner
from db.posts import withdraw_welcomes
from db.records import MemberSettings, Owner
from db.schema import (
    AvatarRow,
    FavoriteRow,
    GuessRow,
    LinkCodeRow,
    LinkRow,
    OwnerRow,
    PendingReplyRow,
    PortraitRow,
    ReportRow,
    SettingsRow,
    VoteRow,
)

# The tables with data of an owner that is not in the owner's avatars and favorites.
OF_OWNER = (SettingsRow, ReportRow, VoteRow, GuessRow, PortraitRow)
FORGET_BATCH = 25  # avatars or favorites that one transaction deletes


class MemberRepository:
    """Members are owners: visitors of the web page as well as members of Discord."""

    def __init__(self, database: Database, counts: ConditionCounts) -> None:
        self._database = database
        self._counts = counts
        self._waiting: dict[tuple[str, str], asyncio.Future[MemberSettings]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def settings(self, owner: Owner) -> MemberSettings:
        """Reads that arrive while others are waiting share one query: in a crowd, each request
        needs its member's settings before it can be acknowledged.
        """
        key = owner.kind, owner.key
        found = self._waiting.setdefault(key, asyncio.get_running_loop().create_future())
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_waiting())
        return await asyncio.shield(found)  # others may wait for the same settings

    async def _read_waiting(self) -> None:
        try:
            while self._waiting:
                await self._read_batch()
        finally:
            self._reader = None

    async def _read_batch(self) -> None:
        o, s = OwnerRow, SettingsRow
        batch: dict[tuple[str, str], asyncio.Future[MemberSettings]] = {}
        try:
            async with self._database.reading() as session:
                batch, self._waiting = self._waiting, {}
                rows = await session.execute(
                    select(o.kind, o.key, s.private, s.size, s.language)
                    .join(s, s.owner_id == o.id)
                    .where(tuple_(o.kind, o.key).in_(list(batch)))
                )
                found = {
                    (kind, key): MemberSettings(private, size, language)
                    for kind, key, private, size, language in rows
                }
        except Exception as error:
            if not batch:
                batch, self._waiting = self._waiting, {}
            for waiting in batch.values():
                waiting.set_exception(error)
                waiting.exception()  # not reported again if its caller was canceled
            return
        for key, waiting in batch.items():
            waiting.set_result(found.get(key, MemberSettings()))

    async def save_settings(self, owner: Owner, settings: MemberSettings) -> None:
        async with self._database.writing() as session:
            row = {
                "owner_id": await save_owner(self._database, session, owner),
                "private": settings.private,
                "size": settings.size,
                "language": settings.language,
            }
            await self._database.upsert(session, SettingsRow, row)

    async def delete_everything(self, owner: Owner) -> int:
        """Deletes the owner's avatars, favorites, settings, reports, votes, answers, pending
        replies, links, name and identity; returns the number of avatars. Usage is kept for a day,
        for quotas. Posts that show the avatars or welcome the owner are to be deleted.

        Commits FORGET_BATCH avatars or favorites at a time, so that others can write in between.
        If it is interrupted, the next call deletes the rest.
        """
        p = PendingReplyRow
        async with self._database.writing() as session:
            # Pictures that any process is painting for the owner are stored before this
            # transaction, or see the mark: both write the owner's row.
            await save_owner(self._database, session, Owner(owner.kind, owner.key))
            await mark_forgotten(self._database, session, hash_owner(owner))
            await session.execute(
                delete(p).where(p.owner_kind == owner.kind, p.owner_key == owner.key)
            )
            await withdraw_welcomes(session, owner, datetime.now(UTC))
        count = 0
        while True:
            async with self._database.writing() as session:
                # Locks in the same order as all transactions: owners, avatars, counts.
                o = OwnerRow
                this_owner = select(o.id).where(o.kind == owner.kind, o.key == owner.key)
                key = await session.scalar(this_owner.with_for_update())
                if key is None:
                    return count
                deleted = await self._delete_avatars(session, key)
                count += deleted
                if not deleted and not await self._delete_favorites(session, key):
                    for table in OF_OWNER:
                        await session.execute(delete(table).where(table.owner_id == key))
                    linked = (LinkRow.owner_id == key) | (LinkRow.member_id == key)
                    await session.execute(delete(LinkRow).where(linked))
                    await session.execute(delete(LinkCodeRow).where(LinkCodeRow.member_id == key))
                    await session.execute(delete(OwnerRow).where(OwnerRow.id == key))
                    return count

    async def _delete_avatars(self, session: AsyncSession, owner_key: int) -> int:
        """Deletes some avatars of the owner; their number."""
        a = AvatarRow
        own = select(a.id, a.conditions, a.private).where(
            a.owner_id == owner_key, a.deleted_at.is_(None)
        )
        own = own.order_by(a.id).limit(FORGET_BATCH).with_for_update(key_share=True)
        rows = (await session.execute(own)).all()
        if rows:
            await delete_values(session, [(row.id, row.conditions) for row in rows])
            await scrub(self._database, session, [row.id for row in rows])
            public = [(row.id, row.conditions) for row in rows if not row.private]
            await self._counts.subtract(session, public)
        return len(rows)

    async def _delete_favorites(self, session: AsyncSession, owner_key: int) -> int:
        """Deletes some favorites of the owner; their number."""
        a, f = AvatarRow, FavoriteRow
        own = select(f.avatar_id).where(f.owner_id == owner_key).order_by(f.avatar_id)
        keys = list(await session.scalars(own.limit(FORGET_BATCH)))
        if keys:
            fewer = update(a).where(a.id.in_(keys), a.deleted_at.is_(None))
            await session.execute(fewer.values(favorites=a.favorites - 1))
            await session.execute(delete(f).where(f.owner_id == owner_key, f.avatar_id.in_(keys)))
        return len(keys)
