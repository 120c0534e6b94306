import asyncio
from collections.abc import Callable

import numpy as np
import pytest
from paused_engine import TIMEOUT, PausedEngine, wait_for_queue
from tiny_model import IMAGE_SIZE, LATENT_DIM

from bot.errors import Busy, ModelUnavailable
from bot.inference.engine import Engine
from bot.inference.model import SLICE, Model
from bot.settings import EngineSettings
from export.registry import Registry

from .conftest import Floats, Images, difference, open_engine, request

pytestmark = pytest.mark.usefixtures("each_backend")


async def test_a_picture_shows_its_conditions(engine: Engine) -> None:
    conditions = engine.model.manifest.encode({"hair": "red", "eyes": "green"})[None]
    images = await engine.paint(np.zeros((1, LATENT_DIM), np.float32), conditions)
    assert images.shape == (1, IMAGE_SIZE, IMAGE_SIZE, 3)
    assert images.dtype == np.uint8
    assert images[0, 5, 5].tolist() == [210, 40, 40]
    assert images[0, -5, 5].tolist() == [60, 170, 70]


@pytest.mark.parametrize("threads", [1, 3])
async def test_a_picture_does_not_depend_on_its_batch(registry: Registry, threads: int) -> None:
    async with open_engine(registry, threads=threads) as engine:
        requests = [request(seed, n=1 + seed % 3) for seed in range(3 * SLICE)]
        single = [await engine.paint(*one) for one in requests]
        concurrent = await asyncio.gather(*(engine.paint(*one) for one in requests))
        assert engine.stats.batches < 2 * len(requests)
    for image, same in zip(single, concurrent, strict=True):
        assert difference(image, same) <= 1
    assert difference(single[0], single[3]) > 1


