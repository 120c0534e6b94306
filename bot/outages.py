"""Logs a repeated failure once."""

import logging
import time

QUIET_SECONDS = 60


class Outage:
    """Logs a failure when it begins. Repetitions are not logged until it has not happened for
    QUIET_SECONDS.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: float | None = None

    def report(self, message: str, *values: object) -> None:
        """Logs one line as an error, if the failure is new."""
        now = time.monotonic()
        if self._last is None or now - self._last > QUIET_SECONDS:
            self._log.error(message, *values)
        self._last = now
