"""Prometheus metrics of one application."""

from collections import deque
from collections.abc import Iterator

import numpy as np
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.studio import Studio

RECENT = 1000  # requests that the percentiles of the admin page include
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds

COUNTERS = {  # fields of the engine's statistics
    "batches": ("irodori_batches", "Batches painted."),
    "pictures": ("irodori_pictures", "Pictures painted."),
    "candidates": ("irodori_candidates", "Candidates painted, the chosen pictures included."),
    "upscaled": ("irodori_upscaled", "Pictures upscaled."),
    "upscale_seconds": ("irodori_upscale_seconds", "Seconds spent on upscaling."),
    "refused": ("irodori_refused", "Requests refused because the queue was full."),
    "dropped": ("irodori_dropped", "Requests canceled before they were painted."),
    "failed": ("irodori_failed", "Requests that the model failed on."),
}

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second, unused series per counter


class Metrics:
    """HTTP requests by method, route and status, and the statistics of the engine."""

    def __init__(self, studio: Studio) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_EngineCollector(studio))
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "irodori_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Counter(
            "irodori_http_seconds",
            "Seconds spent on answering HTTP requests.",
            ("method", "route"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "irodori_http_request_seconds",
            "Seconds from an HTTP request to its answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._recent: deque[float] = deque(maxlen=RECENT)
        self.answered = 0
        """Requests of visitors, without streams and admin pages."""

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).inc(seconds)
        self._durations.labels(method, route).observe(seconds)

    def observe_visitor(self, seconds: float) -> None:
        """Adds a request to those that the admin page shows."""
        self.answered += 1
        self._recent.append(seconds)

    def recent_percentiles(self) -> tuple[float, float]:
        """p50 and p99 of the last visitors' requests, in seconds."""
        p50, p99 = np.percentile(self._recent or [0.0], (50, 99))
        return float(p50), float(p99)

    def render(self) -> tuple[bytes, str]:
        """The metrics in Prometheus' text format 0.0.4, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4


class _EngineCollector(Collector):
    """Reads the engine's statistics when Prometheus scrapes them."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def collect(self) -> Iterator[Metric]:
        stats = self._studio.engine_stats
        model = GaugeMetricFamily("irodori_model_info", "The model in use.", labels=("name",))
        model.add_metric((self._studio.model_name,), 1)
        yield model
        for field, (name, text) in COUNTERS.items():
            yield CounterMetricFamily(name, text, value=getattr(stats, field))
        yield GaugeMetricFamily(
            "irodori_pictures_waiting", "Pictures in the queue.", value=stats.waiting
        )
        yield GaugeMetricFamily(
            "irodori_queue_capacity", "Pictures that the queue holds.", value=stats.capacity
        )
        yield from stats.latency.collect()
