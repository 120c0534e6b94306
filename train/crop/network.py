"""A small network that finds anime faces, and its outputs as boxes."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

WEIGHTS = Path(__file__).with_name("detector.safetensors")
STRIDE = 8
"""Pixels of a cell of the output."""
SMALLEST, LARGEST = 20.0, 72.0
"""Sides of the boxes that the network learns to find, in pixels."""
LEVELS = (48, 96, 192, 384, 768)
"""Longer sides that an image is scaled to, so that large and small faces are found."""
OVERLAP = 0.5
"""Part of the smaller of two boxes that may be in the other one; above, both are of one face. Eyes
look like small faces."""
MIN_SCORE = 0.5
CHANNELS = (12, 24, 48)


@dataclass(frozen=True)
class Box:
    """A square around a face, framed as the training images are: hair, chin and a bit of neck."""

    x: float
    """Left side in pixels of the image; may be outside of it."""
    y: float
    side: float
    score: float
    """0…1."""

    def overlap(self, other: "Box") -> float:
        """Intersection over union."""
        shared = self.intersection(other)
        return shared / (self.side**2 + other.side**2 - shared)

    def intersection(self, other: "Box") -> float:
        """Square pixels that are in both boxes."""
        width = min(self.x + self.side, other.x + other.side) - max(self.x, other.x)
        height = min(self.y + self.side, other.y + other.side) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height)


class Detector(nn.Module):
    """Three convolutions with stride 2, residual blocks, and four outputs for each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_convolution(3, CHANNELS[0], stride=2),
            *_convolution(CHANNELS[0], CHANNELS[1], stride=2),
            *_convolution(CHANNELS[1], CHANNELS[2], stride=2),
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*_convolution(CHANNELS[2], CHANNELS[2], dilation=dilation))
            for dilation in (1, 2, 1, 2)
        )
        self.head = nn.Conv2d(CHANNELS[2], 4, 1)
        bias = torch.zeros(4)
        bias[0] = -4.0  # few cells have a face
        self.head.bias = nn.Parameter(bias)

    def forward(self, images: Tensor) -> Tensor:
        """Images float32 [N, 3, H, W] in -1…1 to [N, 4, H/8, W/8]: the logit of a face's center,
        its offset (right, down) from the middle of the cell in cells, and log(side / STRIDE).
        """
        x = self.stem(images)
        for block in self.blocks:
            x = x + block(x)
        result: Tensor = self.head(x)
        return result


def _convolution(a: int, b: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(a, b, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(b),
        nn.ReLU(inplace=True),
    ]


def load_detector(file: Path = WEIGHTS) -> Detector:
    """The trained detector."""
    detector = Detector()
    detector.load_state_dict({name: t.float() for name, t in load_file(file).items()})
    return detector.eval()


@torch.inference_mode()
def find_faces(detector: Detector, image: Image.Image, min_score: float = MIN_SCORE) -> list[Box]:
    """The faces of an RGB image, best first."""
    found: list[Box] = []
    longer = max(image.size)
    for level in LEVELS:
        scale = min(1.0, level / longer)
        if scale * min(image.size) >= STRIDE:
            found += _find(detector, image, scale, min_score)
        if scale == 1.0:
            break
    kept: list[Box] = []
    for box in sorted(found, key=lambda box: -box.score):
        shared = (box.intersection(other) / min(box.side, other.side) ** 2 for other in kept)
        if all(part <= OVERLAP for part in shared):
            kept.append(box)
    return kept


def _find(detector: Detector, image: Image.Image, scale: float, min_score: float) -> list[Box]:
    width, height = (max(STRIDE, round(scale * side)) for side in image.size)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    tensor = to_tensor(pixels[None])
    tensor = F.pad(tensor, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
    return boxes(detector(tensor)[0], scale, min_score)


def to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 [N, H, W, 3] to float32 [N, 3, H, W] in -1…1."""
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1


def boxes(output: Tensor, scale: float, min_score: float) -> list[Box]:
    """The local maxima of an output [4, H, W] of an image that was scaled by `scale`."""
    score = output[0].sigmoid()
    highest = F.max_pool2d(score[None], 3, stride=1, padding=1)[0]
    rows, columns = torch.nonzero((score == highest) & (score >= min_score), as_tuple=True)
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        right, down, size = output[1:, row, column].tolist()
        side = STRIDE * math.exp(size)
        x, y = STRIDE * (column + 0.5 + right), STRIDE * (row + 0.5 + down)
        values = ((x - side / 2) / scale, (y - side / 2) / scale, side / scale)
        found.append(Box(*values, score[row, column].item()))
    return found
