"""Gathers requests into batches, paints them off the event loop, takes new models over."""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from bot.errors import Busy, ModelUnavailable
from bot.model import Model, load_model
from bot.settings import EngineSettings
from export.registry import Registry

__all__ = ["Engine", "Model", "Stats"]

log = logging.getLogger(__name__)

OLDER_MODELS = 2  # kept loaded beside the one in use, to recolour what they have painted
LATENCIES = 1000  # the last requests, that the percentiles are taken over


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts since the start; latencies in seconds, waiting included, of the last requests."""

    batches: int
    pictures: int
    waiting: int  # pictures in the queue now
    refused: int  # requests answered "busy"
    dropped: int  # requests whose caller went away while they waited
    failed: int  # requests that the model failed on
    latency_p50: float
    latency_p99: float


@dataclass(eq=False, slots=True)
class _Job:
    model: Model
    latents: np.ndarray
    conditions: np.ndarray
    images: asyncio.Future[np.ndarray]
    asked: float = field(default_factory=time.perf_counter)

    def __len__(self) -> int:
        return len(self.latents)


class Engine:
    """One batch is painted at a time. Who asks while nothing is painted is served at once; who
    asks meanwhile goes into the next batch, with all the others.

    Needs a running event loop, and belongs to it.
    """

    def __init__(self, registry: Registry, settings: EngineSettings, model: Model) -> None:
        self.model = model
        self._registry = registry
        self._settings = settings
        self._older: OrderedDict[str, Model] = OrderedDict()
        self._loading = asyncio.Lock()
        self._refused_model = ""
        self._queue: deque[_Job] = deque()
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._closed = False
        self._batches = self._pictures = self._refused = self._dropped = self._failed = 0
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._seconds_per_picture = 0.01  # a guess, until there is a measurement
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._server = asyncio.create_task(self._serve(), name="engine")

    @classmethod
    async def open(cls, registry: Registry, settings: EngineSettings) -> "Engine":
        """Loads the model in use. Raises ModelUnavailable."""
        return cls(
            registry, settings, await asyncio.to_thread(load_model, registry, None, settings)
        )

    async def paint(
        self, latents: np.ndarray, conditions: np.ndarray, model: Model | None = None
    ) -> np.ndarray:
        """Latents [n, Z] and conditions [n, C] to uint8 [n, S, S, 3] RGB, by the model in use or
        by another one.

        Raises Busy when too many pictures wait already, ModelUnavailable when the model fails, and
        ValueError for arrays that do not fit it.
        """
        model = model or self.model
        n, z, c = len(latents), model.manifest.latent_dim, model.manifest.condition_dim
        if n == 0 or latents.shape != (n, z) or conditions.shape != (n, c):
            raise ValueError(
                f"model {model.name} takes latents (n, {z}) and conditions (n, {c}) with n at "
                f"least 1, not {latents.shape} and {conditions.shape}"
            )
        if self._closed:
            raise _closing()
        # A request larger than the whole queue is taken when nobody waits: else it never would be.
        if self._waiting and self._waiting + n > self._settings.queue:
            self._refused += 1
            raise Busy(max(1.0, self._waiting * self._seconds_per_picture))
        job = _Job(
            model,
            np.ascontiguousarray(latents, np.float32),
            np.ascontiguousarray(conditions, np.float32),
            asyncio.get_running_loop().create_future(),
        )
        self._queue.append(job)
        self._waiting += n
        self._arrived.set()
        try:
            return await job.images
        except asyncio.CancelledError:
            if job in self._queue:
                self._queue.remove(job)
                self._waiting -= n
                self._dropped += 1
            raise

    async def get(self, name: str) -> Model:
        """The model of this name, loaded if need be. Raises ModelUnavailable."""
        found = self._loaded(name)
        if found is not None:
            return found
        async with self._loading:
            try:
                model = self._loaded(name) or await self._load(name)
            except ModelUnavailable as error:
                log.warning("model %s was asked for: %s", name, error)
                raise ModelUnavailable(f"Model {name} is not available any more.") from error
            self._keep(model)
            return model

    async def refresh(self) -> bool:
        """Takes the model in `models/current` over if it is another one; True if it did.

        Painting goes on meanwhile. A model that cannot be used is refused, which is logged once:
        the one in use stays.
        """
        async with self._loading:
            try:
                name = await asyncio.to_thread(self._registry.current)
                if name is None or name == self.model.name:
                    self._refused_model = ""
                    return False
                model = self._loaded(name) or await self._load(name)
            except (ModelUnavailable, OSError, UnicodeDecodeError) as error:
                if self._refused_model != str(error):
                    log.error("the new model is refused, %s stays: %s", self.model.name, error)
                    self._refused_model = str(error)
                return False
            # What waits in the queue holds the model that it was asked of: the old one finishes.
            old, self.model = self.model, model
            self._older.pop(name, None)
            self._keep(old)
            self._refused_model = ""
            log.info("model %s takes over from %s", name, old.name)
            return True

    @property
    def stats(self) -> Stats:
        p50, p99 = np.percentile(self._latencies or [0.0], (50, 99))
        return Stats(
            batches=self._batches,
            pictures=self._pictures,
            waiting=self._waiting,
            refused=self._refused,
            dropped=self._dropped,
            failed=self._failed,
            latency_p50=float(p50),
            latency_p99=float(p99),
        )

    async def close(self) -> None:
        """Finishes the batch that is being painted; what still waits is refused."""
        self._closed = True
        self._arrived.set()
        await self._server
        await asyncio.to_thread(self._worker.shutdown)

    def _loaded(self, name: str) -> Model | None:
        return self.model if name == self.model.name else self._older.get(name)

    async def _load(self, name: str) -> Model:
        return await asyncio.to_thread(load_model, self._registry, name, self._settings)

    def _keep(self, model: Model) -> None:
        if model is self.model:
            return
        self._older[model.name] = model
        self._older.move_to_end(model.name)
        while len(self._older) > OLDER_MODELS:
            self._older.popitem(last=False)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        together = 0  # pictures of the last batch, if it was one of several requests
        while True:
            if self._queue:
                await self._gather(together)
            elif not self._closed:
                together = 0
                await self._next_arrival()
            if self._closed:
                break
            jobs = self._next_batch()
            if not jobs:  # all that had arrived were cancelled
                continue
            started = time.perf_counter()
            try:
                images = await loop.run_in_executor(self._worker, self._run, jobs)
            except Exception as error:
                log.exception("model %s failed on %d requests", jobs[0].model.name, len(jobs))
                self._failed += len(jobs)
                refusal = ModelUnavailable("The painter failed on this one. Please try again.")
                refusal.__cause__ = error
                _refuse(jobs, refusal)
                continue
            self._account(jobs, started)
            together = sum(map(len, jobs)) if len(jobs) > 1 else 0
            for job, own in zip(jobs, images, strict=True):
                if not job.images.done():
                    job.images.set_result(own)
        _refuse(self._queue, _closing())
        self._queue.clear()
        self._waiting = 0

    async def _next_arrival(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    async def _gather(self, enough: int) -> None:
        """Waits a moment, if the last batch was shared, for as many pictures as it had.

        Those just served come back, and would else miss the next batch by a hair.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.max_wait_ms / 1000):
                while self._waiting < enough and not self._closed:
                    await self._next_arrival()

    def _next_batch(self) -> list[_Job]:
        """The oldest request, and those after it that the same model paints and that fit in."""
        jobs: list[_Job] = []
        rest: deque[_Job] = deque()
        room = self._settings.max_batch
        for job in self._queue:
            if job.images.cancelled():  # its caller has not had a turn yet to take it out
                self._dropped += 1
            elif not jobs or (job.model is jobs[0].model and len(job) <= room):
                jobs.append(job)
                room -= len(job)
            else:
                rest.append(job)
        self._queue = rest
        self._waiting = sum(map(len, rest))
        return jobs

    def _run(self, jobs: list[_Job]) -> list[np.ndarray]:
        """Runs on the worker thread. A request larger than a batch goes in several."""
        latents = np.concatenate([job.latents for job in jobs])
        conditions = np.concatenate([job.conditions for job in jobs])
        step = self._settings.max_batch
        images = np.concatenate(
            [
                jobs[0].model.paint(latents[i : i + step], conditions[i : i + step])
                for i in range(0, len(latents), step)
            ]
        )
        return np.split(images, np.cumsum([len(job) for job in jobs])[:-1])

    def _account(self, jobs: list[_Job], started: float) -> None:
        now = time.perf_counter()
        pictures = sum(map(len, jobs))
        self._batches += 1
        self._pictures += pictures
        self._seconds_per_picture += 0.2 * ((now - started) / pictures - self._seconds_per_picture)
        self._latencies.extend(now - job.asked for job in jobs)


def _refuse(jobs: "list[_Job] | deque[_Job]", refusal: ModelUnavailable) -> None:
    for job in jobs:
        if not job.images.done():
            job.images.set_exception(refusal)


def _closing() -> ModelUnavailable:
    return ModelUnavailable("The painter is shutting down. Please try again in a moment.")
