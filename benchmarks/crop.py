"""Measures the face detector of `python -m train crop` on images that it was not trained on.

    python benchmarks/crop.py --faces faces64.zip faces96.zip --portraits faces256.zip

Composites are synthetic pictures of 512 pixels with faces at known places, made like those that the
detector was trained on. Portraits are real pictures whose face is in the middle. Scenes imitate
whole illustrations of 600 to 1,600 pixels, and are made in another way than composites: figures
with drawn bodies, whose heads are those of portraits, before a landscape or a town. A face is found
if the intersection over union with its box is at least 0.5. The most certain box of a picture is
the one that is cropped by default.
"""

import argparse
import math
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from train.crop.composites import MAX_OVERLAP, Face, composite
from train.crop.fit import add_data, read_faces
from train.crop.network import Box, Detector, find_faces, load_detector

FOUND = 0.5
SHARES = (0.05, 0.1), (0.1, 0.2), (0.2, 0.41)
"""Ranges of sizes of faces in scenes, relative to the longer side."""
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
    print(
        f"{'pictures':24}{'faces':>7}{'found':>8}{'right':>8}{'certain':>9}{'IoU':>6}{'wrong':>7}"
        f"{'seconds':>9}"
    )
    measure("composites", detector, [enlarged(*made) for made in composites])
    without = [composite(faces, rng, count=0) for _ in range(arguments.pictures)]
    measure("composites, no face", detector, [enlarged(*made) for made in without])
    portraits = [face for face in faces if face.share < 1][: arguments.pictures]
    measure("portraits", detector, [(face.image, [middle(face)]) for face in portraits])
    if arguments.portraits:
        large = read_faces([], arguments.portraits, held_out=True, size=256)
        scenes = [scene(large, rng) for _ in range(arguments.pictures // 2)]
        measure("scenes", detector, scenes, SHARES)


def scene(faces: list[Face], rng: np.random.RandomState) -> tuple[Image.Image, list[Box]]:
    """A picture with one to three figures, and the boxes of their faces, which have 5% to 40% of
    the longer side.
    """
    width, height = (int(v) for v in rng.randint(600, 1601, 2))
    picture = backdrop(width, height, rng)
    boxes: list[Box] = []
    for _ in range(rng.randint(1, 4)):
        side = max(width, height) * math.exp(rng.uniform(math.log(0.05), math.log(0.4)))
        side = min(side, 0.6 * min(width, height))
        x, y = rng.uniform(0, width - side), rng.uniform(0, 0.7 * (height - side))
        box = Box(x, y, side, 1.0)
        if all(box.overlap(other) < MAX_OVERLAP for other in boxes):
            boxes.append(box)
    for box in boxes:
        draw_body(picture, box, rng)
    for box in boxes:
        paste_head(picture, faces[rng.randint(len(faces))], box, rng)
    return picture, boxes


def backdrop(width: int, height: int, rng: np.random.RandomState) -> Image.Image:
    """Sky, hills and clouds, or houses with windows."""
    top, bottom, near, light = (tuple(map(int, rng.randint(40, 256, 3))) for _ in range(4))
    ramp = np.linspace(0, 1, height)[:, None, None]
    sky = np.array(top) * (1 - ramp) + np.array(bottom) * ramp
    picture = Image.fromarray(np.broadcast_to(sky, (height, width, 3)).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.randint(2, 8)):  # clouds and trees
        x, y, r = rng.randint(width), rng.randint(height), rng.randint(20, 200)
        pen.ellipse((x - r, y - r // 2, x + r, y + r // 2), light)
    if rng.rand() < 0.5:
        line = [(x, height * rng.uniform(0.5, 0.8)) for x in range(0, width + 100, 100)]
        pen.polygon([(0, height), *line, (width, height)], near)
    else:
        for x in range(0, width, 160):
            roof = int(height * rng.uniform(0.2, 0.7))
            pen.rectangle((x, roof, x + 150, height), near)
            for y in range(roof + 20, height, 60):
                pen.rectangle((x + 30, y, x + 60, y + 35), light)
                pen.rectangle((x + 90, y, x + 120, y + 35), light)
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 4)))


def draw_body(picture: Image.Image, box: Box, rng: np.random.RandomState) -> None:
    """Neck, shoulders and clothes below the box of a face."""
    pen, unit = ImageDraw.Draw(picture), box.side
    cloth, skin = (tuple(map(int, rng.randint(low, 256, 3))) for low in (20, 180))
    x, y = box.x + unit / 2, box.y + 0.9 * unit
    pen.rectangle((x - 0.12 * unit, y - 0.1 * unit, x + 0.12 * unit, y + 0.2 * unit), skin)
    pen.polygon(
        [
            *((x - 0.2 * unit, y + 0.1 * unit), (x + 0.2 * unit, y + 0.1 * unit)),
            *((x + 0.7 * unit, y + 0.5 * unit), (x + 0.5 * unit, y + 3 * unit)),
            *((x - 0.5 * unit, y + 3 * unit), (x - 0.7 * unit, y + 0.5 * unit)),
        ],
        cloth,
        "black",
        max(1, int(unit / 60)),
    )


def paste_head(picture: Image.Image, face: Face, box: Box, rng: np.random.RandomState) -> None:
    """The head of a portrait, slightly rotated, with soft borders."""
    side = round(box.side / face.share)
    oval = Image.new("L", face.image.size, 0)
    size = oval.width
    ImageDraw.Draw(oval).ellipse((0.08 * size, 0.04 * size, 0.92 * size, 0.94 * size), 255)
    mask = oval.filter(ImageFilter.GaussianBlur(size / 40))
    angle = float(rng.normal(0, 10))
    head, mask = (
        image.rotate(angle, Image.Resampling.BICUBIC).resize((side, side), Image.Resampling.LANCZOS)
        for image in (face.image, mask)
    )
    x, y = (round(corner + box.side / 2 - side / 2) for corner in (box.x, box.y))
    picture.paste(head, (x, y), mask)


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


def measure(
    name: str,
    detector: Detector,
    pictures: list[tuple[Image.Image, list[Box]]],
    shares: tuple[tuple[float, float], ...] = (),
) -> None:
    """Prints the share of faces that are found (recall), the share of boxes that are right
    (precision), the share of pictures whose most certain box is right, the median IoU of the found
    faces, the number of wrong boxes per picture, and the seconds per picture. For each of `shares`
    prints the recall of faces whose side is in this range, as a share of the longer side.
    """
    overlaps: list[tuple[float, float]] = []  # of each face: its share of the longer side, and IoU
    right = wrong = certain = 0
    start = time.process_time()
    for picture, boxes in pictures:
        found = find_faces(detector, picture)
        longer = max(picture.size)
        for box in boxes:
            best = max((box.overlap(other) for other in found), default=0.0)
            overlaps.append((box.side / longer, best))
        are_right = [any(box.overlap(other) >= FOUND for other in boxes) for box in found]
        right, wrong = right + sum(are_right), wrong + len(found) - sum(are_right)
        certain += bool(are_right and are_right[0])
    seconds = (time.process_time() - start) / max(1, len(pictures))
    good = [overlap for _, overlap in overlaps if overlap >= FOUND]
    faces = len(overlaps)
    cells = [
        f"{faces:>7}",
        f"{len(good) / faces:>8.1%}" if faces else f"{'–':>8}",
        f"{right / (right + wrong):>8.1%}" if faces and right + wrong else f"{'–':>8}",
        f"{certain / len(pictures):>9.1%}" if faces else f"{'–':>9}",
        f"{statistics.median(good):>6.2f}" if good else f"{'–':>6}",
        f"{wrong / max(1, len(pictures)):>7.2f}{seconds:>9.3f}",
    ]
    print(f"{name:24}" + "".join(cells))
    for low, high in shares:
        chosen = [overlap for share, overlap in overlaps if low <= share < high]
        text = f"  {low:.0%} to {high:.0%} of the side"
        rate = sum(overlap >= FOUND for overlap in chosen) / max(1, len(chosen))
        print(f"{text:24}{len(chosen):>7}{rate:>8.1%}")


if __name__ == "__main__":
    main()
