"""Helpers for tests of the engine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt
import pytest
from paused_engine import PausedEngine
from tiny_model import EYES, HAIR, LATENT_DIM

from bot.inference.backend import Backend
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


@pytest.fixture(params=["process", "ray"])
def each_backend(request: pytest.FixtureRequest) -> None:
    """Opens every engine with this backend."""
    if request.param == "ray":
        request.getfixturevalue("ray_engines")


@pytest.fixture
def ray_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opens every engine with a replica of Ray Serve that runs in this process."""
    pytest.importorskip("ray.serve")
    monkeypatch.setattr("bot.inference.engine.open_backend", open_replica)


async def open_replica(registry: Registry, settings: EngineSettings) -> Backend:
    from ray import serve

    from bot.inference.ray_backend import RayBackend
    from bot.inference.ray_replica import application

    replica = await asyncio.to_thread(
        serve.run, application(registry.root, settings), _local_testing_mode=True
    )
    # one batch at a time, as in the other backend, unless the test gives another number
    given = settings.ray_batches if "ray_batches" in settings.model_fields_set else 1
    return await RayBackend.open(
        registry, settings.model_copy(update={"ray_batches": given}), replica
    )


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
