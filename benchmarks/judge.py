"""Is the judge worth believing? Spoils held-out real faces, more and more, and prints Q.

    python benchmarks/judge.py --data faces64.zip

Every kind of damage must raise Q, the stronger the more; unspoilt faces have Q = 1.
"""

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))  # else `train` would be the benchmark

from train.data import DataError, load
from train.judge import prepare
from train.settings import JudgeSettings


def blur(images: Tensor, strength: float) -> Tensor:
    """Gaussian, with a deviation of `strength` pixels."""
    reach = 4
    line = torch.arange(-reach, reach + 1).float()
    kernel = torch.exp(-line.square() / (2 * strength**2))
    kernel = (kernel / kernel.sum()).view(1, 1, -1, 1).repeat(3, 1, 1, 1)
    x = F.pad(images.float(), (reach,) * 4, mode="replicate")
    x = F.conv2d(F.conv2d(x, kernel, groups=3), kernel.transpose(2, 3), groups=3)
    return _bytes(x)


def jpeg(images: Tensor, strength: float) -> Tensor:
    """Compressed at quality 100 / strength."""
    spoilt = []
    for image in images.permute(0, 2, 3, 1).contiguous().numpy():
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "JPEG", quality=round(100 / strength))
        spoilt.append(np.asarray(Image.open(stream)))
    return torch.from_numpy(np.stack(spoilt)).permute(0, 3, 1, 2)


def noise(images: Tensor, strength: float) -> Tensor:
    """Normal, with a deviation of `strength` in 8-bit steps."""
    rng = torch.Generator().manual_seed(0)
    return _bytes(images + strength * torch.randn(images.shape, generator=rng))


def checkerboard(images: Tensor, strength: float) -> Tensor:
    """Every second pixel lighter, the others darker, by `strength` in 8-bit steps."""
    line = torch.arange(images.shape[-1])
    board = ((line[:, None] + line) % 2) * 2 - 1
    return _bytes(images + strength * board)


def swapped_halves(images: Tensor, strength: float) -> Tensor:
    """A share of `strength` of the faces gets the left half of another face."""
    count, middle = round(strength * len(images)), images.shape[-1] // 2
    spoilt = images.clone()
    spoilt[:count, :, :, :middle] = images.roll(1, dims=0)[:count, :, :, :middle]
    return spoilt


DAMAGE: dict[Callable[[Tensor, float], Tensor], tuple[float, ...]] = {
    blur: (0.5, 0.8, 1.2),
    jpeg: (2, 5, 10),
    noise: (5, 10, 20, 40),
    checkerboard: (3, 6, 12),
    swapped_halves: (0.25, 0.5, 1),
}


def _bytes(images: Tensor) -> Tensor:
    return images.round().clamp(0, 255).to(torch.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the judge is kept")
    arguments = parser.parse_args()
    try:
        faces = load(arguments.data, arguments.resolution)
        judge = prepare(faces, arguments.runs, images=JudgeSettings().images, report=print)
    except DataError as error:
        sys.exit(str(error))
    print(f"{'damage':16}{'strength':>10}{'Q':>9}{'near duplicates':>18}{'diversity':>11}")
    for damage, strengths in DAMAGE.items():
        for strength in strengths:
            spoilt = damage(judge.held_out.images, strength)
            figures = judge.compare(spoilt, judge.held_out.labels)
            print(
                f"{damage.__name__:16}{strength:10g}{figures['q']:9.2f}"
                f"{figures['near_duplicates']:18.3f}{figures['diversity']:11.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
