"""Has the engine's batches painted by Ray Serve, which many processes of the bot can share."""

import asyncio
import logging
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import serve
from ray.serve.exceptions import RayServeException, RequestCancelledError
from ray.serve.handle import DeploymentHandle

from bot.errors import ModelUnavailable
from bot.inference.batch import Batch, PaintedBatch
from bot.inference.loading import LoadedModels
from bot.inference.model_info import ModelInfo
from bot.inference.ray_replica import Painter, application
from bot.settings import EngineSettings
from export.registry import Registry

APPLICATION = "irodori"
MARGIN_SECONDS = 10  # for a replica's own limits to end first

Replicas = DeploymentHandle[Painter]


class RayBackend:
    """Sends batches to the replicas, see ray_replica. `models` contains only descriptions: this
    process loads no networks, but reads the names in the same registry.
    """

    def __init__(self, models: LoadedModels, handle: Replicas, settings: EngineSettings):
        self.models = models
        self.batches = settings.ray_batches
        self._handle = handle
        # a batch may have to wait until its model is loaded
        self._seconds = settings.load_seconds + MARGIN_SECONDS

    @classmethod
    async def connect(cls, registry: Registry, settings: EngineSettings) -> "RayBackend":
        """Connects to the cluster. Raises ModelUnavailable."""
        # Not on the main thread, where Ray would replace Python's handler of SIGTERM.
        handle = await asyncio.to_thread(_find_replicas, settings.ray_address)
        if threading.current_thread() is threading.main_thread():
            # Ray's handler in C++ prints a stack trace before it calls the one before it.
            signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        return await cls.open(registry, settings, handle)

    @classmethod
    async def open(
        cls, registry: Registry, settings: EngineSettings, handle: Replicas
    ) -> "RayBackend":
        """Uses replicas that are already known. Raises ModelUnavailable."""

        async def load(name: str | None) -> ModelInfo:
            try:
                async with asyncio.timeout(settings.load_seconds + MARGIN_SECONDS):
                    answer: ModelInfo | ModelUnavailable = await _answer(
                        handle.describe.remote(name)
                    )
            except (TimeoutError, RayServeException, ray.exceptions.RayError) as error:
                raise ModelUnavailable("model-no-replica", why=_line(error)) from error
            if isinstance(answer, ModelUnavailable):
                raise answer
            return answer

        return cls(await LoadedModels.open(registry, load), handle, settings)

    async def paint(self, model: ModelInfo, batch: Batch) -> PaintedBatch:
        """Raises the error of the replica, or TimeoutError."""
        async with asyncio.timeout(self._seconds):
            try:
                return await self._paint(model, batch)
            except ray.exceptions.RayActorError:  # the replica died; another one paints the same
                return await self._paint(model, batch)

    async def _paint(self, model: ModelInfo, batch: Batch) -> PaintedBatch:
        painted: PaintedBatch = await _answer(self._handle.paint.remote(model.name, batch))
        return painted

    async def enlarge(self, model: ModelInfo, image: np.ndarray, size: int) -> np.ndarray:
        """Raises the error of the replica, or TimeoutError."""
        async with asyncio.timeout(self._seconds):
            response = self._handle.enlarge.remote(model.name, image, size)
            enlarged: np.ndarray = await _answer(response)
            return enlarged

    async def close(self) -> None:
        """Disconnects from the cluster; its replicas stay."""
        await asyncio.to_thread(ray.shutdown)


def deploy(models: Path, settings: EngineSettings) -> None:
    """Starts the replicas on the cluster, or replaces them one by one; blocks until they paint.

    Raises ModelUnavailable.
    """
    _connect(settings.ray_address)
    try:
        serve.start(proxy_location="Disabled")  # only processes of the cluster call the replicas
        serve.run(application(models, settings), name=APPLICATION, route_prefix=None)
    except (RuntimeError, RayServeException, ray.exceptions.RayError) as error:
        raise ModelUnavailable("model-no-replica", why=_line(error)) from error
    finally:
        ray.shutdown()


def _find_replicas(address: str) -> Replicas:
    _connect(address)
    try:
        return serve.get_app_handle(APPLICATION)
    except (RayServeException, ray.exceptions.RayError) as error:
        ray.shutdown()
        raise ModelUnavailable("model-not-deployed", why=_line(error)) from error


def _connect(address: str) -> None:
    try:
        ray.init(address, namespace=APPLICATION, logging_level=logging.ERROR, log_to_driver=False)
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ModelUnavailable("model-no-cluster", address=address, why=_line(error)) from error


async def _answer(response: Any) -> Any:
    try:
        return await response
    except RequestCancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # what timeouts expect
            raise asyncio.CancelledError from error
        raise


def _line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
