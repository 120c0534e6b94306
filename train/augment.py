"""Augmentation of batches on the training device.

Augmentations of real and fake images alike do not leak into the generated images (Zhao et al. 2020,
"Differentiable Augmentation"). Flips and shifts suit faces; colors must not change, since they are
attributes.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

SHIFT = 4
"""Largest shift in pixels at 64×64; proportional at other sizes."""
ZOOM = 1.2
"""Largest zoom, and the inverse of the smallest one."""
CUT = 0.3
"""Side of a cut square, as a share of the image's side."""
DEGREES = 5.0
"""Largest rotation."""


def flip_and_shift(
    images: Tensor,
    rng: torch.Generator,
    batch: int | None = None,
    part: slice = slice(None),
    flips: bool = True,
) -> Tensor:
    """Flips and shifts each image of [N, C, S, S] at random, with replicated edges; differentiable.

    Keeps the dtype; the result is in channels_last memory format. If `images` are only the `part`
    of a batch of `batch` images, random numbers are drawn for the whole batch. Without `flips`,
    images are only shifted; the random numbers are the same.
    """
    size, device = images.shape[-1], images.device
    count = len(images) if batch is None else batch
    reach = max(1, SHIFT * size // 64)
    down, right = torch.randint(-reach, reach + 1, (2, count, 1), generator=rng, device=device)[
        :, part
    ].unbind()
    flip = torch.rand(count, 1, generator=rng, device=device)[part] < (0.5 if flips else 0.0)
    line = torch.arange(size, device=device)
    rows = (line + down).clamp(0, size - 1)
    columns = (torch.where(flip, size - 1 - line, line) + right).clamp(0, size - 1)
    each = torch.arange(len(images), device=device)
    pixels = images.permute(0, 2, 3, 1)
    moved = pixels[each[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def zoom_and_cut(
    images: Tensor, rng: torch.Generator, batch: int | None = None, part: slice = slice(None)
) -> Tensor:
    """Zooms and shifts half of the images [N, C, S, S] in -1…1, and cuts a gray square out of half
    of them, so that a discriminator cannot memorize few images. Differentiable; `batch` and `part`
    as above.

    A quarter of the images stays as it is, so that the changes do not leak into the generated
    images (Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data").
    """
    size, device = images.shape[-1], images.device
    count = len(images) if batch is None else batch
    draws = torch.rand(7, count, 1, generator=rng, device=device)[:, part]
    moved, zoom, down, right, cut, row, column = draws.unbind()
    line = torch.arange(size, device=device, dtype=torch.float32)
    center, scale = (size - 1) / 2, ZOOM ** (2 * zoom - 1)
    for axis, shift in ((2, down), (3, right)):
        at = (line - center) / scale + center + (2 * shift - 1) * size / 8
        at = torch.where(moved < 0.5, at, line).clamp(0, size - 1)  # replicated edges
        # Linear interpolation as a product of matrices, whose gradient is exact on every device.
        weights = (1 - (at.unsqueeze(2) - line).abs()).clamp(min=0).unsqueeze(1)
        images = weights @ images if axis == 2 else images @ weights.transpose(2, 3)
    rows, columns = (
        ((line - size * middle).abs() < size * CUT / 2) & (cut < 0.5) for middle in (row, column)
    )
    hole = rows.unsqueeze(2) & columns.unsqueeze(1)
    return images.masked_fill(hole.unsqueeze(1), 0).contiguous(memory_format=torch.channels_last)


def flip(
    images: Tensor, rng: torch.Generator, batch: int | None = None, part: slice = slice(None)
) -> Tensor:
    """Flips each image of uint8 [N, C, S, S] with probability ½; arguments as above."""
    turned = _uniform(images, rng, batch, part) < 0.5
    return torch.where(turned.view(-1, 1, 1, 1), images.flip(3), images)


def flip_and_rotate(
    images: Tensor,
    rng: torch.Generator,
    batch: int | None = None,
    part: slice = slice(None),
    degrees: float = DEGREES,
) -> Tensor:
    """Flips uint8 [N, C, S, S], and rotates by up to ±`degrees`, with replicated edges."""
    flipped = flip(images, rng, batch, part)
    angle = (2 * _uniform(images, rng, batch, part) - 1) * math.radians(degrees)
    zero = torch.zeros_like(angle)
    turn = torch.stack([angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero], dim=1)
    grid = F.affine_grid(turn.view(-1, 2, 3), list(images.shape), align_corners=False)
    turned = F.grid_sample(flipped.float(), grid, padding_mode="border", align_corners=False)
    return turned.round().to(images.dtype)


def _uniform(images: Tensor, rng: torch.Generator, batch: int | None, part: slice) -> Tensor:
    """A uniform random number in 0…1 for each image."""
    count = len(images) if batch is None else batch
    return torch.rand(count, generator=rng, device=images.device)[part]
