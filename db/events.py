"""Tells this process which public avatars others on the same database have stored.

PostgreSQL notifies; SQLite is polled.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import load_avatars
from db.database import Database
from db.engine import listening
from db.errors import StoreUnavailable
from db.records import Avatar
from db.schema import AvatarRow

CHANNEL = "irodori_painted"
POLL_SECONDS = 1.0
CHECK_SECONDS = 15.0  # between two checks of the connection that listens
RETRY_SECONDS = 2.0
MAX_IDS = 500  # in one notification, which has less than 8,000 bytes

log = logging.getLogger(__name__)

Publish = Callable[[Avatar | None], None]


async def announce(database: Database, session: AsyncSession, ids: Sequence[str]) -> None:
    """Notifies the others of these avatars once the transaction is committed."""
    if database.sqlite_file is None:
        for start in range(0, len(ids), MAX_IDS):
            payload = " ".join([database.process, *ids[start : start + MAX_IDS]])
            await session.execute(select(func.pg_notify(CHANNEL, payload)))


class PaintedEvents:
    """`follow` publishes the avatars of others, perhaps also those of this process. It publishes
    None if some may be missing, because the database could not be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def follow(self, publish: Publish, wanted: Callable[[], bool]) -> None:
        """Runs until canceled; reads avatars only while they are `wanted`."""
        if self._database.sqlite_file is not None:
            await self._poll(publish, wanted)
        else:
            await self._listen(publish, wanted)

    async def _poll(self, publish: Publish, wanted: Callable[[], bool]) -> None:
        a = AvatarRow
        last: int | None = None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not wanted():
                last = None
                continue
            try:
                async with self._database.reading() as session:
                    newest = await session.scalar(select(func.max(a.id))) or 0
                if last is not None and newest > last:
                    await self._publish(publish, a.id > last, a.id <= newest)
                last = newest
            except StoreUnavailable as error:  # read when the database works again
                log.debug("new pictures are not read: %s", error)
            except Exception:
                log.exception("new pictures are not read")

    async def _listen(self, publish: Publish, wanted: Callable[[], bool]) -> None:
        failing = False
        while True:
            try:
                async with self._notifications() as notified:
                    if failing:
                        failing = False
                        publish(None)
                    while (payload := await notified.get()) is not None:
                        process, *ids = payload.split()
                        if process != self._database.process and wanted():
                            await self._publish(publish, AvatarRow.public_id.in_(ids))
            except Exception as error:  # of asyncpg, SQLAlchemy or the network
                if not failing:
                    log.warning("pictures of other processes are not announced: %s", error)
            failing = True
            await asyncio.sleep(RETRY_SECONDS)

    @asynccontextmanager
    async def _notifications(self) -> AsyncIterator[asyncio.Queue[str | None]]:
        """A queue of the payloads; None when the connection is lost."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        async with listening(self._database.url) as driver:
            driver.add_termination_listener(lambda _: queue.put_nowait(None))
            await driver.add_listener(CHANNEL, lambda *event: queue.put_nowait(event[-1]))
            checking = asyncio.create_task(_check(driver))
            try:
                yield queue
            finally:
                checking.cancel()

    async def _publish(self, publish: Publish, *these: ColumnElement[bool]) -> None:
        a = AvatarRow
        public = select(a.id).where(*these, a.private.is_(False), a.deleted_at.is_(None))
        async with self._database.reading() as session:
            keys = list(await session.scalars(public.order_by(a.id)))
            avatars = await load_avatars(session, keys)
        for avatar in avatars:
            publish(avatar)


async def _check(driver: Any) -> None:
    """Ends a connection to a server that no longer answers."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            await driver.execute("SELECT 1", timeout=CHECK_SECONDS)
        except Exception:
            driver.terminate()
            return
