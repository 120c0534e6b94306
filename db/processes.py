"""The processes that serve on one database. Each has a lease, which it renews with heartbeats.

A process without a lease does not exist for the others: what it has admitted does not count, its
pending replies belong to the process that claims them first, and so do its shards of Discord.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db.database import Database
from db.records import Shards
from db.schema import PendingReplyRow, ProcessRow

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

HEARTBEAT_SECONDS = 5.0
LEASE_SECONDS = 20.0
SHARDS_LOCK = 0x1201D1  # an arbitrary number, of PostgreSQL's advisory lock


class ProcessRepository:
    """A lease expires when this process has seen no heartbeat of its holder for LEASE_SECONDS, and
    its own heartbeats succeeded meanwhile. So neither a wrong clock nor an outage of the database
    ends the lease of a process that runs, unless the process hangs for that long.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._joined = False
        self._alone = True
        self._shards: Shards | None = None
        self._lost_shards = False
        self._lock: Any = None  # a file, see `_join_file`
        # of the others: the number of heartbeats, and the monotonic time when it was first seen
        self._seen: dict[str, tuple[int, float]] = {}

    @property
    def alone(self) -> bool:
        """Whether no other process has a lease, as of the last heartbeat that succeeded."""
        return self._alone

    @property
    def lost_shards(self) -> bool:
        """Whether another process has claimed shards of this one, since its lease had expired."""
        return self._lost_shards

    async def join(self) -> None:
        """Begins the lease. The first process on a SQLite file ends those of earlier processes."""
        self._joined = True
        if self._database.sqlite_file is not None and fcntl is not None:
            await self._join_file(self._database.sqlite_file)
        await self.beat()

    async def beat(self) -> bool:
        """Renews the lease, or begins it again, without shards that another process has claimed
        since; and ends the leases that have expired. Returns whether there are pending replies of
        processes without a lease. Raises StoreUnavailable.
        """
        own, p = self._database.process, ProcessRow
        seen, self._seen = self._seen, {}  # forgotten if the database fails
        lost = False
        async with self._database.writing(urgent=True) as session:
            renewed = await session.scalar(
                update(p).where(p.id == own).values(beats=p.beats + 1).returning(p.beats)
            )
            if renewed is None:
                lost = self._shards is not None and await self._taken(session, self._shards)
                await self._write_lease(session, None if lost else self._shards)
            others = await session.execute(select(p.id, p.beats).where(p.id != own))
            now, current = time.monotonic(), {}
            for id, beats in others.all():
                last, since = seen.get(id, (None, now))
                if last != beats:
                    current[id] = beats, now
                elif now - since < LEASE_SECONDS:
                    current[id] = beats, since
                else:  # unless it has sent a heartbeat by now
                    await session.execute(delete(p).where(p.id == id, p.beats == beats))
            left = select(PendingReplyRow.id).where(without_lease(PendingReplyRow.process))
            found = await session.scalar(left.limit(1))
        self._seen, self._alone = current, not current
        if lost:
            self._shards, self._lost_shards = None, True
        return found is not None

    async def claim_shards(self, shards: Shards) -> bool:
        """Adds shards to the lease, which begins if there is none. False if another process with a
        lease connects one of them.
        """
        async with self._database.writing() as session:
            if await self._taken(session, shards):
                return False
            await self._write_lease(session, shards)
        self._joined, self._shards, self._lost_shards = True, shards, False
        return True

    async def _taken(self, session: AsyncSession, shards: Shards) -> bool:
        """Whether another process with a lease connects one of the shards; no other process can
        claim them until the transaction ends.
        """
        if self._database.sqlite_file is None:  # SQLite has one writer at a time
            await session.execute(select(func.pg_advisory_xact_lock(SHARDS_LOCK)))
        p = ProcessRow
        others = select(p.shards).where(p.id != self._database.process, p.shards.is_not(None))
        return any(shards.overlap(Shards(**other)) for other in await session.scalars(others))

    async def _write_lease(self, session: AsyncSession, shards: Shards | None) -> None:
        """Begins the lease, or renews it, with these shards."""
        p, stored = ProcessRow, None if shards is None else asdict(shards)
        lease = self._database.insert(p).values(id=self._database.process, beats=1, shards=stored)
        more = {"beats": p.beats + 1, "shards": stored}
        await session.execute(lease.on_conflict_do_update(index_elements=["id"], set_=more))

    async def leave(self) -> None:
        """Ends the lease, if there is one."""
        if self._joined:
            self._joined, self._shards = False, None
            async with self._database.writing() as session:
                own = delete(ProcessRow).where(ProcessRow.id == self._database.process)
                await session.execute(own)
        if self._lock is not None:
            self._lock.close()

    async def _join_file(self, database: Path) -> None:
        """Ends all leases if no other process on this machine serves the SQLite file. A lock, which
        ends with its process, shows that: so a process that was killed and started again need not
        wait until its earlier lease expires.
        """
        self._lock = database.with_name(f"{database.name}.lock").open("ab")
        with suppress(OSError):  # others have it, or the file system has no locks
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            async with self._database.writing() as session:
                await session.execute(delete(ProcessRow))
        with suppress(OSError):
            await asyncio.to_thread(fcntl.flock, self._lock, fcntl.LOCK_SH)


def without_lease(process: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """Whether the process of a row has no lease. NULL is of versions without leases."""
    leases = select(ProcessRow.id).where(ProcessRow.id == process)
    return or_(process.is_(None), ~leases.exists())
