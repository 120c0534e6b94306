"""Model folders without a real network."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from export.manifest import GENERATOR, Attribute, Manifest


def make_manifest(name: str = "faces", day: int = 1, **changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "name": name,
        "created": datetime(2025, 1, day, tzinfo=UTC),
        "attributes": (
            Attribute(name="hair", values=("aqua", "pink", "red"), frequencies=(0.5, 0.3, 0.2)),
            Attribute(name="eyes", values=("blue", "orange"), frequencies=(0.75, 0.25)),
        ),
        "latent_dim": 8,
        "image_size": 16,
    }
    return Manifest(**fields | changes)


def write_generator(text: str = "a generator") -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        (folder / GENERATOR).write_text(text)

    return build
