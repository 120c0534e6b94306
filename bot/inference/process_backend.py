"""Paints the engine's batches on a thread of this process."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bot.inference.batch import Batch, PaintedBatch, paint_batch
from bot.inference.loading import LoadedModels
from bot.inference.model import Model, load_model
from bot.inference.model_info import ModelInfo
from bot.settings import EngineSettings
from export.registry import Registry


class ProcessBackend:
    """Paints one batch at a time: the sessions of a model share the batch between all cores."""

    batches = 1

    def __init__(self, models: LoadedModels) -> None:
        self.models = models
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="engine")

    @classmethod
    async def open(cls, registry: Registry, settings: EngineSettings) -> "ProcessBackend":
        """Loads the model in use. Raises ModelUnavailable."""

        async def load(name: str | None) -> Model:
            return await asyncio.to_thread(load_model, registry, name, settings)

        return cls(await LoadedModels.open(registry, load))

    async def paint(self, model: ModelInfo, batch: Batch) -> PaintedBatch:
        """The model is one of `models`. Raises its error if it fails."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, paint_batch, _loaded(model), batch)

    async def enlarge(self, model: ModelInfo, image: np.ndarray, size: int) -> np.ndarray:
        """Beside the batches; the model is one of `models`."""
        return await asyncio.to_thread(_loaded(model).enlarge, image, size)

    async def close(self) -> None:
        """Waits for the batch that is being painted."""
        await asyncio.to_thread(self._worker.shutdown)


def _loaded(model: ModelInfo) -> Model:
    assert isinstance(model, Model), f"{model.name} was loaded by another backend"
    return model