async def test_concurrent_requests_share_a_batch(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    paused.resume()
    await asyncio.gather(*(engine.paint(*request(seed)) for seed in range(10)))
    assert paused.batches == [10]


async def test_requests_during_a_batch_share_the_next_one(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    first = asyncio.create_task(engine.paint(*request(0)))
    await paused.batch_started()
    # 16 is the largest batch: 9 + 5 fit, the next 9 do not, the 2 after them do
    later = [asyncio.create_task(engine.paint(*request(n, n))) for n in (9, 5, 9, 2)]
    await wait_for_queue(engine, 25)
    paused.resume()
    for n, images in zip((9, 5, 9, 2), await asyncio.gather(*later), strict=True):
        assert len(images) == n
    await first
    assert paused.batches == [1, 16, 9]
    stats = engine.stats
    assert (stats.batches, stats.pictures, stats.waiting) == (3, 26, 0)
    assert 0 < stats.latency_p50 <= stats.latency_p99


async def test_a_request_larger_than_a_batch_is_painted_in_several(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    paused.resume()
    latents, conditions = request(1, 40)
    images = await engine.paint(latents, conditions)
    assert paused.batches == [16, 16, 8]
    assert difference(images[39], (await engine.paint(latents[39:], conditions[39:]))[0]) <= 1


async def test_a_large_request_does_not_delay_others(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    done: list[str] = []

    async def request_pictures(user: str, n: int) -> None:
        assert len(await engine.paint(*request(n, n), user=user)) == n
        done.append(user)

    async with asyncio.TaskGroup() as group:
        group.create_task(request_pictures("many", 50))
        await paused.batch_started()
        for i in range(20):
            group.create_task(request_pictures(f"one {i}", 1))
        await wait_for_queue(engine, 50 - 16 + 20)
        paused.resume()
    assert done == [*(f"one {i}" for i in range(20)), "many"]
    assert paused.batches == [16, 16, 16, 16, 6], "every picture is painted once"


async def test_position_counts_pictures_of_others(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    assert engine.queue_position("unknown") == 0
    tasks = [asyncio.create_task(engine.paint(*request(0, 20), user="a"))]
    await paused.batch_started()
    tasks += [asyncio.create_task(engine.paint(*request(1, 2), user=user)) for user in "bcb"]
    await wait_for_queue(engine, 10)
    # 16 pictures of a are being painted; then one of a, b and c follow in turns
    assert [engine.queue_position(user) for user in "abcd"] == [0, 17, 18, 0]
    paused.resume()
    await asyncio.gather(*tasks)
    assert [engine.queue_position(user) for user in "abc"] == [0, 0, 0]


async def test_two_hundred_concurrent_requests_are_each_painted_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_engine(registry) as engine:
        paused = PausedEngine(engine, monkeypatch)
        paused.resume()
        images = await asyncio.gather(
            *(engine.paint(*request(seed, 9), user=str(seed)) for seed in range(200))
        )
    assert sum(paused.batches) == 1800
    assert max(paused.batches) == EngineSettings().max_batch
    assert len(np.unique(np.concatenate(images).reshape(1800, -1), axis=0)) == 1800


async def test_a_single_request_does_not_wait_for_others(registry: Registry) -> None:
    wait = 60  # seconds; longer than any slow machine needs
    async with open_engine(registry, max_wait_ms=1000 * wait) as engine:
        await engine.paint(*request(0))
        await engine.paint(*request(1))
        assert engine.stats.latency_p99 < wait


async def test_clients_served_last_can_join_the_next_batch(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_engine(registry, max_wait_ms=1000) as engine:
        paused = PausedEngine(engine, monkeypatch)

        async def request_twice(seed: int) -> None:
            await engine.paint(*request(seed))
            await engine.paint(*request(seed))

        both = asyncio.gather(request_twice(0), request_twice(1))
        await paused.batch_started()
        third = asyncio.create_task(engine.paint(*request(2)))
        await wait_for_queue(engine, 1)
        paused.resume()
        await asyncio.gather(both, third)
        assert paused.batches == [2, 3]


async def test_waiting_for_a_fuller_batch_has_a_limit(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_engine(registry, max_wait_ms=20) as engine:
        paused = PausedEngine(engine, monkeypatch)
        both = asyncio.gather(*(engine.paint(*request(seed)) for seed in range(2)))
        await paused.batch_started()
        third = asyncio.create_task(engine.paint(*request(2)))
        await wait_for_queue(engine, 1)
        paused.resume()
        await asyncio.gather(both, third)
        assert paused.batches == [2, 1]


async def test_a_full_queue_answers_busy(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_engine(registry, queue=4, max_batch=4) as engine:
        paused = PausedEngine(engine, monkeypatch)
        first = asyncio.create_task(engine.paint(*request(0)))
        await paused.batch_started()
        waiting = asyncio.create_task(engine.paint(*request(1, 3)))
        await wait_for_queue(engine, 3)
        with pytest.raises(Busy, match="try again") as busy:
            await engine.paint(*request(2, 2))
        assert busy.value.retry_after >= 1
        last = asyncio.create_task(engine.paint(*request(3, 1)))
        await wait_for_queue(engine, 4)
        paused.resume()
        await asyncio.gather(first, waiting, last)
        assert engine.stats.refused == 1
        # a request larger than the queue is accepted if the queue is empty
        assert len(await engine.paint(*request(4, 9))) == 9


async def test_a_canceled_request_is_not_painted(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    first = asyncio.create_task(engine.paint(*request(0)))
    await paused.batch_started()
    canceled = asyncio.create_task(engine.paint(*request(1, 5)))
    remaining = asyncio.create_task(engine.paint(*request(2, 2)))
    await wait_for_queue(engine, 7)
    canceled.cancel()
    await wait_for_queue(engine, 2)
    first.cancel()  # already being painted: it is finished and discarded
    paused.resume()
    assert len(await remaining) == 2
    assert paused.batches == [1, 2]
    assert engine.stats.dropped == 1
    with pytest.raises(asyncio.CancelledError):
        await canceled


async def test_a_partly_painted_request_stops_when_canceled(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    canceled = asyncio.create_task(engine.paint(*request(0, 50)))
    await paused.batch_started()
    canceled.cancel()
    await wait_for_queue(engine, 0)
    paused.resume()
    await engine.paint(*request(1))
    assert paused.batches == [16, 1]
    assert engine.stats.dropped == 1


async def test_an_immediately_canceled_request_is_not_painted(engine: Engine) -> None:
    canceled = asyncio.create_task(engine.paint(*request(0)))
    await wait_for_queue(engine, 1)
    canceled.cancel()
    await asyncio.wait([canceled])
    assert len(await engine.paint(*request(1))) == 1
    assert (engine.stats.dropped, engine.stats.pictures) == (1, 1)


async def test_painting_does_not_block_the_event_loop(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    painting = asyncio.create_task(engine.paint(*request(0)))
    await paused.batch_started()
    await asyncio.sleep(0)
    assert not painting.done()
    paused.resume()
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
    def fail(model: Model, latents: Floats, conditions: Floats) -> Images:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(Model, "paint", fail)
        answers = await asyncio.gather(
            *(engine.paint(*request(seed)) for seed in range(3)), return_exceptions=True
        )
    assert [type(answer) for answer in answers] == [ModelUnavailable] * 3
    assert "out of memory" in caplog.text
    assert engine.stats.failed == 3
    assert len(await engine.paint(*request(0))) == 1


async def test_a_batch_that_cannot_be_delivered_fails_its_requests_only(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(arrays: list[Images]) -> Images:
        raise MemoryError("no memory for the pictures")

    with monkeypatch.context() as patch:
        patch.setattr("bot.inference.paint_request.np.stack", fail)
        async with asyncio.timeout(TIMEOUT):
            answers = await asyncio.gather(
                *(engine.paint(*request(seed)) for seed in range(3)), return_exceptions=True
            )
    assert [type(answer) for answer in answers] == [ModelUnavailable] * 3
    assert "no memory for the pictures" in caplog.text
    assert engine.stats.failed == 3
    async with asyncio.timeout(TIMEOUT):
        assert len(await engine.paint(*request(0))) == 1


async def test_an_engine_that_stops_refuses_every_request(
    engine: Engine,
    pause: Callable[[], PausedEngine],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(queue: object) -> None:
        raise MemoryError("no memory for a batch")

    paused = pause()
    first = asyncio.create_task(engine.paint(*request(0)))
    await paused.batch_started()
    waiting = [asyncio.create_task(engine.paint(*request(seed))) for seed in (1, 2)]
    await wait_for_queue(engine, 2)
    monkeypatch.setattr("bot.inference.engine.FairQueue.take_batch", fail)
    paused.resume()
    async with asyncio.timeout(TIMEOUT):
        assert len(await first) == 1
        for answer in waiting:
            with pytest.raises(ModelUnavailable, match="try again"):
                await answer
        await engine.stopped()
        with pytest.raises(ModelUnavailable, match="try again"):
            await engine.paint(*request(3))
        with pytest.raises(ModelUnavailable):
            await engine.check()
    assert "no memory for a batch" in caplog.text
    assert engine.stats.waiting == 0


async def test_a_check_paints_a_picture_that_is_not_counted(
    engine: Engine, pause: Callable[[], PausedEngine]
) -> None:
    paused = pause()
    paused.resume()
    await engine.check()
    await engine.check()
    assert paused.batches == [1]  # the second check trusts the first
    stats = engine.stats
    assert (stats.batches, stats.pictures, stats.candidates) == (0, 0, 0)


async def test_a_check_does_not_wait_for_ever(
    engine: Engine, pause: Callable[[], PausedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inference.engine.CHECK_SECONDS", 0.01)
    paused = pause()
    with pytest.raises(TimeoutError):
        await engine.check()
    paused.resume()


async def test_a_partly_painted_request_stops_at_its_first_error(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []

    def fail(model: Model, latents: Floats, conditions: Floats) -> Images:
        batches.append(len(latents))
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Model, "paint", fail)
    with pytest.raises(ModelUnavailable, match="try again"):
        await engine.paint(*request(0, 50))
    assert batches == [16]
    assert engine.stats.waiting == 0


async def test_closing_during_a_request_rejects_the_whole_request(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_engine(registry, max_batch=4) as engine:
        paused = PausedEngine(engine, monkeypatch)
        painting = asyncio.create_task(engine.paint(*request(0, 50)))
        await paused.batch_started()
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        paused.resume()
        await closing
        with pytest.raises(ModelUnavailable, match="shutting down"):
            await painting
        assert paused.batches == [4]


async def test_closing_finishes_the_batch_and_rejects_the_rest(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_engine(registry) as engine:
        paused = PausedEngine(engine, monkeypatch)
        painted = asyncio.create_task(engine.paint(*request(0)))
        await paused.batch_started()
        waiting = asyncio.create_task(engine.paint(*request(1)))
        await wait_for_queue(engine, 1)
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        with pytest.raises(ModelUnavailable, match="shutting down"):
            await engine.paint(*request(2))
        paused.resume()
        await closing
        assert len(await painted) == 1
        with pytest.raises(ModelUnavailable, match="shutting down"):
            await waiting
