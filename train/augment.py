"""Augmentation on the training device, in batches.

Where real and fake pictures alike are changed, both players see the same changes, so that the
generator does not learn to paint them (Zhao et al. 2020, "Differentiable Augmentation"); flips and
shifts are harmless for faces, colors must stay.
"""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Augmentation = Literal["none", "flip", "flip-and-rotate", "flip-and-shift"]
"""The last is of real and fake pictures, the others of real ones alone."""

SHIFT = 4
"""Pixels at 64×64, in either direction; in proportion at other sizes."""
DEGREES = 5.0
"""Of a slight rotation, at the most."""


def flip_and_shift(
    images: Tensor, rng: torch.Generator, batch: int | None = None, part: slice = slice(None)
) -> Tensor:
    """Flips and shifts each of [N, C, S, S] on its own, edges repeated; differentiable.

    Keeps the dtype; the result is in channels_last memory format. Where `images` are but a `part`
    of a `batch`, `rng` moves on as if all of it were here.
    """
    size, device = images.shape[-1], images.device
    count = len(images) if batch is None else batch
    reach = max(1, SHIFT * size // 64)
    down, right = torch.randint(-reach, reach + 1, (2, count, 1), generator=rng, device=device)[
        :, part
    ].unbind()
    flip = torch.rand(count, 1, generator=rng, device=device)[part] < 0.5
    line = torch.arange(size, device=device)
    rows = (line + down).clamp(0, size - 1)
    columns = (torch.where(flip, size - 1 - line, line) + right).clamp(0, size - 1)
    each = torch.arange(len(images), device=device)
    pixels = images.permute(0, 2, 3, 1)
    moved = pixels[each[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def flip(
    images: Tensor, rng: torch.Generator, batch: int | None = None, part: slice = slice(None)
) -> Tensor:
    """Every second one of uint8 [N, C, S, S], by chance; arguments as above."""
    turned = _uniform(images, rng, batch, part) < 0.5
    return torch.where(turned.view(-1, 1, 1, 1), images.flip(3), images)


def flip_and_rotate(
    images: Tensor, rng: torch.Generator, batch: int | None = None, part: slice = slice(None)
) -> Tensor:
    """Flips uint8 [N, C, S, S], and turns each by up to DEGREES either way, edges repeated."""
    flipped = flip(images, rng, batch, part)
    angle = (2 * _uniform(images, rng, batch, part) - 1) * math.radians(DEGREES)
    zero = torch.zeros_like(angle)
    turn = torch.stack([angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero], dim=1)
    grid = F.affine_grid(turn.view(-1, 2, 3), list(images.shape), align_corners=False)
    turned = F.grid_sample(flipped.float(), grid, padding_mode="border", align_corners=False)
    return turned.round().to(images.dtype)


def _uniform(images: Tensor, rng: torch.Generator, batch: int | None, part: slice) -> Tensor:
    """A number in 0…1 for each image."""
    count = len(images) if batch is None else batch
    return torch.rand(count, generator=rng, device=images.device)[part]
