"""Pauses the engine, for tests of concurrent requests."""

import asyncio
import threading
from typing import Any

import numpy.typing as npt
import pytest

from bot.inference.engine import Engine
from bot.inference.model import Model

TIMEOUT = 60  # seconds; on a machine that does other things, too

Array = npt.NDArray[Any]


class PausedEngine:
    """Pauses every batch of the engine until `resume` is called; `batches` has their sizes."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[int] = []
        self._resumed = threading.Event()
        self._started = threading.Semaphore(0)
        paused, paint = engine.model, Model.paint
        # a replica of Ray has the model, where the engine has only a description
        is_remote = not isinstance(paused, Model)

        def paint_after_resume(
            model: Model, latents: Array, conditions: Array
        ) -> tuple[Array, Array]:
            if model is paused or (is_remote and model.name == paused.name):
                self.batches.append(len(latents))
                self._started.release()
                assert self._resumed.wait(TIMEOUT), "the test never resumed the engine"
            return paint(model, latents, conditions)

        monkeypatch.setattr(Model, "paint", paint_after_resume)

    async def batch_started(self) -> None:
        """Waits until the next batch starts."""
        assert await asyncio.to_thread(self._started.acquire, timeout=TIMEOUT)

    def resume(self) -> None:
        self._resumed.set()


async def wait_for_queue(engine: Engine, pictures: int, *, at_least: bool = False) -> None:
    """Waits until the queue has that number of pictures."""

    def reached() -> bool:
        waiting = engine.stats.waiting
        return waiting >= pictures if at_least else waiting == pictures

    async with asyncio.timeout(TIMEOUT):
        while not reached():  # noqa: ASYNC110 (the engine has no event for it)
            await asyncio.sleep(0)
