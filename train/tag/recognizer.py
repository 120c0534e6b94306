"""Recognizes the values of images: with the classifier of tagged data, or with the discriminator of
a model, which classifies images, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from rich.console import Console
from torch import Tensor
from torch.nn import functional as F

from export.manifest import Attribute, ModelError
from export.registry import Registry
from export.weights import read_weights
from train import state
from train.data import DataError, Faces
from train.metrics import check_data, prepare_classifier
from train.models import build_discriminator
from train.settings import TrainSettings

BATCH = 64
ZOOMS = (1.0, 1.15, 1.3)
"""Views of an image, each also mirrored. Their mean probabilities are lower if a value depends on
the background or the place of the face."""


@dataclass(frozen=True)
class Recognizer:
    name: str
    """Where the values come from, for messages."""
    attributes: tuple[Attribute, ...]
    resolution: int
    logits: Callable[[Tensor], list[Tensor]]
    """Images uint8 [N, 3, S, S] to logits [N, V] for each attribute."""

    def choose(self, names: str) -> "Recognizer":
        """Only some of the attributes, separated by commas; all if empty. Raises DataError."""
        chosen = [name.strip() for name in names.split(",") if name.strip()]
        known = [attribute.name for attribute in self.attributes]
        for name in chosen:
            if name not in known:
                raise DataError(f"{self.name} has no attribute {name!r}: {', '.join(known)}")
        kept = [number for number, name in enumerate(known) if not chosen or name in chosen]
        return Recognizer(
            self.name,
            tuple(self.attributes[number] for number in kept),
            self.resolution,
            lambda images: [self.logits(images)[number] for number in kept],
        )

    @torch.inference_mode()
    def probabilities(self, images: Tensor) -> list[Tensor]:
        """Images uint8 [N, 3, S, S] to float32 [N, V] for each attribute."""
        batches = [self._of_batch(batch) for batch in torch.split(images, BATCH)]
        return [torch.cat(parts) for parts in zip(*batches, strict=True)]

    def _of_batch(self, images: Tensor) -> list[Tensor]:
        views = [zoomed(images, zoom) for zoom in ZOOMS]
        views += [view.flip(3) for view in views]
        of_views = [[head.softmax(dim=1) for head in self.logits(view)] for view in views]
        return [torch.stack(heads).mean(dim=0) for heads in zip(*of_views, strict=True)]


def zoomed(images: Tensor, zoom: float) -> Tensor:
    """The middle of images uint8 [N, 3, S, S], enlarged to the same size."""
    size = images.shape[-1]
    inner = round(size / zoom)
    if inner == size:
        return images
    corner = (size - inner) // 2
    middle = images[:, :, corner : corner + inner, corner : corner + inner].float()
    enlarged = F.interpolate(middle, size=size, mode="bicubic", antialias=True)
    return enlarged.round().clamp(0, 255).to(torch.uint8)


def of_data(faces: Faces, folder: Path, images: int, console: Console) -> Recognizer:
    """The classifier of the judge of tagged data, cached in `folder`. Raises DataError."""
    if not faces.attributes:
        raise DataError(f"{faces.name} has no tags to learn from; give tagged data with --data")
    check_data(faces)
    classifier, _ = prepare_classifier(faces, folder, images=images, console=console)
    size, device = faces.images.shape[-1], faces.images.device

    def logits(images: Tensor) -> list[Tensor]:
        heads: list[Tensor] = classifier(images.to(device))[2]
        return [head.cpu() for head in heads]

    return Recognizer(faces.name, faces.attributes, size, logits)


def of_model(registry: Registry, name: str | None) -> Recognizer:
    """The discriminator of a model, or of the model in use. Raises ModelError, ExportError."""
    folder, manifest = registry.load(name)
    sizes = [len(attribute.values) for attribute in manifest.attributes]
    weights = state.part(read_weights(folder, manifest), "discriminator.")
    try:
        settings = TrainSettings(**manifest.training.get("settings", {}))
        discriminator = build_discriminator(settings, sizes).eval()
        discriminator.load_state_dict(weights)
    except (ValidationError, RuntimeError) as error:
        raise ModelError(f"the discriminator of {manifest.name} cannot be read: {error}") from None
    if not discriminator.class_sizes:
        raise ModelError(f"{manifest.name} recognizes no attributes; give tagged data with --data")
    discriminator.group = 1

    def logits(images: Tensor) -> list[Tensor]:
        condition = torch.zeros(len(images), sum(sizes))
        heads: list[Tensor] = discriminator(images.float() / 127.5 - 1, condition)[1]
        return heads

    return Recognizer(f"model {manifest.name}", manifest.attributes, manifest.image_size, logits)
