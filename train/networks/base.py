"""What all generators and discriminators have in common."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SIZES = (32, 64, 96, 128)
"""Image sizes in pixels that the networks are built for."""


def check_size(image_size: int) -> None:
    """Raises ValueError for a size that the networks cannot be built for."""
    if image_size not in SIZES:
        raise ValueError(f"the networks generate {SIZES} pixels, not {image_size}")


class Generator(nn.Module):
    """Latent float32 [N, Z], standard normal, and condition float32 [N, C], whose blocks may be
    mixtures, to images [N, 3, S, S] in -1…1.

    The latent is multiplied by `latent_scale`: `training_scale` in training, and what calibration
    chooses afterwards.
    """

    latent_scale: Tensor
    training_scale: float = 1.0

    def __init__(self, image_size: int, latent_dim: int) -> None:
        super().__init__()
        check_size(image_size)
        self.image_size, self.latent_dim = image_size, latent_dim
        self.register_buffer("latent_scale", torch.ones(()))


class Discriminator(nn.Module):
    """Images [N, 3, S, S] in -1…1 and conditions [N, C] to scores [N], logits that are higher for
    real images, and classification logits [N, V] for each attribute with V values.
    """

    group: int = 1
    """Neighbors in a batch that are compared with each other."""

    def __init__(self, image_size: int, class_sizes: Sequence[int]) -> None:
        """`class_sizes` is the number of values of each attribute with a classification head."""
        super().__init__()
        check_size(image_size)
        self.class_sizes = tuple(class_sizes)
