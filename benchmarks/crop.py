"""Measures the face detector of `python -m train crop` on images that it was not trained on.

    python benchmarks/crop.py --faces faces64.zip faces96.zip --portraits faces256.zip

Composites are synthetic pictures of 512 pixels with faces at known places. Portraits are real
pictures whose face is in the middle. Pictures without a face are composites, too. A face is found
if the intersection over union with its box is at least 0.5.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from train.crop.composites import Face, composite
from train.crop.fit import add_data, read_faces
from train.crop.network import Box, Detector, find_faces, load_detector

FOUND = 0.5
SCALE = 4
"""Composites are enlarged, so that several levels of the detector see them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--pictures", type=int, default=400, help="pictures of each kind (400)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    detector = load_detector()
    faces = read_faces(arguments.faces, arguments.portraits, held_out=True)
    rng = np.random.RandomState(1)
    composites = [composite(faces, rng, count=1 + n % 2) for n in range(arguments.pictures)]
    print(f"{'pictures':24}{'faces':>8}{'found':>8}{'IoU':>8}{'wrong':>8}{'seconds':>9}")
    measure("composites", detector, [enlarged(*made) for made in composites])
    without = [composite(faces, rng, count=0) for _ in range(arguments.pictures)]
    measure("composites, no face", detector, [enlarged(*made) for made in without])
    portraits = [face for face in faces if face.share < 1][: arguments.pictures]
    measure("portraits", detector, [(face.image, [middle(face)]) for face in portraits])


def enlarged(pixels: np.ndarray, boxes: list[Box]) -> tuple[Image.Image, list[Box]]:
    image = Image.fromarray(pixels)
    size = image.width * SCALE, image.height * SCALE
    scaled = [Box(SCALE * b.x, SCALE * b.y, SCALE * b.side, 1.0) for b in boxes]
    return image.resize(size, Image.Resampling.BICUBIC), scaled


def middle(face: Face) -> Box:
    """The box of a portrait's face."""
    side = face.share * face.image.width
    corner = (face.image.width - side) / 2
    return Box(corner, corner, side, 1.0)


def measure(name: str, detector: Detector, pictures: list[tuple[Image.Image, list[Box]]]) -> None:
    """Prints the share of faces that are found, the median IoU of those, the number of wrong boxes
    per picture, and the seconds per picture.
    """
    overlaps, wrong, faces, start = [], 0, 0, time.process_time()
    for picture, boxes in pictures:
        found = find_faces(detector, picture)
        best = [max((box.overlap(other) for other in found), default=0.0) for box in boxes]
        overlaps += [overlap for overlap in best if overlap >= FOUND]
        wrong += sum(all(box.overlap(other) < FOUND for other in boxes) for box in found)
        faces += len(boxes)
    seconds = (time.process_time() - start) / max(1, len(pictures))
    recall = f"{len(overlaps) / faces:.1%}" if faces else "–"
    overlap = f"{statistics.median(overlaps):.2f}" if overlaps else "–"
    rate = f"{wrong / max(1, len(pictures)):.2f}"
    print(f"{name:24}{faces:>8}{recall:>8}{overlap:>8}{rate:>8}{seconds:>9.3f}")


if __name__ == "__main__":
    main()
