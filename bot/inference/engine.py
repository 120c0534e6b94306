"""Collects requests into batches, paints them off the event loop, and switches models."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from bot.errors import Busy, ModelUnavailable
from bot.inference.fair_queue import FairQueue
from bot.inference.loading import LoadedModels
from bot.inference.model import Model
from bot.inference.stats import Recorder, Stats
from bot.settings import EngineSettings
from export.candidates import best_candidate
from export.registry import Registry

__all__ = ["Engine", "Model", "Stats"]

RECENT_SECONDS = 5  # a batch that was painted within them shows that the engine works
CHECK_SECONDS = 10  # for the picture of a check, which may wait for a large batch
CHECK_USER = "check"  # of the fair queue; users' names contain their kind and key

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Request:
    """`latents` [n, N, Z] are the candidates, `conditions` [n, C]. Painted pictures are appended to
    `images`, and their latents to `chosen`, until the request is complete.
    """

    user: str
    model: Model
    latents: np.ndarray
    conditions: np.ndarray
    size: int
    share: Fraction  # of a batch, taken by one picture
    counted: bool  # in the statistics
    answer: asyncio.Future[tuple[np.ndarray, np.ndarray]]
    remaining: int = 0  # pictures that no batch has taken yet
    images: list[np.ndarray] = field(default_factory=list)
    chosen: list[np.ndarray] = field(default_factory=list)
    created: float = field(default_factory=time.perf_counter)

    def __len__(self) -> int:
        return len(self.latents)


class Engine:
    """Paints one batch at a time. A request that arrives while the engine is idle starts at once;
    others wait for the next batches, round-robin across users.

    Needs a running event loop, and belongs to it.
    """

    def __init__(self, models: LoadedModels, settings: EngineSettings) -> None:
        self._models = models
        self._settings = settings
        self._queue: FairQueue[_Request] = FairQueue()
        self._painting: list[tuple[_Request, int]] = []
        self._arrived = asyncio.Event()
        self._closed = False
        self._recorder = Recorder()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._painted = -math.inf  # when the last batch was painted
        self._server = asyncio.create_task(self._serve(), name="engine")
        self._server.add_done_callback(self._server_ended)

    @classmethod
    async def open(cls, registry: Registry, settings: EngineSettings) -> "Engine":
        """Loads the model in use. Raises ModelUnavailable."""
        return cls(await LoadedModels.open(registry, settings), settings)

    @property
    def model(self) -> Model:
        """The model in use."""
        return self._models.current

    @property
    def registry(self) -> Registry:
        return self._models.registry

    async def paint(
        self,
        latents: np.ndarray,
        conditions: np.ndarray,
        model: Model | None = None,
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
            raise _mismatch(model or self.model, latents, conditions)
        images, _ = await self.paint_best(latents[:, None], conditions, model, size=size, user=user)
        return images

    async def paint_best(
        self,
        latents: np.ndarray,
        conditions: np.ndarray,
        model: Model | None = None,
        *,
        size: int | None = None,
        user: str = "",
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rejection sampling: paints the candidates [n, N, Z] of each picture and keeps the one
        that the model's critic scores highest: uint8 [n, S, S, 3] and its latent [n, Z].

        N should be the model's `candidates`. A model without a critic paints the first candidate.
        Otherwise like `paint`.
        """
        return await self._paint(latents, conditions, model or self.model, size, user)

    async def _paint(
        self,
        latents: np.ndarray,
        conditions: np.ndarray,
        model: Model,
        size: int | None,
        user: str,
        counted: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        request = _new_request(
            self._settings.max_batch, model, latents, conditions, size, user, counted
        )
        if self._closed:
            raise _closing()
        if self._server.done():
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
        if not self._server.done() and time.monotonic() - self._painted < RECENT_SECONDS:
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
        if any(request.user == user for request, _ in self._painting):
            return 0
        ahead = self._queue.position(user)
        return 0 if ahead is None else ahead + sum(count for _, count in self._painting)

    def is_loaded(self, name: str) -> bool:
        return self._models.is_loaded(name)

    async def get(self, name: str) -> Model:
        """The model of this name, loaded if necessary. Raises ModelUnavailable."""
        return await self._models.get(name)

    async def refresh(self) -> bool:
        """Switches to the model in `models/current`, see LoadedModels; True if it has changed.
        Painting continues meanwhile.
        """
        return await self._models.refresh()

    @property
    def stats(self) -> Stats:
        return self._recorder.snapshot(self._queue.pictures, self._settings.queue)

    async def stopped(self) -> None:
        """Waits until the engine ends: after `close`, or an error, which is logged."""
        await asyncio.wait([self._server])

    async def close(self) -> None:
        """Finishes the current batch and refuses the requests in the queue."""
        self._closed = True
        self._arrived.set()
        await asyncio.wait([self._server])
        await asyncio.to_thread(self._worker.shutdown)

    async def _serve(self) -> None:
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
            batch = self._painting = self._queue.take_batch()
            if not batch:  # all requests were canceled
                continue
            shared = await self._paint_batch(batch)
            self._painting = []
        _refuse(self._queue, _closing())
        self._queue = FairQueue()

    def _server_ended(self, server: asyncio.Task[None]) -> None:
        """Refuses all requests if the loop over the batches ended by an error."""
        error = None if server.cancelled() else server.exception()
        if error is not None:
            log.critical("the engine stopped: nothing is painted any more", exc_info=error)
        _refuse([*(request for request, _ in self._painting), *self._queue], _stopped())
        self._queue = FairQueue()

    async def _paint_batch(self, batch: list[tuple[_Request, int]]) -> int:
        """Paints and delivers a batch. Whatever fails, the next batch is painted. Returns the
        number of pictures if several requests shared the batch, or 0.
        """
        started = time.perf_counter()
        try:
            images, chosen = await asyncio.get_running_loop().run_in_executor(
                self._worker, _run, batch, self._recorder
            )
            self._painted = time.monotonic()
            self._record(batch, started)
            self._deliver(batch, images, chosen)
        except Exception as error:
            log.exception("model %s failed on %d requests", batch[0][0].model.name, len(batch))
            refusal = ModelUnavailable("painter-failed")
            refusal.__cause__ = error
            failed = [request for request, _ in batch if not request.answer.done()]
            self._recorder.failed += len(failed)
            _refuse(failed, refusal)
            for request in failed:
                self._queue.remove(request)
            return 0
        return len(images) if len(batch) > 1 else 0

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

    def _record(self, batch: list[tuple[_Request, int]], started: float) -> None:
        now = time.perf_counter()
        counted = [(request, count) for request, count in batch if request.counted]
        if counted:
            self._recorder.add_batch(sum(count for _, count in counted), now - started)
        for request, count in counted:
            self._recorder.candidates += count * request.latents.shape[1]
            if not request.remaining:
                self._recorder.add_latency(now - request.created)

    def _deliver(
        self,
        batch: list[tuple[_Request, int]],
        images: list[np.ndarray],
        chosen: list[np.ndarray],
    ) -> None:
        start = 0
        for request, count in batch:
            request.images += images[start : start + count]
            request.chosen += chosen[start : start + count]
            start += count
            if not request.remaining and not request.answer.done():
                request.answer.set_result((np.stack(request.images), np.stack(request.chosen)))

    def _drop(self, request: _Request) -> None:
        if self._queue.remove(request):
            self._recorder.dropped += 1


def _best_candidates(
    model: Model, painted: np.ndarray, conditions: np.ndarray, counts: list[int]
) -> list[int]:
    """Index of each picture's best candidate among all painted candidates; `counts` are the
    numbers of candidates per picture.
    """
    has_rivals = np.repeat(counts, counts) > 1
    scores = np.zeros(len(painted))
    if has_rivals.any():
        scores[has_rivals] = model.score(painted[has_rivals], conditions[has_rivals])
    starts = np.cumsum(counts) - counts
    return [
        start + int(best_candidate(scores[start : start + count]))
        for start, count in zip(starts, counts, strict=True)
    ]


def _refuse(requests: Iterable[_Request], refusal: ModelUnavailable) -> None:
    for request in requests:
        if not request.answer.done():
            request.answer.set_exception(refusal)


def _mismatch(model: Model, latents: np.ndarray, conditions: np.ndarray) -> ValueError:
    z, c = model.manifest.latent_dim, model.manifest.condition_dim
    return ValueError(
        f"model {model.name} takes latents (n, {z}) or candidates (n, N, {z}), and conditions "
        f"(n, {c}) with n and N at least 1, not {latents.shape} and {conditions.shape}"
    )


def _closing() -> ModelUnavailable:
    return ModelUnavailable("painter-closing")


def _new_request(
    max_batch: int,
    model: Model,
    latents: np.ndarray,
    conditions: np.ndarray,
    size: int | None,
    user: str,
    counted: bool,
) -> _Request:
    """Raises ValueError for arrays or a size that do not fit the model."""
    n, z, c = len(latents), model.manifest.latent_dim, model.manifest.condition_dim
    if n == 0 or latents.ndim != 3 or latents.shape[1] == 0 or latents.shape[2] != z:
        raise _mismatch(model, latents, conditions)
    if conditions.shape != (n, c):
        raise _mismatch(model, latents, conditions)
    size = size or model.sizes[-1]
    if size not in model.sizes:
        raise ValueError(f"model {model.name} paints at {model.sizes} pixels, not at {size}")
    if not model.has_critic:
        latents = latents[:, :1]
    share = Fraction(latents.shape[1], max_batch)
    if size > model.manifest.image_size:
        share = max(share, Fraction(1, model.upscaled_at_once))
    return _Request(
        user,
        model,
        np.ascontiguousarray(latents, np.float32),
        np.ascontiguousarray(conditions, np.float32),
        size,
        share,
        counted,
        asyncio.get_running_loop().create_future(),
        remaining=n,
    )


def _run(
    batch: list[tuple[_Request, int]], recorder: Recorder
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Runs on the worker thread. Returns each picture's pixels and chosen latent."""
    model = batch[0][0].model
    candidates, conditions, sizes = [], [], []
    for request, count in batch:
        done = len(request.images)
        candidates += list(request.latents[done : done + count])
        conditions += list(request.conditions[done : done + count])
        sizes += [request.size] * count
    counts = [len(c) for c in candidates]
    latents = np.concatenate(candidates)
    repeated = np.repeat(conditions, counts, axis=0)
    painted = model.paint(latents, repeated)
    best = _best_candidates(model, painted, repeated, counts)
    return _upscale(model, painted[best], sizes, recorder), list(latents[best])


def _upscale(
    model: Model, painted: np.ndarray, sizes: list[int], recorder: Recorder
) -> list[np.ndarray]:
    """Upscales each of the pictures [n, S, S, 3] to its own size."""
    images = list(painted)
    started = time.perf_counter()
    for size in set(sizes) - {model.manifest.image_size}:
        indices = [i for i, wanted in enumerate(sizes) if wanted == size]
        for i, image in zip(indices, model.upscale(painted[indices], size), strict=True):
            images[i] = image
        recorder.upscaled += len(indices)
    recorder.upscale_seconds += time.perf_counter() - started
    return images


def _stopped() -> ModelUnavailable:
    return ModelUnavailable("painter-failed")
