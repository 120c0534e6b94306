import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from tiny_model import EYES, HAIR, IMAGE_SIZE, LATENT_DIM, add_model

from bot.engine import OLDER_MODELS, Engine, Model
from bot.errors import Busy, ModelUnavailable
from bot.model import SLICE, load_model, usable_cores
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


class Gate:
    """Holds a model's batches until they are let through, and keeps their sizes."""

    def __init__(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[int] = []
        self._open = threading.Event()
        self._begun = threading.Semaphore(0)
        paint = model.paint

        def held(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
            self.batches.append(len(latents))
            self._begun.release()
            assert self._open.wait(30), "the test never opened the gate"
            return paint(latents, conditions)

        monkeypatch.setattr(model, "paint", held)

    async def begun(self) -> None:
        """Waits until one more batch is being painted."""
        assert await asyncio.to_thread(self._begun.acquire, timeout=30)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Gate]:
    return lambda: Gate(engine.model, monkeypatch)


@asynccontextmanager
async def opened(registry: Registry, **settings: object) -> AsyncIterator[Engine]:
    engine = await Engine.open(
        registry, EngineSettings(**{"provider": "cpu", "threads": 1, **settings})
    )
    try:
        yield engine
    finally:
        await engine.close()


async def queued(engine: Engine, pictures: int) -> None:
    """Waits until so many pictures are in the queue."""
    async with asyncio.timeout(30):
        while engine.stats.waiting != pictures:  # noqa: ASYNC110 (the engine tells nobody)
            await asyncio.sleep(0)


async def test_a_picture_shows_what_was_asked(engine: Engine) -> None:
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


async def test_requests_made_together_share_a_batch(
    engine: Engine, gate: Callable[[], Gate]
) -> None:
    held = gate()
    held.open()
    await asyncio.gather(*(engine.paint(*request(seed)) for seed in range(10)))
    assert held.batches == [10]


async def test_newcomers_gather_while_a_batch_is_painted(
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


async def test_a_lone_request_is_not_kept_waiting(registry: Registry) -> None:
    async with opened(registry, max_wait_ms=1000) as engine:
        await engine.paint(*request(0))
        await engine.paint(*request(1))
        assert engine.stats.latency_p99 < 1


async def test_those_just_served_join_the_next_batch(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(registry, max_wait_ms=1000) as engine:
        held = Gate(engine.model, monkeypatch)

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


async def test_waiting_for_others_ends(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(registry, max_wait_ms=20) as engine:
        held = Gate(engine.model, monkeypatch)
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
        held = Gate(engine.model, monkeypatch)
        first = asyncio.create_task(engine.paint(*request(0)))
        await held.begun()
        waiting = asyncio.create_task(engine.paint(*request(1, 3)))
        await queued(engine, 3)
        with pytest.raises(Busy, match="ask again") as busy:
            await engine.paint(*request(2, 2))
        assert busy.value.retry_after >= 1
        last = asyncio.create_task(engine.paint(*request(3, 1)))
        await queued(engine, 4)
        held.open()
        await asyncio.gather(first, waiting, last)
        assert engine.stats.refused == 1
        # nobody waits: even more pictures than the queue holds are taken
        assert len(await engine.paint(*request(4, 9))) == 9


async def test_who_goes_away_is_not_painted_for(engine: Engine, gate: Callable[[], Gate]) -> None:
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


async def test_who_goes_away_at_once_is_not_painted_for(engine: Engine) -> None:
    gone = asyncio.create_task(engine.paint(*request(0)))
    await queued(engine, 1)
    gone.cancel()
    await asyncio.wait([gone])
    assert len(await engine.paint(*request(1))) == 1
    assert (engine.stats.dropped, engine.stats.pictures) == (1, 1)


async def test_the_event_loop_is_free_while_a_batch_is_painted(
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
async def test_arrays_that_do_not_fit_the_model_are_an_error(
    engine: Engine, latents: tuple[int, ...], conditions: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"latents \(n, 8\) and conditions \(n, 22\)|tiny"):
        await engine.paint(np.zeros(latents, np.float32), np.zeros(conditions, np.float32))


async def test_a_failure_is_told_to_those_it_struck_and_painting_goes_on(
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


async def test_closing_finishes_what_is_painted_and_refuses_the_rest(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(registry) as engine:
        held = Gate(engine.model, monkeypatch)
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


# Models


async def test_a_new_model_is_taken_over_while_the_old_one_finishes(
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
async def test_a_model_that_cannot_be_used_is_refused_and_the_one_in_use_stays(
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


@pytest.mark.parametrize(
    ("share", "cores"), [("max 100000", 8), ("250000 100000", 2), ("5000 100000", 1), (None, 8)]
)
def test_a_containers_share_of_the_cores_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: str | None, cores: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)), raising=False)
    quota = tmp_path / "cpu.max"
    if share is not None:
        quota.write_text(f"{share}\n")
    assert usable_cores(quota) == cores


def test_cuda_where_there_is_none(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Demanded, it is refused in words; left to choice, the CPU paints and a line says so."""
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelUnavailable, match="extra 'cuda'"):
        load_model(registry, None, EngineSettings(provider="cuda"))
    monkeypatch.setattr("bot.model._has_nvidia_driver", lambda: True)
    model = load_model(registry, None, EngineSettings(provider="auto"))
    assert model.provider == "CPUExecutionProvider"
    assert "painting on the CPU" in caplog.text
