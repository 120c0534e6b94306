"""Samples the load of the process: latencies, queue, rates and memory."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psutil
from aiohttp import web

from bot.studio import Studio
from bot.web.metrics import Metrics

INTERVAL = 2.0  # seconds
SAMPLES = 300  # ten minutes


@dataclass(frozen=True, slots=True)
class Sample:
    """`age` is in seconds since the start; latencies are in seconds over the last requests, None
    before the first; rates are per second since the previous sample; memory is in bytes.
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
    """The samples of the last ten minutes, taken while the application runs."""

    def __init__(self, studio: Studio, metrics: Metrics) -> None:
        self._studio = studio
        self._metrics = metrics
        self._process = psutil.Process()
        self._started = time.monotonic()
        self._previous = (self._started, studio.engine_stats.pictures, metrics.answered)
        self.samples: deque[Sample] = deque(maxlen=SAMPLES)

    async def run(self, app: web.Application) -> AsyncIterator[None]:
        """Samples until the application is cleaned up; for `cleanup_ctx`."""
        self._add_sample()
        task = asyncio.create_task(self._sample_regularly())
        yield
        task.cancel()
        await asyncio.wait([task])

    def measure(self) -> Sample:
        """The load now."""
        stats, now = self._studio.engine_stats, time.monotonic()
        then, pictures, requests = self._previous
        elapsed = max(now - then, 1e-3)
        p50, p99 = self._metrics.recent_percentiles()
        return Sample(
            age=now - self._started,
            painting_p50=stats.latency_p50 or None,
            painting_p99=stats.latency_p99 or None,
            answering_p50=p50 or None,
            answering_p99=p99 or None,
            waiting=stats.waiting,
            pictures=(stats.pictures - pictures) / elapsed,
            requests=(self._metrics.answered - requests) / elapsed,
            memory=self._process.memory_info().rss,
        )

    def _add_sample(self) -> None:
        self.samples.append(self.measure())
        pictures = self._studio.engine_stats.pictures
        self._previous = (time.monotonic(), pictures, self._metrics.answered)

    async def _sample_regularly(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            self._add_sample()


LOAD = web.AppKey("load", Load)
