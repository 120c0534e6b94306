"""PSNR and SSIM of enlarged images, compared with resizing filters."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

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
    """Peak signal-to-noise ratio of each image in dB over all RGB values, [N].

    Both uint8 [N, 3, H, W]. Identical images count as if one value differed by 1.
    """
    squared = (pictures.double() - truth.double()).square().flatten(1)
    error = squared.mean(dim=1).clamp(min=1 / squared.shape[1])
    return 10 * torch.log10(255**2 / error)


def ssim(pictures: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity of each image (Wang et al. 2004), mean over RGB, [N].

    Both uint8 [N, 3, H, W].
    """
    # Imports torchvision, too; exports and generators do not need it.
    from torchmetrics.functional.image import structural_similarity_index_measure

    # In single precision the error for uniform areas is up to 0.0004; double precision takes ten
    # times as long.
    scores = structural_similarity_index_measure(
        pictures.float(), truth.float(), data_range=255.0, reduction="none"
    )
    assert isinstance(scores, Tensor)
    return scores


def resize(method: str) -> Enlarge:
    """Resizing by a filter of RESAMPLING."""

    def enlarge(pictures: Tensor) -> Tensor:
        size = (pictures.shape[3] * SCALE, pictures.shape[2] * SCALE)
        rows = [
            np.array(Image.fromarray(picture).resize(size, RESAMPLING[method]))
            for picture in pictures.permute(0, 2, 3, 1).contiguous().numpy()
        ]
        return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)

    return enlarge


def degraded(truth: Tensor) -> Tensor:
    """Degrades held-out images uint8 [N, 3, 4H, 4W] as in training, with a fixed seed, to uint8
    [N, 3, H, W].
    """
    rng = torch.Generator().manual_seed(0)
    return torch.cat([degrade(part, rng) for part in torch.split(truth, BATCH)])


def clean(truth: Tensor) -> Tensor:
    """Mean of each 4 × 4 pixels: uint8 [N, 3, 4H, 4W] to uint8 [N, 3, H, W]."""
    return F.avg_pool2d(truth.float(), SCALE).round().to(torch.uint8)


def measure(enlarge: Enlarge, small: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean PSNR and SSIM of enlarged images, by name."""
    scores: dict[str, list[Tensor]] = {"psnr": [], "ssim": []}
    for part, true in zip(torch.split(small, BATCH), torch.split(truth, BATCH), strict=True):
        pictures = enlarge(part)
        scores["psnr"].append(psnr(pictures, true))
        scores["ssim"].append(ssim(pictures, true))
    return {name: torch.cat(parts).mean().item() for name, parts in scores.items()}
