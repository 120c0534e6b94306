"""Replicas on a Ray cluster: each one paints batches of all processes of the bot."""

import asyncio
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ray import serve

from bot.errors import ModelUnavailable
from bot.inference.batch import Batch, PaintedBatch, join, split
from bot.inference.model_info import ModelInfo
from bot.inference.process_backend import ProcessBackend
from bot.settings import EngineSettings
from export.registry import Registry

PER_REPLICA = 2  # batches of the bots; Ray adds replicas while the mean is above it
MOST_PER_REPLICA = 16  # further batches wait until a replica has fewer


def application(models: Path, settings: EngineSettings) -> serve.Application:
    """The replicas, for Ray Serve. Each of their machines has the models in the folder `models`."""
    deployment = serve.deployment(
        name="painter",
        ray_actor_options={"num_cpus": settings.ray_cpus, "num_gpus": settings.ray_gpus},
        max_ongoing_requests=MOST_PER_REPLICA,
        autoscaling_config={
            "min_replicas": settings.ray_min_replicas,
            "max_replicas": settings.ray_max_replicas,
            "target_ongoing_requests": PER_REPLICA,
        },
        health_check_period_s=settings.poll_seconds,
    )(Painter)
    return deployment.bind(str(models.absolute()), _settings_of_replica(settings))


def _settings_of_replica(settings: EngineSettings) -> EngineSettings:
    """Ray reserves cores and GPUs, and shows a replica only its GPUs."""
    provider = settings.provider if settings.ray_gpus else "cpu"
    threads = settings.threads or math.ceil(settings.ray_cpus)
    return settings.model_copy(update={"provider": provider, "threads": threads})


@dataclass(eq=False, slots=True)
class _Call:
    """A batch of one process of the bot; `model` is a name."""

    model: str
    batch: Batch
    painted: asyncio.Future[PaintedBatch]


class Painter:
    """A replica. Follows `models/current` itself, so that a new model is loaded when the first
    request for it arrives.
    """

    async def __init__(self, models: str, settings: EngineSettings) -> None:  # type: ignore[misc]
        self._backend = await ProcessBackend.open(Registry(Path(models)), settings)
        self._refreshing: asyncio.Task[bool] | None = None
        self._waiting: list[_Call] = []
        self._painting = asyncio.Lock()

    async def check_health(self) -> None:
        """Called by Ray every few seconds."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._backend.models.refresh())

    async def describe(self, name: str | None) -> ModelInfo | ModelUnavailable:
        """The model of this name, by default the one in use, after loading it. A refusal is
        returned: an exception would arrive as one of Ray's.
        """
        models = self._backend.models
        try:
            if name is None:
                await models.refresh()
            model = models.current if name is None else await models.get(name)
        except ModelUnavailable as error:
            cause = error.__cause__
            return cause if isinstance(cause, ModelUnavailable) else error
        return ModelInfo.of(model)

    async def paint(self, model: str, batch: Batch) -> PaintedBatch:
        """Starts at once on an idle replica. Batches that arrive during another one are painted
        together afterwards.
        """
        call = _Call(model, batch, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        try:
            async with self._painting:
                if call in self._waiting:
                    await self._paint_with_others(call)
            return await call.painted
        finally:
            if call in self._waiting:  # canceled
                self._waiting.remove(call)

    async def enlarge(self, model: str, image: np.ndarray, size: int) -> np.ndarray:
        return await self._backend.enlarge(await self._backend.models.get(model), image, size)

    async def _paint_with_others(self, first: _Call) -> None:
        """Paints the first call and later ones by the same model, up to a full batch."""
        calls, share = [first], first.batch.share
        for call in self._waiting:
            if call is not first and call.model == first.model and share + call.batch.share <= 1:
                calls.append(call)
                share += call.batch.share
        self._waiting = [call for call in self._waiting if call not in calls]
        batches = [call.batch for call in calls]
        try:
            model = await self._backend.models.get(first.model)
            painted = await self._backend.paint(model, join(batches))
            parts = split(painted, batches, model.manifest.image_size)
        except Exception as error:
            for call in calls:
                if not call.painted.done():  # canceled
                    call.painted.set_exception(error)
        else:
            for call, part in zip(calls, parts, strict=True):
                if not call.painted.done():
                    call.painted.set_result(part)
