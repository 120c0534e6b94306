"""How close enlarged pictures come to the true ones: PSNR and SSIM, beside plain resizing."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

from train.upscaler.degrade import degrade
from train.upscaler.network import SCALE

Enlarge = Callable[[Tensor], Tensor]
"""uint8 [N, 3, H, W] to uint8 [N, 3, 4H, 4W]."""

BATCH = 8
RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def psnr(pictures: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture in dB over all of its RGB values, [N].

    Both uint8 [N, 3, H, W]. A perfect picture counts as one that is off by one value by 1.
    """
    squared = (pictures.double() - truth.double()).square().flatten(1)
    error = squared.mean(dim=1).clamp(min=1 / squared.shape[1])
    return 10 * torch.log10(255**2 / error)


def ssim(pictures: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity of each picture (Wang et al. 2004), mean over RGB, [N].

    Both uint8 [N, 3, H, W].
    """
    # In single precision even tones come out wrong by up to 0.0004; in double it takes ten times as
    # long.
    scores = structural_similarity_index_measure(
        pictures.float(), truth.float(), data_range=255.0, reduction="none"
    )
    assert isinstance(scores, Tensor)
    return scores


def resize(how: str) -> Enlarge:
    """Plain resizing by a filter of RESAMPLING."""

    def enlarge(pictures: Tensor) -> Tensor:
        size = (pictures.shape[3] * SCALE, pictures.shape[2] * SCALE)
        rows = [
            np.array(Image.fromarray(picture).resize(size, RESAMPLING[how]))
            for picture in pictures.permute(0, 2, 3, 1).contiguous().numpy()
        ]
        return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)

    return enlarge


def degraded(truth: Tensor) -> Tensor:
    """Held-out pictures uint8 [N, 3, 4H, 4W] as the upscaler has learnt to meet them, always the
    same ones: uint8 [N, 3, H, W]."""
    rng = torch.Generator().manual_seed(0)
    return torch.cat([degrade(part, rng) for part in torch.split(truth, BATCH)])


def clean(truth: Tensor) -> Tensor:
    """Each 4 × 4 pixels' mean, of uint8 [N, 3, 4H, 4W]: uint8 [N, 3, H, W]."""
    return F.avg_pool2d(truth.float(), SCALE).round().to(torch.uint8)


def measure(enlarge: Enlarge, small: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean PSNR and SSIM of enlarged pictures, by name."""
    scores: dict[str, list[Tensor]] = {"psnr": [], "ssim": []}
    for part, true in zip(torch.split(small, BATCH), torch.split(truth, BATCH), strict=True):
        pictures = enlarge(part)
        scores["psnr"].append(psnr(pictures, true))
        scores["ssim"].append(ssim(pictures, true))
    return {name: torch.cat(parts).mean().item() for name, parts in scores.items()}
