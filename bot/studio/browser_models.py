"""The model in use, as far as browsers need it to paint the same faces."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.inference.engine import Engine
from bot.inference.model_info import ModelInfo
from export.directions import Direction
from export.manifest import GENERATOR, SCORER, UPSCALER, FileEntry, Manifest, is_in_one_file

MAX_BYTES = 64 * 2**20
"""Of a model's files together; visitors do not want to download more."""


@dataclass(frozen=True, slots=True)
class BrowserModel:
    """`candidates` is the number that the bot paints, `size` its largest size in pixels. `folder`
    contains the `files`, by the network's name: not the int8 upscaler, whose sums differ between
    processors.
    """

    manifest: Manifest
    directions: tuple[Direction, ...]
    candidates: int
    size: int
    folder: Path
    files: Mapping[str, tuple[str, FileEntry]]


class BrowserModels:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._described: tuple[ModelInfo, BrowserModel | None] | None = None

    @property
    def current(self) -> BrowserModel | None:
        """The model in use; None if it is too large, or not in one file for each network."""
        model = self._engine.model
        if self._described is None or self._described[0] is not model:
            self._described = model, _describe(model, self._engine.registry.root / model.name)
        return self._described[1]


def _describe(model: ModelInfo, folder: Path) -> BrowserModel | None:
    listed = model.manifest.files
    names = {"generator": GENERATOR, "scorer": SCORER, "upscaler": UPSCALER}
    files = {network: (name, listed[name]) for network, name in names.items() if name in listed}
    if model.candidates == 1:
        files.pop("scorer", None)
    if sum(entry.bytes for _, entry in files.values()) > MAX_BYTES:
        return None
    try:
        if not all(is_in_one_file(folder / name) for name, _ in files.values()):
            return None
    except OSError:  # the folder was removed; the engine has the model in memory
        return None
    return BrowserModel(
        manifest=model.manifest,
        directions=model.directions.directions,
        candidates=model.candidates,
        size=model.sizes[-1],
        folder=folder,
        files=files,
    )
