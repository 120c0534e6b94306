"""What takes its time to be painted: for tests of what happens meanwhile."""

import asyncio
import threading

import numpy as np
import pytest

from bot.inference.engine import Engine

TIMEOUT = 60  # seconds; on a machine that does other things, too


class Gate:
    """Holds the batches of the engine's model until they are let through, and keeps their sizes."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[int] = []
        self._open = threading.Event()
        self._begun = threading.Semaphore(0)
        paint = engine.model.paint

        def held(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
            self.batches.append(len(latents))
            self._begun.release()
            assert self._open.wait(TIMEOUT), "the test never opened the gate"
            return paint(latents, conditions)

        monkeypatch.setattr(engine.model, "paint", held)

    async def begun(self) -> None:
        """Waits until one more batch is being painted."""
        assert await asyncio.to_thread(self._begun.acquire, timeout=TIMEOUT)

    def open(self) -> None:
        self._open.set()


async def queued(engine: Engine, pictures: int, *, at_least: bool = False) -> None:
    """Waits until so many pictures are in the queue."""

    def there() -> bool:
        waiting = engine.stats.waiting
        return waiting >= pictures if at_least else waiting == pictures

    async with asyncio.timeout(TIMEOUT):
        while not there():  # noqa: ASYNC110 (the engine tells nobody)
            await asyncio.sleep(0)
