"""Where the engine's batches are painted: in this process, or on a Ray cluster."""

from typing import Protocol

import numpy as np

from bot.errors import ModelUnavailable
from bot.inference.batch import Batch, PaintedBatch
from bot.inference.loading import LoadedModels
from bot.inference.model_info import ModelInfo
from bot.inference.process_backend import ProcessBackend
from bot.settings import EngineSettings
from export.registry import Registry


class Backend(Protocol):
    """Loads models, and paints batches with them. Belongs to the running event loop."""

    @property
    def models(self) -> LoadedModels:
        """The model in use, and older ones."""

    @property
    def batches(self) -> int:
        """Number of batches that the engine may have painted at once."""

    async def paint(self, model: ModelInfo, batch: Batch) -> PaintedBatch:
        """The model is one of `models`. Raises any error if the batch cannot be painted."""

    async def enlarge(self, model: ModelInfo, image: np.ndarray, size: int) -> np.ndarray:
        """uint8 [S, S, 3] to [size, size, 3], beside the batches, see Model.enlarge."""

    async def close(self) -> None: ...


async def open_backend(registry: Registry, settings: EngineSettings) -> Backend:
    """Loads the model in use. Raises ModelUnavailable."""
    if settings.backend == "process":
        return await ProcessBackend.open(registry, settings)
    try:
        from bot.inference.ray_backend import RayBackend  # not without the extra "cluster"
    except ModuleNotFoundError as error:
        raise ModelUnavailable("model-no-ray", module=str(error.name)) from error
    return await RayBackend.connect(registry, settings)
