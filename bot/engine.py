"""Paints: holds the ONNX sessions, gathers requests into batches, takes new models over."""

import asyncio
import logging
import os
import time
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime as ort

from bot.errors import Busy, ModelUnavailable
from bot.settings import EngineSettings
from export.manifest import Manifest, ModelError
from export.registry import Registry

log = logging.getLogger(__name__)

OLDER_MODELS = 2  # kept loaded beside the one in use, for pictures that are recoloured
LATENCIES = 1000  # the last requests that the percentiles are taken over


class Model:
    """One loaded model; `paint` blocks, and may be called from any thread."""

    def __init__(self, folder: Path, manifest: Manifest, settings: EngineSettings) -> None:
        self.name = manifest.name
        self.manifest = manifest
        self._session = _open_session(folder / "generator.onnx", settings)
        self.provider: str = self._session.get_providers()[0]

    def paint(self, latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        """float32 [n, Z] and [n, C] to uint8 [n, S, S, 3] RGB."""
        (images,) = self._session.run(["image"], {"latent": latents, "condition": conditions})
        return images

    def warm_up(self, max_batch: int) -> None:
        """Paints one and a full batch, so that no member waits for the first allocations.

        Raises ModelUnavailable if the pictures are not as the manifest says.
        """
        size = self.manifest.image_size
        for n in (1, max_batch):
            images = self.paint(
                np.zeros((n, self.manifest.latent_dim), np.float32),
                np.zeros((n, self.manifest.condition_dim), np.float32),
            )
            if images.shape != (n, size, size, 3) or images.dtype != np.uint8:
                raise ModelUnavailable(
                    f"Model {self.name} paints {images.dtype} {list(images.shape)}; "
                    f"its manifest says uint8 {[n, size, size, 3]}."
                )


@dataclass(eq=False, slots=True)
class _Job:
    model: Model
    latents: np.ndarray
    conditions: np.ndarray
    images: asyncio.Future[np.ndarray]
    asked: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts since the start; latencies in seconds, of the last requests, waiting included."""

    batches: int
    pictures: int
    waiting: int  # pictures in the queue now
    refused: int  # requests answered "busy"
    dropped: int  # requests whose caller went away before they were painted
    latency_p50: float
    latency_p99: float


class Engine:
    """Paints batches on one worker thread; the event loop never waits for the network."""

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
        self._batches = self._pictures = self._refused = self._dropped = 0
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._seconds_per_picture = 0.01
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="paint")
        self._server = asyncio.create_task(self._serve(), name="engine")

    @classmethod
    async def open(cls, registry: Registry, settings: EngineSettings) -> "Engine":
        """Loads the model in use. Raises ModelUnavailable."""
        model = await asyncio.to_thread(_load, registry, None, settings)
        return cls(registry, settings, model)

    async def paint(
        self, latents: np.ndarray, conditions: np.ndarray, model: Model | None = None
    ) -> np.ndarray:
        """Latents [n, Z] and conditions [n, C] to uint8 [n, S, S, 3] RGB, by the model in use.

        Raises Busy when too many pictures wait already, ModelUnavailable, and ValueError for
        arrays that do not fit the model.
        """
        model = model or self.model
        n = len(latents)
        expected = (n, model.manifest.latent_dim), (n, model.manifest.condition_dim)
        if n == 0 or (latents.shape, conditions.shape) != expected:
            raise ValueError(
                f"latents {latents.shape} and conditions {conditions.shape}: model {model.name} "
                f"takes (n, {expected[0][1]}) and (n, {expected[1][1]}), n at least 1"
            )
        if self._closed:
            raise ModelUnavailable("The painter is shutting down.")
        # A request larger than the whole queue is let in when it is alone, else it never would be.
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
        async with self._loading:
            if name == self.model.name:
                return self.model
            if name not in self._older:
                self._older[name] = await asyncio.to_thread(
                    _load, self._registry, name, self._settings
                )
            self._older.move_to_end(name)
            while len(self._older) > OLDER_MODELS:
                self._older.popitem(last=False)
            return self._older[name]

    async def refresh(self) -> bool:
        """Takes the model in `models/current` over if it is another one; True if it did.

        A model that cannot be used is logged once and refused: the one in use stays.
        """
        async with self._loading:
            name = await asyncio.to_thread(self._registry.current)
            if name is None or name == self.model.name:
                self._refused_model = ""
                return False
            try:
                model = self._older.get(name) or await asyncio.to_thread(
                    _load, self._registry, name, self._settings
                )
            except ModelUnavailable as error:
                if self._refused_model != name:
                    log.error("model %s is refused, %s stays: %s", name, self.model.name, error)
                    self._refused_model = name
                return False
            # Requests in the queue hold the model that they were asked of: the old one finishes.
            self.model, old = model, self.model
            self._older.pop(name, None)
            self._older[old.name] = old
            self._refused_model = ""
            log.info("model %s takes over from %s", name, old.name)
            return True

    @property
    def stats(self) -> Stats:
        p50, p99 = np.percentile(self._latencies or [0.0], (50, 99))
        return Stats(
            self._batches,
            self._pictures,
            self._waiting,
            self._refused,
            self._dropped,
            float(p50),
            float(p99),
        )

    async def close(self) -> None:
        """Finishes the batch that is being painted; what still waits is refused."""
        self._closed = True
        self._arrived.set()
        await self._server
        await asyncio.to_thread(self._worker.shutdown)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        shared = 0  # pictures in the last batch, if requests came together in it
        while True:
            if not self._queue and not self._closed:
                shared = 0
                self._arrived.clear()
                await self._arrived.wait()
            if shared and not self._closed:
                await self._gather(shared)
            if self._closed:
                break
            jobs = self._next_batch()
            if not jobs:
                continue
            started = time.perf_counter()
            try:
                images = await loop.run_in_executor(self._worker, self._run, jobs)
            except Exception as error:
                log.exception("a batch of %d requests failed", len(jobs))
                refusal = ModelUnavailable("The painter failed on this one. Please try again.")
                refusal.__cause__ = error
                for job in jobs:
                    if not job.images.done():
                        job.images.set_exception(refusal)
                continue
            self._account(jobs, started)
            shared = sum(len(job.latents) for job in jobs) if len(jobs) > 1 else 0
            for job, own in zip(jobs, images, strict=True):
                if not job.images.done():
                    job.images.set_result(own)
        for job in self._queue:
            if not job.images.done():
                job.images.set_exception(ModelUnavailable("The painter is shutting down."))
        self._queue.clear()
        self._waiting = 0

    async def _gather(self, enough: int) -> None:
        """Waits a moment for those just served to ask again, so that the next batch is as full."""
        deadline = time.perf_counter() + self._settings.max_wait_ms / 1000
        while self._waiting < enough and not self._closed:
            left = deadline - time.perf_counter()
            if left <= 0:
                return
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                return

    def _next_batch(self) -> list[_Job]:
        """The oldest request, and those after it that the same model paints and that fit."""
        jobs: list[_Job] = []
        room = self._settings.max_batch
        for job in list(self._queue):
            n = len(job.latents)
            if jobs and (job.model is not jobs[0].model or n > room):
                continue
            jobs.append(job)
            room -= n
            self._queue.remove(job)
            self._waiting -= n
        return jobs

    def _run(self, jobs: list[_Job]) -> list[np.ndarray]:
        latents = np.concatenate([job.latents for job in jobs])
        conditions = np.concatenate([job.conditions for job in jobs])
        step = self._settings.max_batch
        images = np.concatenate(
            [
                jobs[0].model.paint(latents[i : i + step], conditions[i : i + step])
                for i in range(0, len(latents), step)
            ]
        )
        return np.split(images, np.cumsum([len(job.latents) for job in jobs])[:-1])

    def _account(self, jobs: list[_Job], started: float) -> None:
        now = time.perf_counter()
        pictures = sum(len(job.latents) for job in jobs)
        self._batches += 1
        self._pictures += pictures
        self._seconds_per_picture += 0.2 * ((now - started) / pictures - self._seconds_per_picture)
        self._latencies.extend(now - job.asked for job in jobs)


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def _load(registry: Registry, name: str | None, settings: EngineSettings) -> Model:
    try:
        folder, manifest = registry.load(name)
        model = Model(folder, manifest, settings)
        model.warm_up(settings.max_batch)
    except ModelError as error:
        raise ModelUnavailable(str(error)) from error
    except ModelUnavailable:
        raise
    except Exception as error:  # ONNX Runtime's errors have no common base
        raise ModelUnavailable(f"Model {name or 'in use'} does not run: {error}") from error
    return model


def _open_session(file: Path, settings: EngineSettings) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads or cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers: list[str | tuple[str, dict[str, str]]] = ["CPUExecutionProvider"]
    if settings.provider == "cuda" or (settings.provider == "auto" and _has_cuda()):
        ort.preload_dlls()
        cuda = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
        providers.insert(0, ("CUDAExecutionProvider", cuda))
    session = ort.InferenceSession(file, options, providers=providers)
    if settings.provider == "cuda" and session.get_providers()[0] != "CUDAExecutionProvider":
        raise ModelUnavailable(
            "engine.provider is cuda, but ONNX Runtime cannot use CUDA here: "
            "install the extra 'cuda', or set engine.provider to auto."
        )
    return session


def _has_cuda() -> bool:
    """Whether there is an NVIDIA driver; asking ONNX Runtime without one prints errors."""
    return Path("/proc/driver/nvidia/version").exists() or os.name == "nt"
