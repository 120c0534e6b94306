"""Sharp pictures made small and worn, to look like what a small generator paints.

A generated face is softer than a small photograph of a drawing: its lines are a little wide, with
pale seams along them, its hair has streaks in odd colours, and as its model has seen JPEGs, their
blocks and pale colours are in it too. An upscaler that learns from clean small pictures alone
(bicubic, say) takes all that for detail and sharpens it. The remedy is to wear the pictures at
random (Zhang et al. 2021, "Designing a practical degradation model", BSRGAN).
"""

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from train.upscaler.network import SCALE

TAPS = 24
"""Side of a kernel that makes small, in pixels of the large picture."""
BLUR = (0.3, 2.6)
"""Standard deviation of the blur along either axis, in pixels of the large picture."""
SHARPEN = 0.6
"""The strongest unsharp mask: how far a line's seams overshoot."""
STREAKS = 0.04
CHECKERBOARD = 0.012
QUALITY = (55, 98)


def degrade(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures uint8 [N, 3, 4H, 4W] to small ones uint8 [N, 3, H, W]; each is worn differently."""
    small = _shrink(pictures.float() / 255, rng)
    small = _sharpen(small, rng)
    small = small + _streaks(small, rng) + _checkerboard(small, rng)
    return _jpeg((small * 255).round().clamp(0, 255).to(torch.uint8), rng)


def _shrink(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Blurs each picture with a Gaussian of its own, and makes it small in one of four ways."""
    count = len(pictures)
    reduce = _reducers()[torch.randint(4, (count,), generator=rng)]
    blur = _gaussians(count, 15, *BLUR, rng)
    kernels = F.conv2d(reduce[None], blur[:, None], padding=7, groups=count)[0]
    kernels = kernels / kernels.sum(dim=(1, 2), keepdim=True)
    margin = (TAPS - SCALE) // 2
    framed = F.pad(pictures, [margin] * 4, mode="replicate")
    small = F.conv2d(
        framed.flatten(0, 1)[None],
        kernels.repeat_interleave(3, dim=0)[:, None],
        stride=SCALE,
        groups=3 * count,
    )
    return torch.unflatten(small[0], 0, (count, 3))


def _reducers() -> Tensor:
    """What resizing programs do: area, bilinear, bicubic and Lanczos, float32 [4, TAPS, TAPS]."""
    t = (torch.arange(TAPS) - (TAPS - 1) / 2).abs() / SCALE
    area = (t < 0.5).float()
    bilinear = (1 - t).clamp(min=0)
    cubic = torch.where(  # Keys 1981, with a = -0.5
        t < 1, 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    ) * (t < 2)
    lanczos = torch.sinc(t) * torch.sinc(t / 3) * (t < 3)
    lines = torch.stack([area, bilinear, cubic, lanczos])
    return lines[:, :, None] * lines[:, None, :]


def _gaussians(count: int, taps: int, low: float, high: float, rng: torch.Generator) -> Tensor:
    """Gaussian kernels [N, T, T] whose two deviations and direction are drawn at random."""
    first, second = low + (high - low) * torch.rand(2, count, 1, 1, generator=rng)
    angle = math.pi * torch.rand(count, 1, 1, generator=rng)
    line = torch.arange(taps) - (taps - 1) / 2
    y, x = line[:, None], line[None, :]
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    kernels = torch.exp(-0.5 * ((along / first) ** 2 + (across / second) ** 2))
    return kernels / kernels.sum(dim=(1, 2), keepdim=True)


def _sharpen(small: Tensor, rng: torch.Generator) -> Tensor:
    """Unsharp mask, for half of the pictures: the seams that sharpened drawings have."""
    amount = _amounts(len(small), SHARPEN, 0.5, rng)
    soft = F.avg_pool2d(F.pad(small, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return small + amount * (small - soft)


def _streaks(small: Tensor, rng: torch.Generator) -> Tensor:
    """Noise drawn out into short strokes, of a colour that is mostly gray."""
    count = len(small)
    noise = torch.randn(small.shape, generator=rng)
    noise = 0.4 * noise + 0.6 * torch.randn(count, 1, *small.shape[2:], generator=rng)
    kernels = _gaussians(count, 7, 0.4, 2.0, rng)
    kernels = kernels / kernels.square().sum(dim=(1, 2), keepdim=True).sqrt()
    strokes = F.conv2d(
        noise.flatten(0, 1)[None],
        kernels.repeat_interleave(3, dim=0)[:, None],
        padding=3,
        groups=3 * count,
    )
    strokes = torch.unflatten(strokes[0], 0, (count, 3))
    # Plain white and black stay plain, as they do in a generator whose output saturates.
    room = (4 * small * (1 - small)).clamp(0, 1).mean(dim=1, keepdim=True).sqrt()
    return _amounts(count, STREAKS, 0.7, rng) * room * strokes


def _checkerboard(small: Tensor, rng: torch.Generator) -> Tensor:
    """The pattern that transposed convolutions leave (Odena et al. 2016)."""
    rows, columns = (torch.arange(n) for n in small.shape[2:])
    pattern = 1.0 - 2.0 * ((rows[:, None] + columns[None, :]) % 2)
    return _amounts(len(small), CHECKERBOARD, 0.3, rng) * pattern


def _jpeg(small: Tensor, rng: torch.Generator) -> Tensor:
    """Two of three pictures go through JPEG, uint8 [N, 3, H, W] to the same."""
    degraded = small.permute(0, 2, 3, 1).contiguous().numpy()
    qualities = torch.randint(QUALITY[0], QUALITY[1] + 1, (len(small),), generator=rng)
    chosen = torch.rand(len(small), generator=rng) < 2 / 3
    for index in chosen.nonzero().flatten().tolist():
        stream = io.BytesIO()
        Image.fromarray(degraded[index]).save(stream, "JPEG", quality=int(qualities[index]))
        degraded[index] = np.asarray(Image.open(stream))
    return torch.from_numpy(degraded).permute(0, 3, 1, 2)


def _amounts(count: int, most: float, share: float, rng: torch.Generator) -> Tensor:
    """[N, 1, 1, 1]: up to `most` for that share of the pictures, 0 for the others."""
    amount = most * torch.rand(count, 1, 1, 1, generator=rng)
    return amount * (torch.rand(count, 1, 1, 1, generator=rng) < share)
