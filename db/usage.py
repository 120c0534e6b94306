"""Usage: the number of pictures painted for each owner within the last day, for quotas."""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.errors import StoreUnavailable
from db.processes import without_lease
from db.records import NewAvatar, Owner, Usage
from db.schema import UsageRow

KEPT = timedelta(days=1)

_START, _START_MONOTONIC = datetime.now(UTC), time.monotonic()

logger = logging.getLogger(__name__)

Check = Callable[[list[Usage], datetime], None]
"""Given the usage of the last day and the time, raises an error if no more is allowed."""


@dataclass(eq=False, slots=True)
class _Reservation:
    """Waits for its transaction; `made` is the key of its row."""

    owner: Owner
    guild: str
    pictures: int
    check: Check
    made: "asyncio.Future[int]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class UsageRepository:
    """Deleted pictures are still counted.

    Reservations count as well, in all processes, until they are released. Those that arrive while
    others are written share the next transaction.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Reservation] = []
        self._released: set[int] = set()  # and not deleted yet
        self._writer: asyncio.Task[None] | None = None

    async def since(self, owner: Owner, guild: str, moment: datetime) -> list[Usage]:
        """Usage of the owner in the guild since this moment, the oldest first; at most a day.
        Usage in the future, from a time when the clock was wrong, is ignored.
        """
        async with self._database.reading() as session:
            return await self._since(session, owner, guild, moment, datetime.now(UTC))

    async def add(self, owner: Owner, guild: str | None, pictures: int) -> None:
        """Counts pictures that are not stored; stored ones are counted by `count_usage`."""
        async with self._database.writing() as session:
            session.add(_row(owner, guild, datetime.now(UTC), pictures))

    async def reserve(self, owner: Owner, guild: str, pictures: int, check: Check) -> int:
        """Counts pictures that are going to be painted; the key of the reservation. Checking and
        counting are one step among all processes. Raises what `check` raises.
        """
        reservation = _Reservation(owner, guild, pictures, check)
        self._waiting.append(reservation)
        self._write()
        try:
            return await reservation.made
        except asyncio.CancelledError:
            reservation.made.cancel()  # its row, if it is written, is deleted
            raise

    async def release(self, reservation: int) -> None:
        """Stops counting a reservation. While the database does not work, it is deleted by the next
        transaction that succeeds.
        """
        self._released.add(reservation)
        writer = self._write()
        await asyncio.wait([writer])

    async def finish(self) -> None:
        """Waits for releases whose callers were canceled."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    def _write(self) -> "asyncio.Task[None]":
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        return self._writer

    async def _write_waiting(self) -> None:
        try:
            released: set[int] = set()
            while self._waiting or self._released - released:
                batch, self._waiting = self._waiting, []
                released = set(self._released)
                try:
                    results = await self._commit(batch, released)
                except Exception as error:  # those that arrived meanwhile are written next
                    if not isinstance(error, StoreUnavailable):
                        logger.exception("reservations were not written")
                    for reservation in batch:
                        _finish(reservation, error)
                    continue
                self._released -= released
                for reservation, result in zip(batch, results, strict=True):
                    if not _finish(reservation, result) and isinstance(result, int):
                        self._released.add(result)
        finally:
            self._writer = None

    async def _commit(
        self, batch: Sequence[_Reservation], released: set[int]
    ) -> list[int | Exception]:
        """Makes the reservations; their keys, or why they are refused."""
        batch_order = sorted(range(len(batch)), key=lambda i: _lock_number(batch[i]))
        results: list[int | Exception] = [0] * len(batch)
        async with self._database.writing(urgent=True) as session:
            if released:
                await session.execute(delete(UsageRow).where(UsageRow.id.in_(released)))
            for index in batch_order:  # sorted, so that two transactions do not deadlock
                results[index] = await self._reserve(session, batch[index])
        return results

    async def _reserve(self, session: AsyncSession, wanted: _Reservation) -> int | Exception:
        if self._database.sqlite_file is None:  # SQLite has one writer at a time
            await session.execute(select(func.pg_advisory_xact_lock(_lock_number(wanted))))
        now = await self._database.now(session)
        used = await self._since(session, wanted.owner, wanted.guild, now - KEPT, now)
        try:
            wanted.check(used, now)
        except Exception as refusal:
            return refusal
        row = _row(wanted.owner, wanted.guild, now, wanted.pictures)
        row.process = self._database.process
        session.add(row)
        await session.flush()
        return row.id

    async def _since(
        self, session: AsyncSession, owner: Owner, guild: str, moment: datetime, now: datetime
    ) -> list[Usage]:
        u = UsageRow
        counted = or_(
            u.process.is_(None), u.process == self._database.process, ~without_lease(u.process)
        )
        found = select(u.created, u.pictures).where(
            u.kind == owner.kind,
            u.key == owner.key,
            u.guild == guild,
            u.created > moment,
            u.created <= now,
            counted,
        )
        rows = await session.execute(found.order_by(u.created))
        return [Usage(*row) for row in rows]


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


def _lock_number(reservation: _Reservation) -> int:
    """The number of PostgreSQL's advisory lock for an owner in a guild: signed, 64 bits."""
    owner = reservation.owner
    digest = hashlib.sha256(f"{owner.kind}:{owner.key}:{reservation.guild}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _finish(reservation: _Reservation, result: int | Exception) -> bool:
    """False if its caller was canceled."""
    if reservation.made.done():
        return False
    if isinstance(result, int):
        reservation.made.set_result(result)
    else:
        reservation.made.set_exception(result)
    return True
