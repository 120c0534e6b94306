"""Faces that the model in the repository paints."""

from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from export.registry import Registry
from train.data import one_hot
from train.promote import onnx_generator

MODELS = Path(__file__).parents[1] / "models"


class Painted(NamedTuple):
    values: tuple[str, ...]
    """The requested value of each attribute."""
    image: Image.Image


def paint_faces(count: int) -> list[Painted]:
    """Faces of evenly distributed values."""
    folder, manifest = Registry(MODELS).load()
    generate, latent_dim = onnx_generator(folder, manifest)
    sizes = tuple(len(attribute.values) for attribute in manifest.attributes)
    labels = torch.tensor(
        [[(7 * n + k) % size for k, size in enumerate(sizes)] for n in range(count)]
    )
    latents = torch.randn(count, latent_dim, generator=torch.Generator().manual_seed(0))
    images = generate(latents, one_hot(labels, sizes)).permute(0, 2, 3, 1).contiguous().numpy()
    return [
        Painted(
            tuple(a.values[v] for a, v in zip(manifest.attributes, row, strict=True)),
            Image.fromarray(image),
        )
        for row, image in zip(labels.tolist(), images, strict=True)
    ]
