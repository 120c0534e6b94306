"""Usage: the number of pictures painted for each owner within the last day, for quotas."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.records import NewAvatar, Owner, Usage
from db.schema import UsageRow

KEPT = timedelta(days=1)

_START, _START_MONOTONIC = datetime.now(UTC), time.monotonic()


class UsageRepository:
    """Deleted pictures are still counted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, owner: Owner, guild: str, moment: datetime) -> list[Usage]:
        """Usage of the owner in the guild since this moment, the oldest first; at most a day.
        Usage in the future, from a time when the clock was wrong, is ignored.
        """
        u = UsageRow
        found = select(u.created, u.pictures).where(
            u.kind == owner.kind,
            u.key == owner.key,
            u.guild == guild,
            u.created > moment,
            u.created <= datetime.now(UTC),
        )
        async with self._database.reading() as session:
            rows = await session.execute(found.order_by(u.created))
            return [Usage(*row) for row in rows]

    async def add(self, owner: Owner, guild: str | None, pictures: int) -> None:
        """Counts pictures that are not stored; stored ones are counted by `count_usage`."""
        async with self._database.writing() as session:
            session.add(_row(owner, guild, datetime.now(UTC), pictures))


async def count_usage(
    session: AsyncSession, avatars: Sequence[NewAvatar], created: datetime
) -> None:
    """Counts the avatars that this transaction adds, and deletes usage older than a day."""
    pictures = Counter((new.owner, new.guild) for new in avatars)
    session.add_all(
        [_row(owner, guild, created, count) for (owner, guild), count in pictures.items()]
    )
    if _clock_is_plausible(created):  # otherwise a clock set ahead would delete all usage
        await session.execute(delete(UsageRow).where(UsageRow.created < created - KEPT))


def _clock_is_plausible(now: datetime) -> bool:
    """Whether the clock was not changed by more than an hour since the start."""
    elapsed = timedelta(seconds=time.monotonic() - _START_MONOTONIC)
    return abs(now - _START - elapsed) < timedelta(hours=1)


def _row(owner: Owner, guild: str | None, created: datetime, pictures: int) -> UsageRow:
    return UsageRow(kind=owner.kind, key=owner.key, guild=guild, created=created, pictures=pictures)
