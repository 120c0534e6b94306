"""The other processes on the same database: what this one tells them and hears of them."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import NoReturn

from bot.studio.painter import Painter
from db.errors import StoreUnavailable
from db.processes import HEARTBEAT_SECONDS, LEASE_SECONDS
from db.records import Shards
from db.store import Store

log = logging.getLogger(__name__)

# Within this time, the lease of a process that was killed expires, and this one sees it.
TAKEOVER_SECONDS = LEASE_SECONDS + 2 * HEARTBEAT_SECONDS
RETRY_SECONDS = 1.0

Listener = Callable[[], None]


class ShardsTaken(Exception):  # noqa: N818 (what happened, not what is wrong)
    """Another process connects the same shards of Discord; the message says what to do."""


class ProcessService:
    def __init__(self, store: Store, painter: Painter) -> None:
        self._processes = store.processes
        self._events = store.events
        self._painter = painter
        self._listeners: list[Listener] = []
        self._lost_shards = asyncio.Event()
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

    async def claim_shards(self, shards: Shards) -> None:
        """Reserves shards of Discord for this process: members would get two replies from two
        processes. Waits until the lease of a process that was killed has expired.

        Raises ShardsTaken if another process still has them then, and StoreUnavailable.
        """
        self._lost_shards.clear()
        if await self._processes.claim_shards(shards):
            return
        log.warning(
            "another process on this database connects %s of the bot, or did so until it was "
            "killed; waiting up to %.0f s for the end of its lease",
            shards,
            TAKEOVER_SECONDS,
        )
        until = monotonic() + TAKEOVER_SECONDS
        while monotonic() < until:
            await asyncio.sleep(RETRY_SECONDS)
            if await self._processes.claim_shards(shards):
                return
        raise ShardsTaken(
            f"another process on the same database connects {shards} of the bot; stop it, or let "
            "each process connect other shards with discord.shards and discord.shard_ids"
        )

    async def lose_shards(self) -> NoReturn:
        """Waits until another process has taken over shards of this one, which may happen if it
        hangs for so long that its lease expires. Raises ShardsTaken then.
        """
        await self._lost_shards.wait()
        raise ShardsTaken(
            "another process on the same database has taken over shards of this one, which did not "
            f"respond for {LEASE_SECONDS:.0f} s or more; this one ends, so that members do not get "
            "two replies"
        )

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
            if self._processes.lost_shards:
                self._lost_shards.set()
            if left:
                for listener in tuple(self._listeners):
                    listener()

    async def follow(self) -> None:
        """Publishes the pictures of other processes until canceled."""
        painter = self._painter
        await self._events.follow(painter.publish, lambda: painter.has_listeners)
