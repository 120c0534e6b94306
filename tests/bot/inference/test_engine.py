import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from gate import Gate, queued
from tiny_model import EYES, HAIR, IMAGE_SIZE, LATENT_DIM, add_model

from bot.errors import Busy, ModelUnavailable
from bot.inference.engine import Engine
from bot.inference.loading import OLDER_MODELS
from bot.inference.model import SLICE
from bot.settings import EngineSettings
from export.manifest import GENERATOR
from export.registry import Registry


def request(seed: int, n: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Random latents and conditions; mixtures, so that every picture is another."""
    random = np.random.RandomState(seed)
    values = len(HAIR.values) + len(EYES.values)
    latents = random.standard_normal((n, LATENT_DIM)).astype(np.float32)
    return latents, random.dirichlet(np.ones(values), n).astype(np.float32)


def difference(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.fixture
def gate(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Gate]:
    return lambda: Gate(engine, monkeypatch)


@asynccontextmanager
async def opened(registry: Registry, **settings: object) -> AsyncIterator[Engine]:
    common = EngineSettings(provider="cpu", threads=1)
    engine = await Engine.open(registry, common.model_copy(update=settings))
    try:
        yield engine
    finally:
        await engine.close()


async def test_a_picture_shows_its_conditions(engine: Engine) -> None:
    conditions = engine.model.manifest.encode({"hair": "red", "eyes": "green"})[None]
    images = await engine.paint(np.zeros((1, LATENT_DIM), np.float32), conditions)
    assert images.shape == (1, IMAGE_SIZE, IMAGE_SIZE, 3)
    assert images.dtype == np.uint8
    assert images[0, 5, 5].tolist() == [210, 40, 40]
    assert images[0, -5, 5].tolist() == [60, 170, 70]


@pytest.mark.parametrize("threads", [1, 3])
async def test_a_picture_does_not_depend_on_its_batch(registry: Registry, threads: int) -> None:
    async with opened(registry, threads=threads) as engine:
        requests = [request(seed, n=1 + seed % 3) for seed in range(3 * SLICE)]
        alone = [await engine.paint(*one) for one in requests]
        together = await asyncio.gather(*(engine.paint(*one) for one in requests))
        assert engine.stats.batches < 2 * len(requests)
    for one, same in zip(alone, together, strict=True):
        assert difference(one, same) <= 1
    assert difference(alone[0], alone[3]) > 1


async def test_concurrent_requests_share_a_batch(engine: Engine, gate: Callable[[], Gate]) -> None:
    held = gate()
    held.open()
    await asyncio.gather(*(engine.paint(*request(seed)) for seed in range(10)))
    assert held.batches == [10]


async def test_requests_during_a_batch_share_the_next_one(
    engine: Engine, gate: Callable[[], Gate]
) -> None:
    held = gate()
    first = asyncio.create_task(engine.paint(*request(0)))
    await held.begun()
    # 16 is the largest batch: 9 + 5 fit, the next 9 do not, the 2 after them do
    later = [asyncio.create_task(engine.paint(*request(n, n))) for n in (9, 5, 9, 2)]
    await queued(engine, 25)
    held.open()
    for n, images in zip((9, 5, 9, 2), await asyncio.gather(*later), strict=True):
        assert len(images) == n
    await first
    assert held.batches == [1, 16, 9]
    stats = engine.stats
    assert (stats.batches, stats.pictures, stats.waiting) == (3, 26, 0)
    assert 0 < stats.latency_p50 <= stats.latency_p99


async def test_a_request_larger_than_a_batch_is_painted_in_several(
    engine: Engine, gate: Callable[[], Gate]
) -> None:
    held = gate()
    held.open()
    latents, conditions = request(1, 40)
    images = await engine.paint(latents, conditions)
    assert held.batches == [16, 16, 8]
    assert difference(images[39], (await engine.paint(latents[39:], conditions[39:]))[0]) <= 1


async def test_a_large_request_does_not_delay_others(
    engine: Engine, gate: Callable[[], Gate]
) -> None:
    held = gate()
    done: list[str] = []

    async def ask(user: str, n: int) -> None:
        assert len(await engine.paint(*request(n, n), user=user)) == n
        done.append(user)

    async with asyncio.TaskGroup() as everybody:
        everybody.create_task(ask("many", 50))
        await held.begun()
        for i in range(20):
            everybody.create_task(ask(f"one {i}", 1))
        await queued(engine, 50 - 16 + 20)
        held.open()
    assert done == [*(f"one {i}" for i in range(20)), "many"]
    assert held.batches == [16, 16, 16, 16, 6], "every picture once"


async def test_position_counts_pictures_of_others(engine: Engine, gate: Callable[[], Gate]) -> None:
    held = gate()
    assert engine.queue_position("nobody") == 0
    tasks = [asyncio.create_task(engine.paint(*request(0, 20), user="a"))]
    await held.begun()
    tasks += [asyncio.create_task(engine.paint(*request(1, 2), user=user)) for user in "bcb"]
    await queued(engine, 10)
    # 16 of a's are being painted, then come one of a, b, c, and again
    assert [engine.queue_position(user) for user in "abcd"] == [0, 17, 18, 0]
    held.open()
    await asyncio.gather(*tasks)
    assert [engine.queue_position(user) for user in "abc"] == [0, 0, 0]


async def test_two_hundred_concurrent_requests_are_each_painted_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(registry) as engine:
        held = Gate(engine, monkeypatch)
        held.open()
        images = await asyncio.gather(
            *(engine.paint(*request(seed, 9), user=str(seed)) for seed in range(200))
        )
    assert sum(held.batches) == 1800
    assert max(held.batches) == EngineSettings().max_batch
    assert len(np.unique(np.concatenate(images).reshape(1800, -1), axis=0)) == 1800


async def test_a_single_request_does_not_wait_for_others(registry: Registry) -> None:
    wait = 60  # seconds, more than the settings allow: no slow machine is taken for it
    async with opened(registry, max_wait_ms=1000 * wait) as engine:
        await engine.paint(*request(0))
        await engine.paint(*request(1))
        assert engine.stats.latency_p99 < wait


async def test_clients_served_last_can_join_the_next_batch(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(registry, max_wait_ms=1000) as engine:
        held = Gate(engine, monkeypatch)

        async def ask_twice(seed: int) -> None:
            await engine.paint(*request(seed))
            await engine.paint(*request(seed))

        both = asyncio.gather(ask_twice(0), ask_twice(1))
        await held.begun()
        third = asyncio.create_task(engine.paint(*request(2)))
        await queued(engine, 1)
        held.open()
        await asyncio.gather(both, third)
        assert held.batches == [2, 3]


async def test_waiting_for_a_fuller_batch_has_a_limit(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(registry, max_wait_ms=20) as engine:
        held = Gate(engine, monkeypatch)
        both = asyncio.gather(*(engine.paint(*request(seed)) for seed in range(2)))
        await held.begun()
        third = asyncio.create_task(engine.paint(*request(2)))
        await queued(engine, 1)
        held.open()
        await asyncio.gather(both, third)
        assert held.batches == [2, 1]


async def test_a_full_queue_answers_busy(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(registry, queue=4, max_batch=4) as engine:
        held = Gate(engine, monkeypatch)
        first = asyncio.create_task(engine.paint(*request(0)))
        await held.begun()
        waiting = asyncio.create_task(engine.paint(*request(1, 3)))
        await queued(engine, 3)
        with pytest.raises(Busy, match="try again") as busy:
            await engine.paint(*request(2, 2))
        assert busy.value.retry_after >= 1
        last = asyncio.create_task(engine.paint(*request(3, 1)))
        await queued(engine, 4)
        held.open()
        await asyncio.gather(first, waiting, last)
        assert engine.stats.refused == 1
        # nobody waits: even more pictures than the queue holds are taken
        assert len(await engine.paint(*request(4, 9))) == 9


async def test_a_canceled_request_is_not_painted(engine: Engine, gate: Callable[[], Gate]) -> None:
    held = gate()
    first = asyncio.create_task(engine.paint(*request(0)))
    await held.begun()
    gone = asyncio.create_task(engine.paint(*request(1, 5)))
    stays = asyncio.create_task(engine.paint(*request(2, 2)))
    await queued(engine, 7)
    gone.cancel()
    await queued(engine, 2)
    first.cancel()  # is being painted already: that is finished, and thrown away
    held.open()
    assert len(await stays) == 2
    assert held.batches == [1, 2]
    assert engine.stats.dropped == 1
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_partly_painted_request_stops_when_canceled(
    engine: Engine, gate: Callable[[], Gate]
) -> None:
    held = gate()
    gone = asyncio.create_task(engine.paint(*request(0, 50)))
    await held.begun()
    gone.cancel()
    await queued(engine, 0)
    held.open()
    await engine.paint(*request(1))
    assert held.batches == [16, 1]
    assert engine.stats.dropped == 1


async def test_an_immediately_canceled_request_is_not_painted(engine: Engine) -> None:
    gone = asyncio.create_task(engine.paint(*request(0)))
    await queued(engine, 1)
    gone.cancel()
    await asyncio.wait([gone])
    assert len(await engine.paint(*request(1))) == 1
    assert (engine.stats.dropped, engine.stats.pictures) == (1, 1)


async def test_painting_does_not_block_the_event_loop(
    engine: Engine, gate: Callable[[], Gate]
) -> None:
    held = gate()
    painting = asyncio.create_task(engine.paint(*request(0)))
    await held.begun()
    await asyncio.sleep(0)
    assert not painting.done()
    held.open()
    await painting


@pytest.mark.parametrize(
    ("latents", "conditions"),
    [((1, 7), (1, 22)), ((1, 8), (1, 21)), ((2, 8), (1, 22)), ((0, 8), (0, 22)), ((8,), (22,))],
)
async def test_arrays_of_the_wrong_shape_raise_an_error(
    engine: Engine, latents: tuple[int, ...], conditions: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"latents \(n, 8\) and conditions \(n, 22\)|tiny"):
        await engine.paint(np.zeros(latents, np.float32), np.zeros(conditions, np.float32))


async def test_a_failed_batch_fails_its_requests_only(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine.model, "paint", fail)
        answers = await asyncio.gather(
            *(engine.paint(*request(seed)) for seed in range(3)), return_exceptions=True
        )
    assert [type(answer) for answer in answers] == [ModelUnavailable] * 3
    assert "out of memory" in caplog.text
    assert engine.stats.failed == 3
    assert len(await engine.paint(*request(0))) == 1


async def test_a_partly_painted_request_stops_at_its_first_error(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = []

    def fail(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        batches.append(len(latents))
        raise RuntimeError("out of memory")

    monkeypatch.setattr(engine.model, "paint", fail)
    with pytest.raises(ModelUnavailable, match="try again"):
        await engine.paint(*request(0, 50))
    assert batches == [16]
    assert engine.stats.waiting == 0


async def test_closing_during_a_request_rejects_the_whole_request(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(registry, max_batch=4) as engine:
        held = Gate(engine, monkeypatch)
        painting = asyncio.create_task(engine.paint(*request(0, 50)))
        await held.begun()
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        held.open()
        await closing
        with pytest.raises(ModelUnavailable, match="shutting down"):
            await painting
        assert held.batches == [4]


async def test_closing_finishes_the_batch_and_rejects_the_rest(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(registry) as engine:
        held = Gate(engine, monkeypatch)
        painted = asyncio.create_task(engine.paint(*request(0)))
        await held.begun()
        waiting = asyncio.create_task(engine.paint(*request(1)))
        await queued(engine, 1)
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        with pytest.raises(ModelUnavailable, match="shutting down"):
            await engine.paint(*request(2))
        held.open()
        await closing
        assert len(await painted) == 1
        with pytest.raises(ModelUnavailable, match="shutting down"):
            await waiting


# Sizes, and the best of several candidates


@pytest.fixture
async def rich(registry: Registry) -> AsyncIterator[Engine]:
    """An engine whose model has an upscaler, and a critic for four candidates."""
    add_model(registry, "rich", upscaler=True, candidates=4)
    registry.use("rich")
    async with opened(registry, threads=2) as engine:
        yield engine


def contest(seed: int, n: int, of: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Candidates [n, of, Z] and one-hot conditions [n, C]."""
    latents, _ = request(seed, n * of)
    conditions = np.eye(len(HAIR.values) + len(EYES.values), dtype=np.float32)[-n:]
    return latents.reshape(n, of, LATENT_DIM), conditions


async def test_a_picture_has_the_requested_size(rich: Engine) -> None:
    one = request(0, 3)
    small = await rich.paint(*one, size=IMAGE_SIZE)
    assert small.shape == (3, 64, 64, 3)
    for scale in (2, 4):
        large = await rich.paint(*one, size=scale * IMAGE_SIZE)
        np.testing.assert_array_equal(large, small.repeat(scale, 1).repeat(scale, 2))
    np.testing.assert_array_equal(await rich.paint(*one), large)
    assert rich.stats.upscaled == 9
    assert rich.stats.upscale_seconds > 0


async def test_an_unsupported_size_raises_an_error(engine: Engine, rich: Engine) -> None:
    with pytest.raises(ValueError, match=r"\(64, 128, 256\) pixels, not at 512"):
        await rich.paint(*request(0), size=512)
    with pytest.raises(ValueError, match="not at 128"):
        await engine.paint(*request(0), size=128)


async def test_one_batch_holds_pictures_of_several_sizes(rich: Engine) -> None:
    sizes = (64, 256, 128, 64, 256)
    images = await asyncio.gather(
        *(rich.paint(*request(i), size=size, user=str(i)) for i, size in enumerate(sizes))
    )
    assert [image.shape[1] for image in images] == list(sizes)
    for i, image in enumerate(images):
        small = await rich.paint(*request(i), size=64)
        np.testing.assert_array_equal(
            image[:, :: image.shape[1] // 64, :: image.shape[1] // 64], small
        )
    assert rich.stats.batches < 10


async def test_few_pictures_are_upscaled_at_once(
    rich: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    upscale, batches = rich.model.upscale, []

    def counting(images: np.ndarray, size: int) -> np.ndarray:
        batches.append(len(images))
        return upscale(images, size)

    monkeypatch.setattr(rich.model, "upscale", counting)
    await rich.paint(*request(0, 9))
    assert batches == [4, 4, 1], "two for each of two cores"


async def test_the_candidate_with_the_highest_score_is_kept(rich: Engine) -> None:
    latents, conditions = contest(0, 3)
    images, chosen = await rich.paint_best(latents, conditions, size=64)
    for i in range(3):
        candidates = await rich.paint(latents[i], conditions[i : i + 1].repeat(4, 0), size=64)
        best = candidates.mean((1, 2, 3)).argmax()
        np.testing.assert_array_equal(images[i], candidates[best])
        np.testing.assert_array_equal(chosen[i], latents[i, best])
    assert rich.stats.candidates == 3 * 4 + 3 * 4
    assert rich.stats.pictures == 3 + 3 * 4


async def test_the_critic_scores_with_the_conditions(rich: Engine) -> None:
    latents = request(0, 4)[0][None].repeat(2, 0)
    aqua, red = (rich.model.manifest.encode({"hair": h, "eyes": "red"}) for h in ("aqua", "red"))
    (dark, bright), _ = await rich.paint_best(latents, np.stack([aqua, red]), size=64)
    for condition, image, best in ((aqua, dark, np.min), (red, bright, np.max)):
        candidates = await rich.paint(latents[0], condition[None].repeat(4, 0), size=64)
        assert image.mean() == best(candidates.mean((1, 2, 3)))


@pytest.mark.parametrize(
    ("scores", "winner"),
    [
        ([0.1, 0.9, 0.3, 0.2], 1),
        ([0.12339, 0.12341, 0.1, 0.1], 0),
        ([-5.0, -4.0, -3.99991, -4.0], 1),
        ([2.0, 2.0, 2.0, 2.0], 0),
    ],
)
async def test_the_first_of_equal_candidates_is_kept(
    rich: Engine, monkeypatch: pytest.MonkeyPatch, scores: list[float], winner: int
) -> None:
    monkeypatch.setattr(rich.model, "score", lambda *_: np.array(scores, np.float32))
    latents, conditions = contest(0, 1)
    _, chosen = await rich.paint_best(latents, conditions)
    np.testing.assert_array_equal(chosen[0], latents[0, winner])


async def test_without_a_critic_the_first_candidate_is_painted(engine: Engine) -> None:
    latents, conditions = contest(0, 2)
    images, chosen = await engine.paint_best(latents, conditions)
    np.testing.assert_array_equal(chosen, latents[:, 0])
    np.testing.assert_array_equal(images, await engine.paint(latents[:, 0], conditions))
    assert engine.stats.candidates == engine.stats.pictures == 4


async def test_the_choice_does_not_depend_on_the_batch(rich: Engine) -> None:
    asked = [
        (*contest(seed, 1 + seed % 3, of=1 + seed % 4), (64, 256)[seed % 2]) for seed in range(24)
    ]
    alone = [await rich.paint_best(z, c, size=size) for z, c, size in asked]
    batches = rich.stats.batches
    together = await asyncio.gather(
        *(rich.paint_best(z, c, size=s, user=str(i % 5)) for i, (z, c, s) in enumerate(asked))
    )
    assert rich.stats.batches - batches < len(asked)
    for (image, chosen), (same_image, same_choice) in zip(alone, together, strict=True):
        np.testing.assert_array_equal(chosen, same_choice)
        assert difference(image, same_image) <= 1


async def test_an_unsupported_number_of_candidates_raises_an_error(rich: Engine) -> None:
    _, conditions = contest(0, 2)
    for shape in [(2, 4, 7), (2, 0, 8), (3, 4, 8), (2, 8)]:
        with pytest.raises(ValueError, match=r"candidates \(n, N, 8\)"):
            await rich.paint_best(np.zeros(shape, np.float32), conditions)


# Models


async def test_a_new_model_is_used_while_the_old_one_finishes(
    engine: Engine, registry: Registry, gate: Callable[[], Gate]
) -> None:
    assert not await engine.refresh()
    add_model(registry, "bright", brightness=0.5)
    registry.use("bright")
    old, held = engine.model, gate()
    painting = asyncio.create_task(engine.paint(*request(0)))
    await held.begun()
    waiting = asyncio.create_task(engine.paint(*request(1)))
    await queued(engine, 1)

    assert await engine.refresh()
    assert engine.model.name == "bright"
    new = asyncio.create_task(engine.paint(*request(1)))
    held.open()
    await painting
    assert (await new).mean() > (await waiting).mean() + 20
    assert held.batches == [1, 1]
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
    assert [r.levelname for r in caplog.records] == ["ERROR"], "logged once, not at every look"
    assert "tiny stays" in caplog.text
    assert engine.model.name == "tiny"
    assert len(await engine.paint(*request(0))) == 1

    add_model(registry, "mended")
    write(registry.root / "current", b"mended\n")
    assert await engine.refresh()


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
    with pytest.raises(ModelUnavailable, match="unheard-of"):
        await engine.get("unheard-of")


async def test_without_a_model_in_use_there_is_no_engine(registry: Registry) -> None:
    (registry.root / "current").unlink()
    with pytest.raises(ModelUnavailable, match=r"no model is in use.*tiny"):
        await Engine.open(registry, EngineSettings(provider="cpu"))


async def test_a_model_without_attributes_paints(registry: Registry) -> None:
    add_model(registry, "surprise", ())
    registry.use("surprise")
    async with opened(registry) as engine:
        latents = np.ones((2, LATENT_DIM), np.float32)
        assert len(await engine.paint(latents, np.zeros((2, 0), np.float32))) == 2
