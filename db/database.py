"""Transactions on one database, shared by all repositories."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db.engine import writing
from db.schema import Base


class Database:
    """`reading()` opens a session that only reads; `writing()` a transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reading = async_sessionmaker(engine)
        # fewer than the pool's 15 connections, so that writers do not wait behind readers
        self._readers = asyncio.Semaphore(10)
        self._writing = async_sessionmaker(writing(engine))
        # SQLite has one writer at a time; waiting writers must not hold connections of readers
        writers = 1 if engine.dialect.name == "sqlite" else 10
        self._writers = asyncio.Semaphore(writers)
        # of those that are not urgent, so that an urgent one waits for one transaction at most
        self._ordinary = asyncio.Semaphore(max(1, writers - 1))
        # both databases have ON CONFLICT; SQLAlchemy implements it per dialect
        dialects: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
        self.insert = dialects[engine.dialect.name]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        async with self._readers, self._reading() as session:
            yield session

    @asynccontextmanager
    async def writing(self, *, urgent: bool = False) -> AsyncIterator[AsyncSession]:
        """A transaction that is on disk when it ends. An `urgent` one does not wait for those that
        wait already.
        """
        ordinary = nullcontext() if urgent else self._ordinary
        async with ordinary, self._writers, self._writing.begin() as session:
            yield session

    async def upsert(self, session: AsyncSession, table: type[Base], row: dict[str, Any]) -> None:
        """Inserts a row, or updates the row with the same primary key."""
        insert = self.insert(table.__table__).values(row)
        keys = [column.name for column in table.__table__.primary_key]
        rest = {name: insert.excluded[name] for name in row if name not in keys}
        await session.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest))

    async def close(self) -> None:
        await self._engine.dispose()
