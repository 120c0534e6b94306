"""Keeps the model in use and a few older ones loaded, and follows `models/current`."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from bot.errors import ModelUnavailable
from bot.inference.model_info import ModelInfo
from export.registry import Registry

OLDER_MODELS = 2  # that stay loaded, to recolor their pictures

log = logging.getLogger(__name__)


Load = Callable[[str | None], Awaitable[ModelInfo]]
"""Loads the model of a name, or the one in use. Raises ModelUnavailable."""


class LoadedModels:
    """`current` is the model in use. Belongs to the running event loop."""

    def __init__(self, registry: Registry, load: Load, current: ModelInfo) -> None:
        self.current = current
        self.registry = registry
        self._load = load
        self._older: OrderedDict[str, ModelInfo] = OrderedDict()
        self._loading = asyncio.Lock()
        self._logged_refusal = ""

    @classmethod
    async def open(cls, registry: Registry, load: Load) -> "LoadedModels":
        """Loads the model in use. Raises ModelUnavailable."""
        return cls(registry, load, await load(None))

    def is_loaded(self, name: str) -> bool:
        return self._find(name) is not None

    async def get(self, name: str) -> ModelInfo:
        """The model of this name, loaded if necessary. Raises ModelUnavailable."""
        found = self._find(name)
        if found is not None:
            return found
        async with self._loading:
            try:
                model = self._find(name) or await self._load(name)
            except ModelUnavailable as error:
                log.warning("model %r cannot be loaded: %s", name, error)
                raise ModelUnavailable("model-gone", name=name) from error
            self._keep(model)
            return model

    async def refresh(self) -> bool:
        """Switches to the model in `models/current` if it has changed; True if it did.

        A model that cannot be used is refused and logged once, and the model in use stays.
        """
        async with self._loading:
            try:
                name = await asyncio.to_thread(self.registry.current)
                if name is None or name == self.current.name:
                    self._logged_refusal = ""
                    return False
                model = self._find(name) or await self._load(name)
            except (ModelUnavailable, OSError, UnicodeDecodeError) as error:
                if self._logged_refusal != str(error):
                    log.error("the new model is refused, %s stays: %s", self.current.name, error)
                    self._logged_refusal = str(error)
                return False
            previous, self.current = self.current, model
            self._older.pop(name, None)
            self._keep(previous)
            self._logged_refusal = ""
            log.info("model %s takes over from %s", name, previous.name)
            return True

    def _find(self, name: str) -> ModelInfo | None:
        return self.current if name == self.current.name else self._older.get(name)

    def _keep(self, model: ModelInfo) -> None:
        if model is self.current:
            return
        self._older[model.name] = model
        self._older.move_to_end(model.name)
        while len(self._older) > OLDER_MODELS:
            self._older.popitem(last=False)
