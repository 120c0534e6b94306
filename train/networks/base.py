"""Base classes of all generators and discriminators."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SIZES = (32, 64, 96, 128)
"""Supported image sizes in pixels."""


def check_size(image_size: int) -> None:
    """Raises ValueError for an image size that the networks do not support."""
    if image_size not in SIZES:
        raise ValueError(f"the networks generate {SIZES} pixels, not {image_size}")


class Generator(nn.Module):
    """Maps latents float32 [N, Z], standard normal, and conditions float32 [N, C], whose blocks may
    be mixtures, to images [N, 3, S, S] in -1…1.

    Latents are multiplied by `latent_scale`, which is `training_scale` in training, and is set by
    the calibration afterwards.
    """

    latent_scale: Tensor
    training_scale: float = 1.0

    def __init__(self, image_size: int, latent_dim: int) -> None:
        super().__init__()
        check_size(image_size)
        self.image_size, self.latent_dim = image_size, latent_dim
        self.register_buffer("latent_scale", torch.ones(()))


class Discriminator(nn.Module):
    """Maps images [N, 3, S, S] in -1…1 and conditions [N, C] to scores [N], logits that are higher
    for real images, and to classification logits [N, V] for each attribute with V values.
    """

    group: int = 1
    """Number of consecutive images that are compared with each other."""

    def __init__(self, image_size: int, class_sizes: Sequence[int]) -> None:
        """`class_sizes` are the numbers of values of attributes with a classification head."""
        super().__init__()
        check_size(image_size)
        self.class_sizes = tuple(class_sizes)
