"""What only the backend on a Ray cluster does. Both backends pass the tests of the engine."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from paused_engine import TIMEOUT, PausedEngine
from tiny_model import add_model

from bot.__main__ import main, read_settings
from bot.errors import ModelUnavailable
from bot.inference.batch import Batch, PaintedBatch
from bot.inference.engine import Engine
from bot.inference.model import Model
from config import SettingsError
from export.registry import Registry

from .conftest import Floats, Images, difference, open_engine, request

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def ray_engine(ray_engines: None, registry: Registry) -> AsyncIterator[Engine]:
    """An engine that has four batches of at most four pictures painted at once."""
    add_model(registry, "bright", brightness=0.5)
    async with open_engine(registry, max_batch=4, ray_batches=4) as engine:
        yield engine


def count_arrivals(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Counts the batches that arrive at the replica."""
    from bot.inference.ray_replica import Painter

    arrived, paint = threading.Semaphore(0), Painter.paint

    async def count(replica: Painter, model: str, batch: Batch) -> PaintedBatch:
        arrived.release()
        return await paint(replica, model, batch)

    monkeypatch.setattr(Painter, "paint", count)
    return arrived


async def test_a_replica_paints_waiting_batches_together(
    ray_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four batches of one engine, as a replica gets them from several processes of the bot."""
    bright = await ray_engine.get("bright")
    arrived = count_arrivals(monkeypatch)
    paused = PausedEngine(ray_engine, monkeypatch)
    tasks = []
    for model in (None, None, bright, None):
        tasks.append(asyncio.create_task(ray_engine.paint(*request(1), model)))
        assert await asyncio.to_thread(arrived.acquire, timeout=TIMEOUT)
    paused.resume()
    _, second, of_other_model, third = await asyncio.gather(*tasks)
    assert paused.batches == [1, 2]
    assert difference(second, third) == 0
    assert of_other_model.mean() > second.mean() + 20
    assert ray_engine.stats.batches == 4


async def test_a_failing_model_does_not_fail_batches_of_others(
    ray_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bright = await ray_engine.get("bright")
    paused, paint = PausedEngine(ray_engine, monkeypatch), Model.paint

    def fail(model: Model, latents: Floats, conditions: Floats) -> tuple[Images, Images]:
        if model.name == "bright":
            raise RuntimeError("out of memory")
        return paint(model, latents, conditions)

    monkeypatch.setattr(Model, "paint", fail)
    arrived, tasks = count_arrivals(monkeypatch), []
    for model in (None, bright, None):
        tasks.append(asyncio.create_task(ray_engine.paint(*request(1), model)))
        assert await asyncio.to_thread(arrived.acquire, timeout=TIMEOUT)
    paused.resume()
    _, failed, painted = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(failed, ModelUnavailable)
    assert isinstance(painted, np.ndarray)


async def test_pictures_of_parallel_batches_keep_their_order(ray_engine: Engine) -> None:
    latents, conditions = request(0, 30)
    images = await ray_engine.paint(latents, conditions)
    assert ray_engine.stats.batches == 8
    for i in (0, 13, 29):
        (alone,) = await ray_engine.paint(latents[i : i + 1], conditions[i : i + 1])
        assert difference(images[i], alone) <= 1


def run_without_ray(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs Python code where Ray is not installed."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.modules['ray'] = None\n{program}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_extra_the_bot_does_not_start(registry: Registry, tmp_path: Path) -> None:
    program = """
import bot.__main__
sys.exit(bot.__main__.main(["--engine.backend", "ray"]))
"""
    done = run_without_ray(program, tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "engine.backend is ray, but the package ray is missing" in line
    assert "install the extra 'cluster'" in line


def test_without_the_extra_nothing_is_deployed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "bot.inference.ray_backend", raising=False)
    assert main(["deploy"]) == 2
    assert "install the extra 'cluster'" in capsys.readouterr().err


def test_more_replicas_at_least_than_at_most_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"ray_max_replicas must be at least"):
        read_settings(["--engine.ray_min_replicas", "5"])


def test_without_the_backend_ray_is_not_imported(registry: Registry, tmp_path: Path) -> None:
    program = """
import asyncio
from pathlib import Path
import bot.__main__
from bot.inference.batch import Batch, PaintedBatch
from bot.inference.engine import Engine
from bot.settings import EngineSettings
from export.registry import Registry

async def use():
    engine = await Engine.open(Registry(Path("models")), EngineSettings(provider="cpu"))
    await engine.check()
    await engine.close()

asyncio.run(use())
print(sorted(name for name in sys.modules if name.startswith("ray.")))
"""
    done = run_without_ray(program, tmp_path)
    assert done.stdout == "[]\n", done.stderr
