"""Loading and switching models while the engine serves."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from paused_engine import TIMEOUT, PausedEngine, wait_for_queue
from tiny_model import LATENT_DIM, add_model, build_generator

from bot.errors import ModelUnavailable
from bot.inference.engine import Engine
from bot.inference.loading import OLDER_MODELS
from bot.settings import EngineSettings
from export.manifest import GENERATOR, Manifest
from export.registry import Registry

from .conftest import difference, open_engine, request

pytestmark = pytest.mark.usefixtures("each_backend")


async def test_a_new_model_is_used_while_the_old_one_finishes(
    engine: Engine, registry: Registry, pause: Callable[[], PausedEngine]
) -> None:
    assert not await engine.refresh()
    add_model(registry, "bright", brightness=0.5)
    registry.use("bright")
    old, paused = engine.model, pause()
    painting = asyncio.create_task(engine.paint(*request(0)))
    await paused.batch_started()
    waiting = asyncio.create_task(engine.paint(*request(1)))
    await wait_for_queue(engine, 1)

    assert await engine.refresh()
    assert engine.model.name == "bright"
    new = asyncio.create_task(engine.paint(*request(1)))
    paused.resume()
    await painting
    assert (await new).mean() > (await waiting).mean() + 20
    assert paused.batches == [1, 1]
    assert not await engine.refresh()
    assert await engine.get("tiny") is old


@pytest.mark.parametrize("damage", ["missing", "sums", "graph", "size", "pointer"])
async def test_an_invalid_model_is_rejected_and_the_current_one_stays(
    engine: Engine, registry: Registry, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    if damage == "graph":
        manifest = engine.model.manifest.model_copy(update={"name": "new"})
        registry.add(manifest, lambda folder: write(folder / GENERATOR, b"no graph"))
    elif damage == "size":
        manifest = engine.model.manifest.model_copy(update={"name": "new", "image_size": 96})
        good = (registry.folder("tiny") / GENERATOR).read_bytes()
        registry.add(manifest, lambda folder: write(folder / GENERATOR, good))
    elif damage == "sums":
        add_model(registry, "new")
        file = registry.folder("new") / GENERATOR
        file.write_bytes(file.read_bytes()[::-1])
    pointer = b"\xff\xfe" if damage == "pointer" else b"new\n"
    write(registry.root / "current", pointer)
    with caplog.at_level(logging.ERROR):
        assert not await engine.refresh()
        assert not await engine.refresh()
    assert [r.levelname for r in caplog.records] == ["ERROR"], "logged once, not at every refresh"
    assert "tiny stays" in caplog.text
    assert engine.model.name == "tiny"
    assert len(await engine.paint(*request(0))) == 1

    add_model(registry, "fixed")
    write(registry.root / "current", b"fixed\n")
    assert await engine.refresh()


def build_endless_generator(manifest: Manifest) -> onnx.ModelProto:
    """A generator with a loop that never ends."""
    shape: list[str | int | None] = ["n", manifest.image_size, manifest.image_size, 3]
    model = build_generator(manifest.attributes)
    model.graph.node[-1].output[0] = "start"
    declare = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["more"], ["still_more"]),
            helper.make_node("Identity", ["before"], ["after"]),
        ],
        "body",
        [
            declare("count", TensorProto.INT64, []),
            declare("more", TensorProto.BOOL, []),
            declare("before", TensorProto.UINT8, shape),
        ],
        [declare("still_more", TensorProto.BOOL, []), declare("after", TensorProto.UINT8, shape)],
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "true"))
    model.graph.node.append(helper.make_node("Loop", ["", "true", "start"], ["image"], body=body))
    onnx.checker.check_model(model)
    return model


async def test_a_model_that_never_paints_is_rejected_and_the_current_one_stays(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_engine(registry, load_seconds=2) as engine:
        manifest = engine.model.manifest.model_copy(update={"name": "endless"})
        endless = build_endless_generator(manifest)
        registry.add(manifest, lambda folder: onnx.save(endless, folder / GENERATOR))
        registry.use("endless")
        async with asyncio.timeout(TIMEOUT):
            assert not await engine.refresh()
            assert len(await engine.paint(*request(0))) == 1
        assert "did not load and paint a first batch within 2 s" in caplog.text
        assert "tiny stays" in caplog.text
        # its thread ends, instead of computing for ever
        loading = [thread for thread in threading.enumerate() if thread.name == "load-model"]
        for thread in loading:
            await asyncio.to_thread(thread.join, TIMEOUT)
            assert not thread.is_alive()


@pytest.mark.parametrize("name", [GENERATOR, "current"])
async def test_a_fifo_is_rejected_and_the_current_model_stays(
    engine: Engine, registry: Registry, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    add_model(registry, "new")
    registry.use("new")
    file = registry.root / name if name == "current" else registry.folder("new") / name
    file.unlink()
    os.mkfifo(file)
    async with asyncio.timeout(TIMEOUT):
        assert not await engine.refresh()
    assert "not a regular file" in caplog.text
    assert engine.model.name == "tiny"


def write(file: Path, data: bytes) -> None:
    file.write_bytes(data)


async def test_older_models_are_loaded_once_and_only_a_few_are_kept(
    engine: Engine, registry: Registry
) -> None:
    names = [f"older{i}" for i in range(OLDER_MODELS + 1)]
    for name in names:
        add_model(registry, name)
    loaded = [await engine.get(name) for name in names]
    assert await engine.get("tiny") is engine.model
    assert await engine.get(names[-1]) is loaded[-1]
    assert await engine.get(names[0]) is not loaded[0]
    same = await asyncio.gather(*(engine.get(names[1]) for _ in range(5)))
    assert all(model is same[0] for model in same)
    images = await engine.paint(*request(3), model=same[0])
    assert difference(images, await engine.paint(*request(3))) == 0
    with pytest.raises(ModelUnavailable, match="unknown"):
        await engine.get("unknown")


async def test_without_a_model_in_use_there_is_no_engine(registry: Registry) -> None:
    (registry.root / "current").unlink()
    with pytest.raises(ModelUnavailable, match=r"no model is in use.*tiny"):
        await Engine.open(registry, EngineSettings(provider="cpu"))


async def test_a_model_without_attributes_paints(registry: Registry) -> None:
    add_model(registry, "surprise", ())
    registry.use("surprise")
    async with open_engine(registry) as engine:
        latents = np.ones((2, LATENT_DIM), np.float32)
        assert len(await engine.paint(latents, np.zeros((2, 0), np.float32))) == 2
