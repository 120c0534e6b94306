"""Collects requests into batches, has them painted, and switches models."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Iterable

import numpy as np

from bot.errors import Busy, ModelUnavailable
from bot.inference.backend import Backend, open_backend
from bot.inference.batch import PaintedBatch
from bot.inference.fair_queue import FairQueue
from bot.inference.model_info import ModelInfo
from bot.inference.paint_request import PaintRequest, Part, batch_of, mismatch, new_request, taken
from bot.inference.stats import Recorder, Stats
from bot.settings import EngineSettings
from export.registry import Registry

__all__ = ["Engine", "Stats"]

RECENT_SECONDS = 5  # a batch that was painted within them shows that the engine works
CHECK_SECONDS = 10  # for the picture of a check, which may wait for a large batch
CHECK_USER = "check"  # of the fair queue; users' names contain their kind and key

log = logging.getLogger(__name__)


class Engine:
    """Has batches painted by its backend, one at a time in this process. A request that arrives
    while the engine is idle starts at once; others wait for the next batches, round-robin across
    users.

    Needs a running event loop, and belongs to it.
    """

    def __init__(self, backend: Backend, settings: EngineSettings) -> None:
        self._backend = backend
        self._settings = settings
        self._queue: FairQueue[PaintRequest] = FairQueue()
        self._painting: list[list[Part]] = []
        self._arrived = asyncio.Event()
        self._closed = False
        self._recorder = Recorder()
        self._painted = -math.inf  # when the last batch was painted
        self._loops = [
            asyncio.create_task(self._serve(), name=f"engine-{i}") for i in range(backend.batches)
        ]
        for loop in self._loops:
            loop.add_done_callback(self._loop_ended)

    @classmethod
    async def open(cls, registry: Registry, settings: EngineSettings) -> "Engine":
        """Loads the model in use. Raises ModelUnavailable."""
        return cls(await open_backend(registry, settings), settings)

    @property
    def model(self) -> ModelInfo:
        """The model in use."""
        return self._backend.models.current

    @property
    def registry(self) -> Registry:
        return self._backend.models.registry

    async def paint(
        self,
        latents: np.ndarray,
        conditions: np.ndarray,
        model: ModelInfo | None = None,
        *,
        size: int | None = None,
        user: str = "",
    ) -> np.ndarray:
        """Latents [n, Z] and conditions [n, C] to uint8 [n, S, S, 3] RGB, painted by the model in
        use unless another one is given. S is one of the model's `sizes`, by default the largest.

        The queue is fair across users, see FairQueue.

        Raises Busy if the queue is full, ModelUnavailable if the model fails, and ValueError for
        arrays or a size that do not fit it.
        """
        if latents.ndim != 2:
            raise mismatch(model or self.model, latents, conditions)
        images, _ = await self.paint_best(latents[:, None], conditions, model, size=size, user=user)
        return images

    async def paint_best(
        self,
        latents: np.ndarray,
        conditions: np.ndarray,
        model: ModelInfo | None = None,
        *,
        size: int | None = None,
        user: str = "",
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rejection sampling: paints the candidates [n, N, Z] of each picture and keeps the one
        that the model's scorer rates highest: uint8 [n, S, S, 3] and its latent [n, Z].

        N should be the model's `candidates`. A model without a scorer paints the first candidate.
        Otherwise like `paint`.
        """
        return await self._paint(latents, conditions, model or self.model, size, user)

    async def _paint(
        self,
        latents: np.ndarray,
        conditions: np.ndarray,
        model: ModelInfo,
        size: int | None,
        user: str,
        counted: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        request = new_request(
            self._settings.max_batch, model, latents, conditions, size, user, counted
        )
        if self._closed:
            raise _closing()
        if self._stopped:
            raise _stopped()
        # A request larger than the whole queue is accepted while the queue is empty.
        waiting = self._queue.pictures
        if waiting and waiting + request.remaining > self._settings.queue:
            self._recorder.refused += 1
            raise Busy(max(1.0, waiting * self._recorder.seconds_per_picture))
        self._queue.add(request)
        self._arrived.set()
        try:
            return await request.answer
        except asyncio.CancelledError:
            self._drop(request)
            raise

    async def check(self) -> None:
        """Paints one picture of the smallest size, which the statistics do not count. Does nothing
        if a batch was painted just now.

        Raises Busy, ModelUnavailable, and TimeoutError.
        """
        if not self._stopped and time.monotonic() - self._painted < RECENT_SECONDS:
            return
        manifest = self.model.manifest
        latents = np.zeros((1, 1, manifest.latent_dim), np.float32)
        conditions = np.zeros((1, manifest.condition_dim), np.float32)
        async with asyncio.timeout(CHECK_SECONDS):
            await self._paint(
                latents, conditions, self.model, manifest.image_size, CHECK_USER, counted=False
            )

    def queue_position(self, user: str) -> int:
        """Number of pictures ahead of this user's next one; 0 if it is being painted or none is
        queued.
        """
        parts = [part for parts in self._painting for part in parts]
        if any(request.user == user for request, _ in parts):
            return 0
        ahead = self._queue.position(user)
        return 0 if ahead is None else ahead + sum(len(indices) for _, indices in parts)

    def is_loaded(self, name: str) -> bool:
        return self._backend.models.is_loaded(name)

    async def get(self, name: str) -> ModelInfo:
        """The model of this name, loaded if necessary. Raises ModelUnavailable."""
        return await self._backend.models.get(name)

    async def enlarge(self, model: ModelInfo, image: np.ndarray, size: int) -> np.ndarray:
        """uint8 [S, S, 3] to [size, size, 3], by the model's upscaler, beside the batches. Raises
        ModelUnavailable if the model fails.
        """
        try:
            return await self._backend.enlarge(model, image, size)
        except Exception as error:
            log.exception("model %s failed on a picture to enlarge", model.name)
            raise ModelUnavailable("painter-failed") from error

    async def refresh(self) -> bool:
        """Switches to the model in `models/current`, see LoadedModels; True if it has changed.
        Painting continues meanwhile.
        """
        return await self._backend.models.refresh()

    @property
    def stats(self) -> Stats:
        return self._recorder.snapshot(self._queue.pictures, self._settings.queue)

    async def stopped(self) -> None:
        """Waits until the engine ends: after `close`, or an error, which is logged."""
        await asyncio.wait(self._loops, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Finishes the current batches and refuses the requests in the queue."""
        self._closed = True
        self._arrived.set()
        await asyncio.wait(self._loops)
        await self._backend.close()

    @property
    def _stopped(self) -> bool:
        return any(loop.done() for loop in self._loops)

    async def _serve(self) -> None:
        """Takes batches from the queue and has them painted, one after the other."""
        shared = 0  # pictures of the last batch, if several requests shared it
        while True:
            if self._queue.pictures:
                await self._gather(shared)
            elif not self._closed:
                shared = 0
                await self._next_arrival()
            if self._closed:
                break
            for request in [r for r in self._queue if r.answer.cancelled()]:
                self._drop(request)  # its caller has not handled the cancellation yet
            parts = [taken(request, count) for request, count in self._queue.take_batch()]
            if not parts:  # all requests were canceled, or another loop took them
                continue
            self._painting.append(parts)
            shared = await self._paint_batch(parts)
            self._painting.remove(parts)
        _refuse(self._queue, _closing())
        self._queue = FairQueue()

    def _loop_ended(self, loop: asyncio.Task[None]) -> None:
        """Refuses all requests if the loop over the batches ended by an error."""
        error = None if loop.cancelled() else loop.exception()
        if error is None and self._closed:
            return
        if error is not None:
            log.critical("the engine stopped: nothing is painted any more", exc_info=error)
        painting = (request for parts in self._painting for request, _ in parts)
        _refuse([*painting, *self._queue], _stopped())
        self._queue = FairQueue()

    async def _paint_batch(self, parts: list[Part]) -> int:
        """Paints and delivers a batch. Whatever fails, the next batch is painted. Returns the
        number of pictures if several requests shared the batch, or 0.
        """
        started = time.perf_counter()
        model, batch = parts[0][0].model, batch_of(parts)
        try:
            painted = await self._backend.paint(model, batch)
            self._painted = time.monotonic()
            _record(self._recorder, parts, painted, time.perf_counter() - started)
            images, latents = iter(painted.images), iter(painted.latents)
            for request, indices in parts:
                request.deliver(indices, images, latents)
        except Exception as error:
            log.exception("model %s failed on %d requests", model.name, len(parts))
            refusal = ModelUnavailable("painter-failed")
            refusal.__cause__ = error
            failed = [request for request, _ in parts if not request.answer.done()]
            self._recorder.failed += len(failed)
            _refuse(failed, refusal)
            for request in failed:
                self._queue.remove(request)
            return 0
        return len(batch) if len(parts) > 1 else 0

    async def _next_arrival(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    async def _gather(self, count: int) -> None:
        """Waits up to `max_wait_ms` for `count` pictures, as many as the last shared batch had.

        Clients that have just received their pictures send the next requests now; without waiting,
        these would narrowly miss the next batch.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.max_wait_ms / 1000):
                while self._queue.pictures < count and not self._closed:
                    await self._next_arrival()

    def _drop(self, request: PaintRequest) -> None:
        if self._queue.remove(request):
            self._recorder.dropped += 1


def _record(recorder: Recorder, parts: list[Part], painted: PaintedBatch, seconds: float) -> None:
    recorder.upscaled += painted.upscaled
    recorder.upscale_seconds += painted.upscale_seconds
    counted = [(request, indices) for request, indices in parts if request.counted]
    if counted:
        recorder.add_batch(sum(len(indices) for _, indices in counted), seconds)
    for request, indices in counted:
        recorder.candidates += len(indices) * request.latents.shape[1]
        if len(request.images) + len(indices) == len(request):
            recorder.add_latency(time.perf_counter() - request.created)


def _refuse(requests: Iterable[PaintRequest], refusal: ModelUnavailable) -> None:
    for request in requests:
        request.refuse(refusal)


def _closing() -> ModelUnavailable:
    return ModelUnavailable("painter-closing")


def _stopped() -> ModelUnavailable:
    return ModelUnavailable("painter-failed")
