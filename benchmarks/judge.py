"""Measures the sensitivity of the judge: damages held-out real images, and prints the FD ratio.

    python benchmarks/judge.py --data faces64.zip [--detector]

Every kind of damage must increase the FD ratio, and stronger damage more so; undamaged images have
1. With `--detector` it prints the figures of the face detector instead. Positions of eyes and
mouths are those of faces64: aligned faces, eyes at two fifths of the height.
"""

import argparse
import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from export.figures import (
    DETECTOR_FACES,
    DETECTOR_FD_RATIO,
    FD_RATIO,
    FD_RATIO_POOLED,
    label,
    number,
)
from train.data import DataError, Faces, load
from train.metrics import Fidelity
from train.metrics.detected import DetectedFaces
from train.metrics.fidelity import FD_NAMES
from train.networks.features import FeatureNetworkError
from train.progress import progress_bar


def blur(images: Tensor, strength: float) -> Tensor:
    """Gaussian blur with a standard deviation of `strength` pixels."""
    reach = 4
    line = torch.arange(-reach, reach + 1).float()
    kernel = torch.exp(-line.square() / (2 * strength**2))
    kernel = (kernel / kernel.sum()).view(1, 1, -1, 1).repeat(3, 1, 1, 1)
    x = F.pad(images.float(), (reach,) * 4, mode="replicate")
    x = F.conv2d(F.conv2d(x, kernel, groups=3), kernel.transpose(2, 3), groups=3)
    return _bytes(x)


def jpeg(images: Tensor, strength: float) -> Tensor:
    """JPEG compression with quality 100 / strength."""
    damaged = []
    for image in images.permute(0, 2, 3, 1).contiguous().numpy():
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "JPEG", quality=round(100 / strength))
        damaged.append(np.asarray(Image.open(stream)))
    return torch.from_numpy(np.stack(damaged)).permute(0, 3, 1, 2)


def noise(images: Tensor, strength: float) -> Tensor:
    """Normal noise with a standard deviation of `strength` in 8-bit steps."""
    rng = torch.Generator().manual_seed(0)
    return _bytes(images + strength * torch.randn(images.shape, generator=rng))


def checkerboard(images: Tensor, strength: float) -> Tensor:
    """A checkerboard pattern of ±`strength` in 8-bit steps."""
    line = torch.arange(images.shape[-1])
    board = ((line[:, None] + line) % 2) * 2 - 1
    return _bytes(images + strength * board)


def swapped_halves(images: Tensor, strength: float) -> Tensor:
    """Replaces the left half of a share of `strength` of the faces by that of another face."""
    count, middle = round(strength * len(images)), images.shape[-1] // 2
    damaged = images.clone()
    damaged[:count, :, :, :middle] = images.roll(1, dims=0)[:count, :, :, :middle]
    return damaged


def undamaged(images: Tensor, _: float) -> Tensor:
    return images


def shuffled_quarters(images: Tensor, strength: float) -> Tensor:
    """Exchanges the quarters of a share of `strength` of the faces diagonally: no face is left."""
    count, middle = round(strength * len(images)), images.shape[-1] // 2
    damaged = images.clone()
    damaged[:count] = images[:count].roll((middle, middle), dims=(2, 3))
    return damaged


LEFT_EYE = (0.30, 0.20, 0.52, 0.41)
"""Top, left, bottom and right, relative to the size of the image."""
MOUTH = (0.60, 0.38, 0.73, 0.62)


def eye_erased(images: Tensor, strength: float) -> Tensor:
    """Replaces one eye by skin in a share of `strength` of the faces."""
    size = images.shape[-1]
    nose = images[:, :, round(0.47 * size) : round(0.56 * size), round(0.46 * size) :][..., :6]
    skin = nose.float().flatten(2).median(dim=2).values[:, :, None, None]
    return _blend(images, skin.expand_as(images), LEFT_EYE, strength)


def eye_of_another(images: Tensor, strength: float) -> Tensor:
    """Replaces one eye by that of another face in a share of `strength` of the faces."""
    return _blend(images, images.roll(1, dims=0), LEFT_EYE, strength)


