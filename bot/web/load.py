"""How the bot is doing: what it takes to paint and to answer, what waits, and its memory."""

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.inference.engine import Engine
from bot.web.metrics import Metrics

EVERY = 2.0  # seconds
KEPT = 300  # samples: ten minutes


@dataclass(frozen=True, slots=True)
class Sample:
    """`age` is in seconds since the start; latencies in seconds, over the last requests, None where
    there was none; rates per second, since the sample before; memory in bytes.
    """

    age: float
    painting_p50: float | None
    painting_p99: float | None
    answering_p50: float | None
    answering_p99: float | None
    waiting: int
    pictures: float
    requests: float
    memory: int


class Load:
    """The last ten minutes, while the application runs."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._started = time.monotonic()
        self._before = (self._started, engine.stats.pictures, metrics.answered)
        self.samples: deque[Sample] = deque(maxlen=KEPT)

    async def follow(self, app: web.Application) -> AsyncIterator[None]:
        """For `cleanup_ctx`."""
        self._keep()
        task = asyncio.create_task(self._follow())
        yield
        task.cancel()
        await asyncio.wait([task])

    def look(self) -> Sample:
        """As it is now."""
        stats, now = self._engine.stats, time.monotonic()
        before, pictures, requests = self._before
        passed = max(now - before, 1e-3)
        p50, p99 = self._metrics.latencies()
        return Sample(
            age=now - self._started,
            painting_p50=stats.latency_p50 or None,
            painting_p99=stats.latency_p99 or None,
            answering_p50=p50 or None,
            answering_p99=p99 or None,
            waiting=stats.waiting,
            pictures=(stats.pictures - pictures) / passed,
            requests=(self._metrics.answered - requests) / passed,
            memory=used_memory(),
        )

    def _keep(self) -> None:
        self.samples.append(self.look())
        self._before = (time.monotonic(), self._engine.stats.pictures, self._metrics.answered)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._keep()


def used_memory(statm: Path = Path("/proc/self/statm")) -> int:
    """Bytes of this process that are in memory; 0 where the system does not tell."""
    try:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0


def whole_memory(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Bytes that this process may use, as far as the system tells; `limit` is a container's."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0
    try:
        return min(whole, int(limit.read_text()))
    except (OSError, ValueError):  # no container, or "max": no limit
        return whole
