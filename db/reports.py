"""Reports of pictures, until a moderator hides the picture or dismisses them."""

from datetime import UTC, datetime

from sqlalchemy import delete, func, select

from db.avatar_rows import load_avatars, select_key
from db.database import Database
from db.owners import save_owner, select_owner_id
from db.records import Owner, Reported
from db.schema import AvatarRow, ReportRow


class ReportRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, id: str, owner: Owner, reason: str) -> int:
        """Stores the report of a public avatar, in place of the owner's earlier one. Returns the
        number of its reports, or 0 if there is no such avatar.
        """
        r = ReportRow
        public = select_key(id).where(AvatarRow.private.is_(False))
        async with self._database.writing() as session:
            if await session.scalar(public) is None:
                return 0
            # owners before avatars, as in all transactions
            owner_id = await save_owner(self._database, session, owner)
            key = await session.scalar(public.with_for_update(key_share=True))
            if key is None:  # deleted or hidden meanwhile
                return 0
            row = {
                "avatar_id": key,
                "owner_id": owner_id,
                "created": datetime.now(UTC),
                "reason": reason,
            }
            await self._database.upsert(session, r, row)
            count = select(func.count()).where(r.avatar_id == key)
            return await session.scalar(count) or 0

    async def count_by(self, owner: Owner) -> int:
        """Number of the owner's open reports."""
        own = select(func.count()).where(ReportRow.owner_id == select_owner_id(owner))
        async with self._database.reading() as session:
            return await session.scalar(own) or 0

    async def by(self, owner: Owner) -> list[tuple[str, str]]:
        """Ids of the avatars that the owner has reported, and the reasons."""
        a, r = AvatarRow, ReportRow
        own = select(a.public_id, r.reason).join(r, r.avatar_id == a.id)
        own = own.where(r.owner_id == select_owner_id(owner)).order_by(a.id)
        async with self._database.reading() as session:
            return [(id, reason) for id, reason in await session.execute(own)]

    async def open(self, limit: int) -> list[Reported]:
        """Public avatars with reports, the longest waiting first."""
        a, r = AvatarRow, ReportRow
        first = func.min(r.created)
        waiting = select(r.avatar_id).join(a, a.id == r.avatar_id).where(a.private.is_(False))
        waiting = waiting.group_by(r.avatar_id).order_by(first, r.avatar_id).limit(limit)
        async with self._database.reading() as session:
            keys = list(await session.scalars(waiting))
            avatars = await load_avatars(session, keys)
            given = select(r).where(r.avatar_id.in_(keys)).order_by(r.created)
            rows = list(await session.scalars(given))
        found = []
        for key, avatar in zip(keys, avatars, strict=True):
            own = [row for row in rows if row.avatar_id == key]
            reasons = tuple(row.reason for row in own if row.reason)
            found.append(Reported(avatar, len(own), own[0].created, reasons))
        return found

    async def close(self, id: str) -> int:
        """Deletes the reports of an avatar; their number."""
        key = select_key(id).scalar_subquery()
        async with self._database.writing() as session:
            done = await session.execute(delete(ReportRow).where(ReportRow.avatar_id == key))
            return int(done.rowcount)  # type: ignore[attr-defined]