def eye_moved(images: Tensor, strength: float) -> Tensor:
    """Moves one eye down by three of 64 pixels in a share of `strength` of the faces."""
    return _blend(images, images.roll(round(3 / 64 * images.shape[-1]), dims=2), LEFT_EYE, strength)


def mouth_smeared(images: Tensor, strength: float) -> Tensor:
    """Blurs the mouth in a share of `strength` of the faces."""
    return _blend(images, blur(images, images.shape[-1] / 24), MOUTH, strength)


def _blend(
    images: Tensor, other: Tensor, box: tuple[float, float, float, float], strength: float
) -> Tensor:
    """Replaces an ellipse with a soft edge by `other` in a share of `strength` of the images."""
    size = images.shape[-1]
    top, left, bottom, right = (size * side for side in box)
    line = torch.arange(size) + 0.5
    y = (line - (top + bottom) / 2) / ((bottom - top) / 2)
    x = (line - (left + right) / 2) / ((right - left) / 2)
    inside = (1.25 - (x[None].square() + y[:, None].square()).sqrt()).mul(4).clamp(0, 1)
    count = round(strength * len(images))
    damaged = images.clone()
    mixed = images[:count] + inside * (other[:count].float() - images[:count])
    damaged[:count] = _bytes(mixed)
    return damaged


SHARES = (0.25, 0.5, 1)
FACIAL = (eye_erased, eye_of_another, eye_moved, mouth_smeared)
"""Damages that require aligned faces."""
DAMAGE: dict[Callable[[Tensor, float], Tensor], tuple[float, ...]] = {
    blur: (0.5, 0.8, 1.2),
    jpeg: (2, 5, 10),
    noise: (5, 10, 20, 40),
    checkerboard: (3, 6, 12),
    swapped_halves: SHARES,
    **dict.fromkeys(FACIAL, SHARES),
}


def _bytes(images: Tensor) -> Tensor:
    return images.round().clamp(0, 255).to(torch.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder in which features are cached"
    )
    parser.add_argument("--images", type=int, help="use a random subset of this size")
    parser.add_argument("--detector", action="store_true", help="figures of the face detector")
    arguments = parser.parse_args()
    try:
        faces = load(arguments.data, arguments.resolution)
        order = torch.randperm(len(faces), generator=torch.Generator().manual_seed(0))
        rows = order[: arguments.images]
        faces = replace(faces, images=faces.images[rows], labels=faces.labels[rows])
        if arguments.detector:
            print_detected(faces)
            return
        fidelity = Fidelity(faces, arguments.runs)
    except (DataError, FeatureNetworkError) as error:
        sys.exit(str(error))
    with progress_bar(Console(), "features of the real images") as report_progress:
        fidelity.prepare(report_progress)
    columns = (FD_RATIO, FD_RATIO_POOLED, *FD_NAMES)
    print(f"{'damage':16}{'strength':>10}" + "".join(f"{label(n):>26}" for n in columns))
    for damage, strengths in DAMAGE.items():
        for strength in strengths:
            figures = fidelity.figures(damage(fidelity.held_out.images, strength))
            figures = {name: figures[name] / fidelity.floor[name] for name in FD_NAMES} | (
                fidelity.ratios(figures)
            )
            cells = "".join(f"{figures[name]:26.3f}" for name in columns)
            print(f"{damage.__name__:16}{strength:10g}{cells}", flush=True)


def print_detected(faces: Faces) -> None:
    """Prints the figures of the face detector for held-out images, undamaged and damaged."""
    detected = DetectedFaces(faces)
    columns = (DETECTOR_FACES, DETECTOR_FD_RATIO)
    print(f"{'damage':16}{'strength':>10}" + "".join(f"{label(n):>22}" for n in columns))
    kinds: dict[Callable[[Tensor, float], Tensor], tuple[float, ...]] = {
        undamaged: (0,),
        **DAMAGE,
        blur: (0.5, 0.8, 1.2, 4),
        shuffled_quarters: (1,),
        noise: (5, 10, 20, 40, 200),
    }
    for damage, strengths in kinds.items():
        for strength in strengths:
            figures = detected.figures(damage(detected.held_out.images, strength))
            cells = "".join(f"{number(name, figures[name]):>22}" for name in columns)
            print(f"{damage.__name__:16}{strength:10g}{cells}", flush=True)


if __name__ == "__main__":
    main()
