"""Readiness: whether the bot can paint pictures and store them."""

import asyncio
import logging
import time

from bot.errors import Refusal
from bot.inference.engine import Engine
from db.store import Store

CACHE_SECONDS = 5
STORE_SECONDS = 10  # for a small write

log = logging.getLogger(__name__)


class ReadinessCheck:
    """Paints one picture and writes one row. Concurrent calls share one check, and its result is
    kept for CACHE_SECONDS. A problem is logged when it begins, not at every check.
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store
        self._lock = asyncio.Lock()
        self._checked: float | None = None
        self._problem: str | None = None

    async def problem(self) -> str | None:
        """Why pictures cannot be painted and stored, in English; None if they can."""
        async with self._lock:
            if self._checked is not None and time.monotonic() - self._checked < CACHE_SECONDS:
                return self._problem
            engine, store = await asyncio.gather(self._check_engine(), self._check_store())
            problem = engine or store
            if problem is not None and problem != self._problem:
                log.error("the bot is not ready: %s", problem)
            self._problem, self._checked = problem, time.monotonic()
            return problem

    async def _check_engine(self) -> str | None:
        try:
            await self._engine.check()
        except TimeoutError:
            return "the engine does not answer"
        except Refusal as error:
            return f"the engine does not paint: {error}"
        return None

    async def _check_store(self) -> str | None:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._store.check()
        except TimeoutError:
            return "the database does not answer"
        except Exception as error:
            log.debug("the database cannot be written", exc_info=error)
            return "the database cannot be written"
        return None
