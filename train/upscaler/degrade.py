"""Degradation of sharp images, to resemble the output of a small generator.

Compared with a downscaled drawing, a generated face is softer: lines are wider and have pale edges,
hair has streaks of odd colors, and there are JPEG artifacts from the training data. An upscaler
trained on clean downscaled images would sharpen these artifacts. Images are therefore degraded at
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
"""Side of a downscaling kernel, in pixels of the large image."""
BLUR = (0.3, 2.6)
"""Standard deviation of the blur along either axis, in pixels of the large image."""
SHARPEN = 0.6
"""Largest amount of the unsharp mask, which makes edges overshoot."""
STREAKS = 0.04
CHECKERBOARD = 0.012
QUALITY = (55, 98)


def degrade(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Images uint8 [N, 3, 4H, 4W] to small ones uint8 [N, 3, H, W], each degraded differently."""
    small = _shrink(pictures.float() / 255, rng)
    small = _sharpen(small, rng)
    small = small + _streaks(small, rng) + _checkerboard(small, rng)
    return _jpeg((small * 255).round().clamp(0, 255).to(torch.uint8), rng)


def _shrink(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Blurs each image with a random Gaussian, and downscales it with one of four filters."""
    count = len(pictures)
    downscaling = _downscaling_filters()[torch.randint(4, (count,), generator=rng)]
    blur = _gaussians(count, 15, *BLUR, rng)
    kernels = F.conv2d(downscaling[None], blur[:, None], padding=7, groups=count)[0]
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


def _downscaling_filters() -> Tensor:
    """Area, bilinear, bicubic and Lanczos filters, float32 [4, TAPS, TAPS]."""
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
    """Gaussian kernels [N, T, T] with random deviations along both axes and random direction."""
    first, second = low + (high - low) * torch.rand(2, count, 1, 1, generator=rng)
    angle = math.pi * torch.rand(count, 1, 1, generator=rng)
    line = torch.arange(taps) - (taps - 1) / 2
    y, x = line[:, None], line[None, :]
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    kernels = torch.exp(-0.5 * ((along / first) ** 2 + (across / second) ** 2))
    return kernels / kernels.sum(dim=(1, 2), keepdim=True)


def _sharpen(small: Tensor, rng: torch.Generator) -> Tensor:
    """Unsharp mask for half of the images, as in sharpened drawings."""
    amount = _amounts(len(small), SHARPEN, 0.5, rng)
    soft = F.avg_pool2d(F.pad(small, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return small + amount * (small - soft)


def _streaks(small: Tensor, rng: torch.Generator) -> Tensor:
    """Noise in short strokes, mostly gray."""
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
    # No noise on pure white and black, as in a generator whose output saturates.
    room = (4 * small * (1 - small)).clamp(0, 1).mean(dim=1, keepdim=True).sqrt()
    return _amounts(count, STREAKS, 0.7, rng) * room * strokes


def _checkerboard(small: Tensor, rng: torch.Generator) -> Tensor:
    """The checkerboard pattern of transposed convolutions (Odena et al. 2016)."""
    rows, columns = (torch.arange(n) for n in small.shape[2:])
    pattern = 1.0 - 2.0 * ((rows[:, None] + columns[None, :]) % 2)
    return _amounts(len(small), CHECKERBOARD, 0.3, rng) * pattern


def _jpeg(small: Tensor, rng: torch.Generator) -> Tensor:
    """Compresses two of three images as JPEG, uint8 [N, 3, H, W] to the same."""
    degraded = small.permute(0, 2, 3, 1).contiguous().numpy()
    qualities = torch.randint(QUALITY[0], QUALITY[1] + 1, (len(small),), generator=rng)
    chosen = torch.rand(len(small), generator=rng) < 2 / 3
    for index in chosen.nonzero().flatten().tolist():
        stream = io.BytesIO()
        Image.fromarray(degraded[index]).save(stream, "JPEG", quality=int(qualities[index]))
        degraded[index] = np.asarray(Image.open(stream))
    return torch.from_numpy(degraded).permute(0, 3, 1, 2)


def _amounts(count: int, most: float, share: float, rng: torch.Generator) -> Tensor:
    """Random amounts [N, 1, 1, 1] up to `most` for that share of the images, 0 for the others."""
    amount = most * torch.rand(count, 1, 1, 1, generator=rng)
    return amount * (torch.rand(count, 1, 1, 1, generator=rng) < share)
