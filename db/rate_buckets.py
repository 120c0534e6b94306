"""Rate limits that all processes share, as token buckets."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.schema import RateBucketRow

# Without a charge, a bucket is full after this time, and need not be stored any more; the second
# time is for those that gave more tokens than they had, at most 60 minutes' worth.
FULL_AFTER = timedelta(minutes=1)
OVERDRAWN_FULL_AFTER = timedelta(hours=1)


class RateBucketRepository:
    """Addresses are stored as hashes, about until a bucket is full again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, kind: str, address: str, count: int, per_minute: int) -> float:
        """Takes `count` tokens from the bucket of an address. Returns how many are missing, and
        then takes none; 0 if they were taken. `per_minute` is the size of a bucket, and its refill
        in a minute. A full bucket gives more tokens than it has.
        """
        b = RateBucketRow
        hashed = hashlib.sha256(address.encode()).hexdigest()
        async with self._database.writing(urgent=True) as session:
            now = await self._database.now(session)
            row = {"kind": kind, "address": hashed, "level": per_minute, "moment": now}
            # locks a row that exists already
            bucket = (
                self._database.insert(b)
                .values(row)
                .on_conflict_do_update(index_elements=["kind", "address"], set_={"level": b.level})
            )
            found = await session.execute(bucket.returning(b.level, b.moment))
            level, since = found.one()
            elapsed = max(0.0, (now - since).total_seconds())
            level = min(float(per_minute), level + elapsed * per_minute / 60)
            missing: float = min(count, per_minute) - level
            left = level if missing > 0 else level - count
            this = (b.kind == kind, b.address == hashed)
            newest = max(now, since)
            await session.execute(update(b).where(*this).values(level=left, moment=newest))
            await _delete_full(session, now)
        return max(0.0, missing)

    async def delete_full(self) -> None:
        async with self._database.writing() as session:
            await _delete_full(session, await self._database.now(session))


async def _delete_full(session: AsyncSession, now: datetime) -> None:
    b = RateBucketRow
    full = select(b.kind, b.address).where(
        or_(and_(b.level >= 0, b.moment < now - FULL_AFTER), b.moment < now - OVERDRAWN_FULL_AFTER)
    )
    # those that others charge now are not full, and waiting for each other would be a deadlock
    full = full.with_for_update(skip_locked=True)
    await session.execute(delete(b).where(tuple_(b.kind, b.address).in_(full)))
