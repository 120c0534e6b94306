"""Which models there are, and which of them is in use: what an operator sees and changes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.errors import ModelUnavailable
from bot.inference.engine import Engine
from export.manifest import ModelError, read_manifest

PAPERS = ("MODEL_CARD.md", "samples.png", "weakest.png")  # by which a model shows itself


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One model of the registry; `problem` is why it cannot be used, as far as its manifest tells.
    `metrics` are the judge's, `created` is in UTC; both are empty where the manifest is broken.
    """

    name: str
    created: datetime | None
    metrics: Mapping[str, float]
    in_use: bool
    problem: str | None


class Models:
    """The registry's models, of which the engine has one in use."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._registry = engine.registry
        self._choosing = asyncio.Lock()  # one change at a time

    async def all(self) -> list[ModelSummary]:
        """The oldest first."""
        return await asyncio.to_thread(self._summaries)

    async def previous(self) -> str | None:
        """Where `rollback` would go back to."""
        return await asyncio.to_thread(self._registry.previous)

    async def paper(self, name: str, paper: str) -> Path | None:
        """One of a model's PAPERS; None where there is no such model, or it has none."""

        def find() -> Path | None:
            if paper not in PAPERS or name not in self._registry.names():
                return None
            path = self._registry.root / name / paper
            return path if path.is_file() else None

        return await asyncio.to_thread(find)

    async def use(self, name: str) -> None:
        """What is being painted is finished by the model before. Raises ModelUnavailable, and then
        nothing has changed.
        """
        async with self._choosing:
            try:
                await asyncio.to_thread(self._registry.folder, name)
                await self._engine.get(name)  # so that one that does not run is never pointed to
                await asyncio.to_thread(self._registry.use, name)
            except ModelError as error:
                raise ModelUnavailable("model-refused", why=str(error)) from error
            except ModelUnavailable as error:
                if isinstance(error.__cause__, ModelUnavailable):  # which says more
                    raise error.__cause__ from None
                raise
            await self.reload()

    async def rollback(self) -> str:
        """Back to the model before; its name. Raises ModelUnavailable, and then nothing has
        changed.
        """
        async with self._choosing:
            now = self._engine.model.name
            try:
                await asyncio.to_thread(self._registry.rollback)
            except ModelError as error:
                raise ModelUnavailable("model-refused", why=str(error)) from error
            try:
                return await self.reload()
            except ModelUnavailable:  # a bot that starts anew must not be pointed to it
                await asyncio.to_thread(self._registry.use, now)
                raise

    async def reload(self) -> str:
        """Takes over the model that the registry names, at once; its name.

        Raises ModelUnavailable if that one cannot be used: the one in use stays.
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
