"""Figures for Prometheus, in its text format 0.0.4."""

from collections import Counter, deque
from collections.abc import Iterable

import numpy as np

from bot.inference.engine import LATENCIES, Stats

Labels = tuple[tuple[str, str], ...]

ENGINE = {
    "batches": ("irodori_batches_total", "counter", "Batches that were painted."),
    "pictures": ("irodori_pictures_total", "counter", "Pictures that were painted."),
    "candidates": ("irodori_candidates_total", "counter", "Pictures painted to choose among."),
    "upscaled": ("irodori_upscaled_total", "counter", "Pictures that were upscaled."),
    "upscale_seconds": (
        "irodori_upscale_seconds_total",
        "counter",
        "Seconds spent on upscaling.",
    ),
    "waiting": ("irodori_pictures_waiting", "gauge", "Pictures in the queue now."),
    "refused": ("irodori_refused_total", "counter", "Requests that were answered busy."),
    "dropped": ("irodori_dropped_total", "counter", "Requests given up before they were painted."),
}


class Metrics:
    """Requests by method, route and status, and the time they took."""

    def __init__(self) -> None:
        self._requests: Counter[Labels] = Counter()
        self._seconds: dict[Labels, float] = {}
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self.answered = 0

    def wait(self, seconds: float) -> None:
        """Somebody has waited for an answer for so long."""
        self.answered += 1
        self._latencies.append(seconds)

    def latencies(self) -> tuple[float, float]:
        """p50 and p99 of the last answers, in seconds."""
        p50, p99 = np.percentile(self._latencies or [0.0], (50, 99))
        return float(p50), float(p99)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        where = (("method", method), ("route", route))
        self._requests[(*where, ("status", str(status)))] += 1
        self._seconds[where] = self._seconds.get(where, 0.0) + seconds

    def text(self, model: str, stats: Stats) -> str:
        info = (("name", model),)
        latencies = [
            ((("quantile", "0.5"),), stats.latency_p50),
            ((("quantile", "0.99"),), stats.latency_p99),
        ]
        return "".join(
            [
                _family("irodori_model_info", "gauge", "The model in use.", [(info, 1)]),
                *(
                    _family(name, kind, text, [((), getattr(stats, key))])
                    for key, (name, kind, text) in ENGINE.items()
                ),
                _family(
                    "irodori_paint_seconds",
                    "gauge",
                    "Seconds from the request to its pictures, over the last requests.",
                    latencies,
                ),
                _family(
                    "irodori_http_requests_total",
                    "counter",
                    "Requests that were answered.",
                    self._requests.items(),
                ),
                _family(
                    "irodori_http_seconds_total",
                    "counter",
                    "Seconds spent on answering requests.",
                    self._seconds.items(),
                ),
            ]
        )


def _family(name: str, kind: str, text: str, samples: Iterable[tuple[Labels, float]]) -> str:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escape(label)}"' for key, label in labels)
        lines.append(f"{name}{{{inner}}} {value:.10g}" if inner else f"{name} {value:.10g}")
    return "\n".join(lines) + "\n"


def _escape(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
