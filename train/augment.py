"""Augmentation on the training device, in batches, of real and fake pictures alike.

Both players must see the same changes, or the generator learns to paint them (Zhao et al. 2020,
"Differentiable Augmentation"); flips and shifts are harmless for faces, colours must stay.
"""

import torch
from torch import Tensor

SHIFT = 4
"""Pixels at 64×64, in either direction; in proportion at other sizes."""


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
