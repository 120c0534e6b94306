"""Statistics of the engine: counters since the start, and latencies."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from prometheus_client import Histogram

RECENT = 1000  # requests that the percentiles cover
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts since the start. Latencies are in seconds, from a request to its pictures; the
    percentiles are those of the last requests.
    """

    batches: int
    pictures: int
    candidates: int  # candidates painted, the chosen pictures included
    upscaled: int  # pictures
    upscale_seconds: float  # spent on upscaling
    waiting: int  # pictures in the queue now
    capacity: int  # pictures that fit into the queue
    refused: int  # requests that found the queue full
    dropped: int  # requests canceled while they waited
    failed: int  # requests that the model failed on
    latency_p50: float
    latency_p99: float
    latency: Histogram


class Recorder:
    """Counts what the engine does."""

    def __init__(self) -> None:
        self.batches = self.pictures = self.candidates = self.upscaled = 0
        self.refused = self.dropped = self.failed = 0
        self.upscale_seconds = 0.0
        self.seconds_per_picture = 0.01  # initial estimate, then a moving average
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._latency = Histogram(
            "irodori_paint_seconds",
            "Seconds from a request to its pictures.",
            buckets=BUCKETS,
            registry=None,
        )

    def add_batch(self, pictures: int, seconds: float) -> None:
        self.batches += 1
        self.pictures += pictures
        self.seconds_per_picture += 0.2 * (seconds / pictures - self.seconds_per_picture)

    def add_latency(self, seconds: float) -> None:
        self._recent.append(seconds)
        self._latency.observe(seconds)

    def snapshot(self, waiting: int, capacity: int) -> Stats:
        p50, p99 = np.percentile(self._recent or [0.0], (50, 99))
        return Stats(
            batches=self.batches,
            pictures=self.pictures,
            candidates=self.candidates,
            upscaled=self.upscaled,
            upscale_seconds=self.upscale_seconds,
            waiting=waiting,
            capacity=capacity,
            refused=self.refused,
            dropped=self.dropped,
            failed=self.failed,
            latency_p50=float(p50),
            latency_p99=float(p99),
            latency=self._latency,
        )
