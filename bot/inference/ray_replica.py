"""Replicas on a Ray cluster: each one paints batches of all processes of the bot."""

import asyncio
import math
from fractions import Fraction
from pathlib import Path

from ray import serve

from bot.errors import ModelUnavailable
from bot.inference.batch import Batch, PaintedBatch, join, split
from bot.inference.model_info import ModelInfo
from bot.inference.process_backend import ProcessBackend
from bot.settings import EngineSettings
from export.registry import Registry

MERGED = 16  # batches that may be painted as one, and that may wait at a replica
PER_REPLICA = 2  # batches at once; Ray adds replicas above this mean

Call = tuple[str, Batch]
"""Name of the model, and what it paints."""


def application(models: Path, settings: EngineSettings) -> serve.Application:
    """The replicas, for Ray Serve. Each of their machines has the models in the folder `models`."""
    deployment = serve.deployment(
        name="painter",
        ray_actor_options={"num_cpus": settings.ray_cpus, "num_gpus": settings.ray_gpus},
        max_ongoing_requests=MERGED,
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


def _size(calls: list[Call]) -> int:
    """The size of batches, in parts of MERGED of a full one."""
    return sum(math.ceil(MERGED * min(Fraction(1), batch.share)) for _, batch in calls)


class Painter:
    """A replica. Follows `models/current` itself, so that a new model is loaded when the first
    request for it arrives.
    """

    async def __init__(self, models: str, settings: EngineSettings) -> None:  # type: ignore[misc]
        self._backend = await ProcessBackend.open(Registry(Path(models)), settings)
        self._refreshing: asyncio.Task[bool] | None = None
        self._paint_merged = serve.batch(
            max_batch_size=MERGED, batch_wait_timeout_s=0, batch_size_fn=_size
        )(self._paint_calls)

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
        """Batches of several callers are painted as one if they arrive during another one."""
        painted = await self._paint_merged((model, batch))
        if isinstance(painted, Exception):
            raise painted
        return painted

    async def _paint_calls(self, calls: list[Call]) -> list[PaintedBatch | Exception]:
        results: dict[int, PaintedBatch | Exception] = {}
        for name in dict.fromkeys(name for name, _ in calls):
            indices = [i for i, (other, _) in enumerate(calls) if other == name]
            batches = [calls[i][1] for i in indices]
            try:
                results |= zip(indices, await self._paint_by(name, batches), strict=True)
            except Exception as error:  # of this model only
                results |= dict.fromkeys(indices, error)
        return [results[i] for i in range(len(calls))]

    async def _paint_by(self, name: str, batches: list[Batch]) -> list[PaintedBatch]:
        model = await self._backend.models.get(name)
        painted = await self._backend.paint(model, join(batches))
        return split(painted, batches, model.manifest.image_size)
