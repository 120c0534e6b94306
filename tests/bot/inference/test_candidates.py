"""Sizes of pictures, and the best of several candidates."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from tiny_model import (
    EYES,
    HAIR,
    IMAGE_SIZE,
    LATENT_DIM,
    add_model,
    build_generator,
    build_scorer,
    fractions_upscaler,
    with_uint8_input,
)

from bot.inference.engine import Engine
from bot.inference.model import Model
from export.manifest import GENERATOR, SCORER, UPSCALER
from export.registry import Registry

from .conftest import Floats, Images, difference, open_engine, request

pytestmark = pytest.mark.usefixtures("each_backend")


@pytest.fixture
async def full_engine(registry: Registry) -> AsyncIterator[Engine]:
    """An engine with an upscaler, and a scorer for four candidates."""
    add_model(registry, "full", upscaler=True, candidates=4)
    registry.use("full")
    async with open_engine(registry, threads=2) as engine:
        yield engine


def candidates_of(seed: int, n: int, of: int = 4) -> tuple[Floats, Floats]:
    """Candidates [n, of, Z] and one-hot conditions [n, C]."""
    latents, _ = request(seed, n * of)
    conditions = np.eye(len(HAIR.values) + len(EYES.values), dtype=np.float32)[-n:]
    return latents.reshape(n, of, LATENT_DIM), conditions


async def test_a_picture_has_the_requested_size(full_engine: Engine) -> None:
    one = request(0, 3)
    small = await full_engine.paint(*one, size=IMAGE_SIZE)
    assert small.shape == (3, 64, 64, 3)
    for scale in (2, 4):
        large = await full_engine.paint(*one, size=scale * IMAGE_SIZE)
        np.testing.assert_array_equal(large, small.repeat(scale, 1).repeat(scale, 2))
    np.testing.assert_array_equal(await full_engine.paint(*one), large)
    assert full_engine.stats.upscaled == 9
    assert full_engine.stats.upscale_seconds > 0


@pytest.mark.parametrize("unrounded", [True, False])
@pytest.mark.parametrize("takes_floats", [True, False])
async def test_pictures_are_upscaled_before_they_are_rounded_except_by_earlier_models(
    registry: Registry, unrounded: bool, takes_floats: bool
) -> None:
    manifest = registry.load("tiny")[1]

    def build(folder: Path) -> None:
        generator, upscaler = build_generator(manifest.attributes), fractions_upscaler()
        if not unrounded:
            del generator.graph.output[1]
        onnx.save(generator, folder / GENERATOR)
        onnx.save(upscaler if takes_floats else with_uint8_input(upscaler), folder / UPSCALER)
        onnx.save(build_scorer(manifest.condition_dim), folder / SCORER)

    registry.add(manifest.model_copy(update={"name": "fractions", "candidates": 4}), build)
    registry.use("fractions")
    async with open_engine(registry, threads=2) as engine:
        images, _ = await engine.paint_best(*candidates_of(0, 3))
    assert (images.std() > 30) == (unrounded and takes_floats)
    assert ((images == 128).all()) != (unrounded and takes_floats)


async def test_an_unsupported_size_raises_an_error(engine: Engine, full_engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"\(64, 128, 256\) pixels, not at 512"):
        await full_engine.paint(*request(0), size=512)
    with pytest.raises(ValueError, match="not at 128"):
        await engine.paint(*request(0), size=128)


async def test_one_batch_holds_pictures_of_several_sizes(full_engine: Engine) -> None:
    sizes = (64, 256, 128, 64, 256)
    images = await asyncio.gather(
        *(full_engine.paint(*request(i), size=size, user=str(i)) for i, size in enumerate(sizes))
    )
    assert [image.shape[1] for image in images] == list(sizes)
    for i, image in enumerate(images):
        small = await full_engine.paint(*request(i), size=64)
        np.testing.assert_array_equal(
            image[:, :: image.shape[1] // 64, :: image.shape[1] // 64], small
        )
    assert full_engine.stats.batches < 10


async def test_few_pictures_are_upscaled_at_once(
    full_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    upscale, batches = Model.upscale, list[int]()

    def counting(model: Model, images: Images, size: int) -> Images:
        batches.append(len(images))
        return upscale(model, images, size)

    monkeypatch.setattr(Model, "upscale", counting)
    await full_engine.paint(*request(0, 9))
    assert batches == [4, 4, 1], "two per core"


async def test_the_candidate_with_the_highest_score_is_kept(full_engine: Engine) -> None:
    latents, conditions = candidates_of(0, 3)
    images, chosen = await full_engine.paint_best(latents, conditions, size=64)
    for i in range(3):
        candidates = await full_engine.paint(
            latents[i], conditions[i : i + 1].repeat(4, 0), size=64
        )
        best = candidates.mean((1, 2, 3)).argmax()
        np.testing.assert_array_equal(images[i], candidates[best])
        np.testing.assert_array_equal(chosen[i], latents[i, best])
    assert full_engine.stats.candidates == 3 * 4 + 3 * 4
    assert full_engine.stats.pictures == 3 + 3 * 4


async def test_the_scorer_scores_with_the_conditions(full_engine: Engine) -> None:
    latents = request(0, 4)[0][None].repeat(2, 0)
    aqua, red = (
        full_engine.model.manifest.encode({"hair": h, "eyes": "red"}) for h in ("aqua", "red")
    )
    (dark, bright), _ = await full_engine.paint_best(latents, np.stack([aqua, red]), size=64)
    for condition, image, best in ((aqua, dark, np.min), (red, bright, np.max)):
        candidates = await full_engine.paint(latents[0], condition[None].repeat(4, 0), size=64)
        assert image.mean() == best(candidates.mean((1, 2, 3)))


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.1, 0.9, 0.3, 0.2], 1),
        ([0.12339, 0.12341, 0.1, 0.1], 0),
        ([-5.0, -4.0, -3.99991, -4.0], 1),
        ([2.0, 2.0, 2.0, 2.0], 0),
    ],
)
async def test_the_first_of_equal_candidates_is_kept(
    full_engine: Engine, monkeypatch: pytest.MonkeyPatch, scores: list[float], best: int
) -> None:
    monkeypatch.setattr(Model, "score", lambda *_: np.array(scores, np.float32))
    latents, conditions = candidates_of(0, 1)
    _, chosen = await full_engine.paint_best(latents, conditions)
    np.testing.assert_array_equal(chosen[0], latents[0, best])


async def test_without_a_scorer_the_first_candidate_is_painted(engine: Engine) -> None:
    latents, conditions = candidates_of(0, 2)
    images, chosen = await engine.paint_best(latents, conditions)
    np.testing.assert_array_equal(chosen, latents[:, 0])
    np.testing.assert_array_equal(images, await engine.paint(latents[:, 0], conditions))
    assert engine.stats.candidates == engine.stats.pictures == 4


async def test_the_choice_does_not_depend_on_the_batch(full_engine: Engine) -> None:
    requests = [
        (*candidates_of(seed, 1 + seed % 3, of=1 + seed % 4), (64, 256)[seed % 2])
        for seed in range(24)
    ]
    single = [await full_engine.paint_best(z, c, size=size) for z, c, size in requests]
    batches = full_engine.stats.batches
    concurrent = await asyncio.gather(
        *(
            full_engine.paint_best(z, c, size=s, user=str(i % 5))
            for i, (z, c, s) in enumerate(requests)
        )
    )
    assert full_engine.stats.batches - batches < len(requests)
    for (image, chosen), (same_image, same_choice) in zip(single, concurrent, strict=True):
        np.testing.assert_array_equal(chosen, same_choice)
        assert difference(image, same_image) <= 1


async def test_an_unsupported_number_of_candidates_raises_an_error(full_engine: Engine) -> None:
    _, conditions = candidates_of(0, 2)
    for shape in [(2, 4, 7), (2, 0, 8), (3, 4, 8), (2, 8)]:
        with pytest.raises(ValueError, match=r"candidates \(n, N, 8\)"):
            await full_engine.paint_best(np.zeros(shape, np.float32), conditions)
