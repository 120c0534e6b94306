"""Transactions on one database, shared by all repositories."""

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, cast, func, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db.engine import BUSY_SECONDS, reading, writing
from db.errors import StoreUnavailable, is_full, unavailable
from db.schema import Base

FULL_SECONDS = (
    0.5  # at most, between two attempts to connect to a server that has no connection left
)

SessionFactory = async_sessionmaker[AsyncSession]


class Database:
    """`reading()` opens a session that only reads; `writing()` a transaction.

    Both raise StoreUnavailable, within some seconds, while the database does not work. `process`
    identifies this process among those on the same database, see `db.processes`.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.process = uuid.uuid4().hex
        self.url = engine.url
        sqlite_file = engine.url.database if engine.dialect.name == "sqlite" else None
        self.sqlite_file = None if sqlite_file is None else Path(sqlite_file)
        self._reading = async_sessionmaker(reading(engine))
        self._writing = async_sessionmaker(writing(engine))
        # SQLite has one writer at a time; waiting writers must not hold connections of readers
        connections = engine.pool.size()  # type: ignore[attr-defined]  # a QueuePool
        writers = 1 if engine.dialect.name == "sqlite" else connections // 2
        self._writers = asyncio.Semaphore(writers)
        # of those that are not urgent, so that an urgent one waits for one transaction at most
        self._ordinary = asyncio.Semaphore(max(1, writers - 1))
        self._readers = asyncio.Semaphore(connections - writers)
        self._open_sessions = 0
        self._last_connected = -math.inf  # monotonic time
        self._connecting = asyncio.Lock()  # while PostgreSQL has no connection left
        self._closed = asyncio.Event()  # a session was closed
        self._busy_until = -math.inf  # monotonic time when the lock was last waited for in vain
        # A JSON column as text, which can be grouped. SQLite stores it as text, and its index could
        # not be used with a cast.
        sqlite_text = engine.dialect.name == "sqlite"
        self.as_text: Callable[..., ColumnElement[str]] = type_coerce if sqlite_text else cast
        # both databases have ON CONFLICT; SQLAlchemy implements it per dialect
        dialects: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
        self.insert = dialects[engine.dialect.name]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state of the database."""
        async with self._available(self._readers), self._session(self._reading) as session:
            yield session

    @asynccontextmanager
    async def writing(self, *, urgent: bool = False) -> AsyncIterator[AsyncSession]:
        """A transaction that is on disk when it ends. An `urgent` one does not wait for those that
        wait already.
        """
        semaphores = (self._writers,) if urgent else (self._ordinary, self._writers)
        async with self._available(*semaphores), self._session(self._writing) as session:
            yield session
            await _complete(session.commit())

    @asynccontextmanager
    async def _session(self, create: SessionFactory) -> AsyncIterator[AsyncSession]:
        """A session with a connection."""
        async with AsyncExitStack() as stack:
            session = create()
            stack.push_async_callback(session.close)
            try:
                await session.connection()
            except Exception as error:
                if not is_full(error):
                    raise
                await self._connect_while_full(session)
            self._open_sessions += 1
            self._last_connected = time.monotonic()
            try:
                yield session
            finally:
                try:
                    await _complete(session.close())
                finally:
                    self._open_sessions -= 1
                    self._closed.set()

    async def _connect_while_full(self, session: AsyncSession) -> None:
        """Waits for a connection while PostgreSQL has none left, because other processes have them
        all: for one that this process has already, or until the others close some. Raises an error
        if this process has had none for BUSY_SECONDS.
        """
        async with self._connecting:  # one at a time: each attempt costs the server a process
            arrived = time.monotonic()
            while True:
                self._closed.clear()
                try:
                    await session.connection()
                    return
                except Exception as error:
                    since = max(arrived, self._last_connected)
                    lost = not self._open_sessions and time.monotonic() - since > BUSY_SECONDS
                    if lost or not is_full(error):
                        raise
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), FULL_SECONDS)

    @asynccontextmanager
    async def _available(self, *semaphores: asyncio.Semaphore) -> AsyncIterator[None]:
        arrived = time.monotonic()
        async with AsyncExitStack() as stack:
            for semaphore in semaphores:
                await stack.enter_async_context(semaphore)
            # A session that waited while another one waited for the lock in vain fails with it:
            # otherwise the waits would add up.
            if arrived < self._busy_until:
                raise StoreUnavailable("the database is locked", busy=True)
            try:
                yield
            except Exception as error:
                failure = unavailable(error)
                if failure is None:
                    raise
                if failure.busy:
                    self._busy_until = time.monotonic()
                raise failure from error

    async def now(self, session: AsyncSession) -> datetime:
        """The time by the clock that all processes on the database share. SQLite's processes run on
        one machine.
        """
        if self.sqlite_file is not None:
            return datetime.now(UTC)
        moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        return moment

    async def upsert(self, session: AsyncSession, table: type[Base], *rows: dict[str, Any]) -> None:
        """Inserts rows, or updates those with the same primary key. All have the same columns."""
        insert = self.insert(table.__table__)
        keys = [column.name for column in table.__table__.primary_key]
        rest = {name: insert.excluded[name] for name in rows[0] if name not in keys}
        statement = insert.on_conflict_do_update(index_elements=keys, set_=rest)
        await session.execute(statement, list(rows))

    async def empty_log(self) -> bool:
        """Empties SQLite's write-ahead log, which contains deleted data until it is overwritten.
        False if others read or write all the time; then it is emptied later.
        """
        if self._engine.dialect.name != "sqlite":
            return True
        available = self._available(self._ordinary, self._writers)
        async with available, self._engine.connect() as connection:
            # by the driver, because this cannot be done in a transaction
            driver: Any = (await connection.get_raw_connection()).driver_connection
            rows = await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
            return not next(iter(rows))[0]

    async def close(self) -> None:
        await self._engine.dispose()


async def _complete(ending: Coroutine[Any, Any, None]) -> None:
    """Ends a session, also if the task is canceled meanwhile, as tasks are at the end of the bot:
    an aborted rollback would cost the connection, and an error in the log.
    """
    task = asyncio.ensure_future(ending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
