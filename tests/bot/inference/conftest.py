"""Helpers for tests of the engine."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt
import pytest
from paused_engine import PausedEngine
from tiny_model import EYES, HAIR, LATENT_DIM

from bot.inference.engine import Engine
from bot.settings import EngineSettings
from export.registry import Registry

Floats = npt.NDArray[np.float32]
Images = npt.NDArray[np.uint8]


def request(seed: int, n: int = 1) -> tuple[Floats, Floats]:
    """Random latents, and random mixtures as conditions, so that all pictures differ."""
    random = np.random.RandomState(seed)
    values = len(HAIR.values) + len(EYES.values)
    latents = random.standard_normal((n, LATENT_DIM)).astype(np.float32)
    return latents, random.dirichlet(np.ones(values), n).astype(np.float32)


def difference(a: Images, b: Images) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.fixture
def pause(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[], PausedEngine]:
    return lambda: PausedEngine(engine, monkeypatch)


@asynccontextmanager
async def open_engine(registry: Registry, **settings: object) -> AsyncIterator[Engine]:
    common = EngineSettings(provider="cpu", threads=1)
    engine = await Engine.open(registry, common.model_copy(update=settings))
    try:
        yield engine
    finally:
        await engine.close()
