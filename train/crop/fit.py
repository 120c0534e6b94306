"""`python -m train.crop.fit`: trains the face detector of `python -m train crop` on composites."""

import argparse
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from train.crop.composites import PORTRAIT, SIZE, Face, composite
from train.crop.network import STRIDE, WEIGHTS, Box, Detector, to_tensor
from train.data.files import is_image, open_files

BATCH = 32
SOURCE = 96
"""Resolution of the faces that are pasted."""
SAMPLE = 1_600
"""Images that are read of each data set, evenly spaced."""
HELD_OUT = 8
"""Every HELD_OUT-th of them is not trained on: the benchmark measures with it."""
RATE = 4e-3


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m train.crop.fit", description=__doc__)
    add_data(parser)
    parser.add_argument("--pictures", type=int, default=40_000, help="composites to train on")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    arguments = parser.parse_args(given)
    faces = read_faces(arguments.faces, arguments.portraits, held_out=False)
    state = fit(faces, arguments.pictures).state_dict()
    save_file(
        {name: t.half().contiguous() if t.is_floating_point() else t for name, t in state.items()},
        arguments.output,
    )
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes")


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--faces", type=Path, nargs="+", default=[], metavar="PATH", help="images of faces"
    )
    parser.add_argument(
        "--portraits", type=Path, nargs="+", default=[], metavar="PATH", help="wider crops"
    )


def read_faces(
    faces: Sequence[Path], portraits: Sequence[Path], *, held_out: bool, size: int = SOURCE
) -> list[Face]:
    """The training part of the images, or the held-out part, scaled to `size` pixels."""
    result = []
    for paths, share in ((faces, 1.0), (portraits, PORTRAIT)):
        for path in paths:
            with open_files(path) as source:
                names = [name for name in source.files if is_image(name)]
                for number, name in enumerate(names[:: max(1, len(names) // SAMPLE)]):
                    if (number % HELD_OUT == 0) == held_out:
                        image = Image.open(io.BytesIO(source.files[name]()))
                        result.append(Face.of(image.convert("RGB").resize((size, size)), share))
    return result


def fit(faces: Sequence[Face], pictures: int, seed: int = 0) -> Detector:
    """Trains a detector on a number of composites."""
    torch.manual_seed(seed)
    rng = np.random.RandomState(seed)
    detector = Detector().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(detector.parameters(), lr=RATE, weight_decay=0.01)
    steps = max(1, pictures // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=0.1
    )
    average = 0.0
    for step in range(1, steps + 1):
        batch = [composite(faces, rng) for _ in range(BATCH // 2)]
        batch += [mirrored(*made) for made in batch]  # costs less than another composite
        inputs = to_tensor(np.stack([picture for picture, _ in batch]))
        output = detector(inputs.contiguous(memory_format=torch.channels_last))
        loss = detection_loss(output, [boxes for _, boxes in batch])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(detector.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        average += (loss.item() - average) / min(step, 50)
        if step % 50 == 0 or step == steps:
            print(f"{step * BATCH:,} composites · loss {average:.3f}", flush=True)
    return detector.eval()


def mirrored(picture: np.ndarray, boxes: Sequence[Box]) -> tuple[np.ndarray, list[Box]]:
    return picture[:, ::-1], [replace(box, x=SIZE - box.x - box.side) for box in boxes]


def detection_loss(output: Tensor, boxes: Sequence[Sequence[Box]]) -> Tensor:
    """Focal loss of the centers, and distance of offsets and sizes (Zhou et al. 2019, "Objects as
    Points", equations 1 to 3).
    """
    cells = SIZE // STRIDE
    heat, target, weight = (torch.zeros(len(boxes), n, cells, cells) for n in (1, 3, 1))
    line = torch.arange(cells) + 0.5
    for number, found in enumerate(boxes):
        for box in found:
            size = box.side / STRIDE
            x, y = (box.x + box.side / 2) / STRIDE, (box.y + box.side / 2) / STRIDE
            distance = (line - x).square()[None] + (line - y).square()[:, None]
            bump = torch.exp(-distance / (2 * (0.15 * size + 0.3) ** 2))
            row, column = (min(cells - 1, max(0, int(v))) for v in (y, x))
            bump[row, column] = 1.0
            heat[number, 0] = torch.maximum(heat[number, 0], bump)
            near = bump > 0.6
            target[number, 0][near] = (x - line).expand(cells, cells)[near]
            target[number, 1][near] = (y - line)[:, None].expand(cells, cells)[near]
            target[number, 2][near] = math.log(size)
            weight[number, 0][near] = bump[near]
    logit = output[:, :1]
    score = logit.sigmoid()
    positive = (heat == 1).float()
    focal = positive * (1 - score).square() * F.logsigmoid(logit)
    focal = focal + (1 - positive) * (1 - heat) ** 4 * score.square() * F.logsigmoid(-logit)
    count = positive.sum().clamp(min=1)
    place = (weight * (output[:, 1:] - target).abs()).sum() / weight.sum().clamp(min=1)
    return -focal.sum() / count + place


if __name__ == "__main__":
    main()
