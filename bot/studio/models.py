"""Lists the models and changes which one is in use."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.errors import ModelUnavailable, NotFound
from bot.i18n.messages import listed
from bot.inference.engine import Engine
from bot.inference.model_info import ModelInfo
from bot.prompts.vocabulary import quote
from export.manifest import ModelError, read_manifest

FILES = ("MODEL_CARD.md", "samples.png", "weakest.png")  # of a model, that operators may see


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One model of the registry. `problem` says why it cannot be used, as far as its manifest
    shows. `metrics` are the judge's, `created` is in UTC; both are empty for a broken manifest.
    """

    name: str
    created: datetime | None
    metrics: Mapping[str, float]
    in_use: bool
    problem: str | None


class ModelCatalog:
    """The registry's models, one of which the engine uses."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._registry = engine.registry
        self._switching = asyncio.Lock()  # one switch at a time

    async def all(self) -> list[ModelSummary]:
        """All models, oldest first."""
        return await asyncio.to_thread(self._summaries)

    async def names(self) -> list[str]:
        """Names of all models, oldest first."""
        return await asyncio.to_thread(self._registry.names)

    async def previous(self) -> str | None:
        """Name of the model that `rollback` would use."""
        return await asyncio.to_thread(self._registry.previous)

    async def file(self, name: str, file: str) -> Path | None:
        """Path of one of a model's FILES; None if the model or the file does not exist."""

        def find() -> Path | None:
            if file not in FILES or name not in self._registry.names():
                return None
            path = self._registry.root / name / file
            return path if path.is_file() else None

        return await asyncio.to_thread(find)

    async def use(self, name: str) -> None:
        """Uses this model from now on; requests in the queue keep the previous one.

        Raises ModelUnavailable, and then nothing has changed.
        """
        async with self._switching:
            with _registry_errors_refused():
                await asyncio.to_thread(self._registry.folder, name)
                try:
                    await self._engine.get(name)  # fails before the pointer moves
                except ModelUnavailable as error:
                    if isinstance(error.__cause__, ModelUnavailable):  # more specific
                        raise error.__cause__ from None
                    raise
                await asyncio.to_thread(self._registry.use, name)
                await self.reload()

    async def rollback(self) -> str:
        """Returns to the previous model; its name.

        Raises ModelUnavailable, and then nothing has changed.
        """
        async with self._switching:
            with _registry_errors_refused():
                current = self._engine.model.name
                await asyncio.to_thread(self._registry.rollback)
                try:
                    return await self.reload()
                except ModelUnavailable:  # a restarted bot must not load it
                    await asyncio.to_thread(self._registry.use, current)
                    raise

    async def reload(self) -> str:
        """Switches to the model that the registry names, without waiting for the next poll; its
        name. Raises ModelUnavailable if it cannot be used: the model in use stays.
        """
        await self._engine.refresh()
        named = await asyncio.to_thread(self._registry.current)
        name = self._engine.model.name
        if named != name:
            raise ModelUnavailable("model-stays", named=str(named), name=name)
        return name

    def _summaries(self) -> list[ModelSummary]:
        summaries = []
        for name in self._registry.names():
            in_use = name == self._engine.model.name
            try:
                manifest = read_manifest(self._registry.folder(name))
            except ModelError as error:
                summaries.append(ModelSummary(name, None, {}, in_use, str(error)))
            else:
                summaries.append(
                    ModelSummary(name, manifest.created, manifest.metrics, in_use, None)
                )
        return summaries


async def model_named(name: str, engine: Engine) -> ModelInfo:
    """The model of a name that a visitor gave, loaded if necessary.

    Raises NotFound for an unknown name, ModelUnavailable.
    """
    if not engine.is_loaded(name):
        names = await asyncio.to_thread(engine.registry.names)
        if name not in names:
            raise NotFound("model-unknown", name=quote(name), models=partial(listed, names))
    return await engine.get(name)


@contextmanager
def _registry_errors_refused() -> Iterator[None]:
    """Raises ModelUnavailable in place of errors of the registry. An OSError names the path; the
    folder may be mounted read-only, for example.
    """
    try:
        yield
    except (ModelError, OSError) as error:
        raise ModelUnavailable("model-refused", why=str(error)) from error
