"""What browsers need to paint by themselves: the model in use, and ONNX Runtime."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.studio import Studio
from bot.studio.browser_models import BrowserModel
from bot.web.browser_runtime import RuntimeFile

PREFIX = "/browser"
Runtimes = Mapping[str, tuple[RuntimeFile, RuntimeFile]]


@dataclass(frozen=True, slots=True)
class Package:
    """`url` is that of `description`, JSON. `files` are paths by URL. All URLs contain sums, so
    that their content never changes. `runtimes` are the URLs of a backend's files; `bytes` is the
    size of the largest download.
    """

    url: str
    description: bytes
    files: Mapping[str, Path]
    runtimes: Mapping[str, Sequence[str]]
    model_urls: Sequence[str]
    bytes: int


class BrowserPainting:
    """Packs the model in use, again whenever it changes."""

    def __init__(self, studio: Studio, runtimes: Runtimes) -> None:
        """`runtimes` are empty if they are not installed."""
        self._studio = studio
        self._runtimes = runtimes
        self._packed: tuple[BrowserModel, Package] | None = None

    @property
    def package(self) -> Package | None:
        """None if browsers cannot paint."""
        model = self._studio.browser_models.current
        if model is None or not self._runtimes:
            return None
        if self._packed is None or self._packed[0] is not model:
            self._packed = model, _pack(model, self._runtimes)
        return self._packed[1]


def _pack(model: BrowserModel, runtimes: Runtimes) -> Package:
    files: dict[str, Path] = {}

    def add(path: Path, sha256: str) -> dict[str, str]:
        url = f"{PREFIX}/{sha256}/{path.name}"
        files[url] = path
        return {"url": url, "sha256": sha256}

    networks = {
        network: add(model.folder / name, entry.sha256)
        for network, (name, entry) in model.files.items()
    }
    model_urls = tuple(files)
    scripts = {
        backend: {
            "script": add(script.path, script.sha256),
            "binary": add(binary.path, binary.sha256),
        }
        for backend, (script, binary) in runtimes.items()
    }
    description = {"model": _model_body(model, networks), "runtimes": scripts}
    text = json.dumps(description, separators=(",", ":")).encode()
    downloads = [sum(file.bytes for file in pair) for pair in runtimes.values()]
    return Package(
        url=f"{PREFIX}/{hashlib.sha256(text).hexdigest()}/package.json",
        description=text,
        files=files,
        runtimes={
            backend: [file["url"] for file in found.values()] for backend, found in scripts.items()
        },
        model_urls=model_urls,
        bytes=max(downloads) + sum(entry.bytes for _, entry in model.files.values()),
    )


def _model_body(model: BrowserModel, files: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    manifest = model.manifest
    return {
        "name": manifest.name,
        "attributes": [attribute.model_dump() for attribute in manifest.attributes],
        "latent_dim": manifest.latent_dim,
        "candidates": model.candidates,
        "size": model.size,
        "directions": [
            one.model_dump(include={"name", "vector", "range"}) for one in model.directions
        ],
        "files": files,
    }
