"""The other processes on the same database: what this one tells them and hears of them."""

import asyncio
import logging
from collections.abc import Callable

from bot.studio.painter import Painter
from db.errors import StoreUnavailable
from db.processes import HEARTBEAT_SECONDS
from db.store import Store

log = logging.getLogger(__name__)

Listener = Callable[[], None]


class ProcessService:
    def __init__(self, store: Store, painter: Painter) -> None:
        self._processes = store.processes
        self._events = store.events
        self._painter = painter
        self._listeners: list[Listener] = []
        self.take_from_bucket = store.rate_buckets.take

    @property
    def alone(self) -> bool:
        """Whether no other process serves on the database, as of some seconds ago."""
        return self._processes.alone

    async def join(self) -> None:
        """Begins the lease of this process, or leaves that to the first heartbeat that succeeds."""
        try:
            await self._processes.join()
        except StoreUnavailable as error:
            log.warning("the lease of this process is not written yet: %s", error)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener at times when there are pending replies whose process has ended;
        returns the function that unsubscribes. A listener must neither block nor raise.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def keep_lease(self) -> None:
        """Sends heartbeats until canceled, after `join`."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                left = await self._processes.beat()
            except StoreUnavailable as error:
                log.info("a heartbeat was not written: %s", error)
                continue
            except Exception:  # without heartbeats, others would take over what this one does
                log.exception("a heartbeat was not written")
                continue
            if left:
                for listener in tuple(self._listeners):
                    listener()

    async def follow(self) -> None:
        """Publishes the pictures of other processes until canceled."""
        painter = self._painter
        await self._events.follow(painter.publish, lambda: painter.has_listeners)
