"""Synthetic pictures with faces at known places, on which the face detector is trained.

Faces are pasted at random sizes onto backgrounds of colors, shapes and pieces of other images.
Pieces without a face are pasted in the same way, so that borders do not tell where a face is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from train.crop.network import LARGEST, SMALLEST, Box

SIZE = 128
"""Side of the pictures in pixels."""
PORTRAIT = 0.78
"""Part of a portrait's side that a crop has: portraits, as of selfie2anime, show more than the
face."""
MAX_OVERLAP = 0.05
SKIN = ("#ffe8d8", "#ffdcc8", "#f8d0b8", "#e8b898", "#c89878", "#98684c")


@dataclass(frozen=True)
class Face:
    image: Image.Image
    """RGB, square."""
    share: float
    """Side of the crop in the middle, as a share of the image's side."""
    mask: Image.Image | None
    """The head before a white background, of the image's size; None before another background."""

    @classmethod
    def of(cls, image: Image.Image, share: float) -> "Face":
        return cls(image, share, _cut_out(image))


def composite(
    faces: Sequence[Face], rng: np.random.RandomState, count: int | None = None
) -> tuple[np.ndarray, list[Box]]:
    """A picture uint8 [SIZE, SIZE, 3], and the boxes of its faces: `count`, or 0 to 3."""
    picture = _background(faces, rng)
    if count is None:
        count = int(rng.choice(4, p=(0.2, 0.5, 0.2, 0.1)))
    for _ in range(rng.randint(0, 4)):
        _add_decoy(picture, faces, rng)
    found: list[Box] = []
    for _ in range(count):
        box = _place(found, rng)
        if box is not None:
            found.append(box)
            _add_face(picture, faces[rng.randint(len(faces))], box, rng)
    return np.asarray(_finish(picture, rng)), found


def _place(others: list[Box], rng: np.random.RandomState) -> Box | None:
    """A free place for a face; up to a fifth of it may be outside of the picture."""
    for _ in range(10):
        side = math.exp(rng.uniform(math.log(SMALLEST), math.log(LARGEST)))
        x, y = rng.uniform(-0.2 * side, SIZE - 0.8 * side, 2)
        box = Box(x, y, side, 1.0)
        if all(box.overlap(other) < MAX_OVERLAP for other in others):
            return box
    return None


def _add_face(picture: Image.Image, face: Face, box: Box, rng: np.random.RandomState) -> None:
    side = max(8, round(box.side / face.share))
    image, mask = face.image, face.mask if rng.rand() < 0.7 else None
    if mask is None:
        mask = _mask(image.size[0], rng)
    elif rng.rand() < 0.7:
        _add_body(picture, box, rng)
    if rng.rand() < 0.5:
        image, mask = ImageOps.mirror(image), ImageOps.mirror(mask)
    if rng.rand() < 0.6:
        angle = float(rng.normal(0, 10))
        fill = tuple(int(v) for v in np.asarray(image)[0, 0])
        image = image.rotate(angle, Image.Resampling.BILINEAR, fillcolor=fill)
        mask = mask.rotate(angle, Image.Resampling.BILINEAR)
    image = _recolor(image, rng)
    middle = box.x + box.side / 2, box.y + box.side / 2
    corner = round(middle[0] - side / 2), round(middle[1] - side / 2)
    size = (side, side)
    picture.paste(
        image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2),
        corner,
        mask.resize(size, Image.Resampling.BILINEAR),
    )


def _add_body(picture: Image.Image, box: Box, rng: np.random.RandomState) -> None:
    """A neck and a trunk below a head."""
    draw = ImageDraw.Draw(picture)
    x, y, side = box.x + box.side / 2, box.y + box.side, box.side
    neck, top = rng.uniform(0.1, 0.2) * side, y - rng.uniform(0.05, 0.25) * side
    shoulder, bottom = rng.uniform(0.35, 0.9) * side, y + rng.uniform(0.5, 4) * side
    waist = rng.uniform(0.3, 1.0) * side
    draw.rectangle((x - neck, top - 0.3 * side, x + neck, top + 0.2 * side), _skin(rng))
    corners = [(x - shoulder, top + 0.2 * side), (x + shoulder, top + 0.2 * side)]
    corners += [(x + waist, bottom), (x - waist, bottom)]
    draw.polygon(corners, _color(rng), _color(rng) if rng.rand() < 0.5 else None)
    for _ in range(rng.randint(0, 5)):
        points = [(x + rng.uniform(-1, 1) * waist, rng.uniform(top, bottom)) for _ in range(2)]
        draw.line(points, _color(rng), rng.randint(1, 4))


def _add_decoy(picture: Image.Image, faces: Sequence[Face], rng: np.random.RandomState) -> None:
    """Pastes something that is no face, with borders as those of faces, or draws skin."""
    side = rng.randint(12, 100)
    x, y = rng.randint(-side // 3, SIZE, 2)
    kind = rng.randint(3)
    if kind == 0:
        draw, end = ImageDraw.Draw(picture), (x + side * rng.uniform(0.2, 1), y + side)
        shape = draw.ellipse if rng.rand() < 0.7 else draw.rectangle
        shape((x, y, *end), _skin(rng), "#503030" if rng.rand() < 0.5 else None)
        return
    if kind == 1:
        piece = _shuffled(faces[rng.randint(len(faces))].image, rng)
    else:
        piece = _piece(faces, rng)
    piece = _recolor(piece, rng).resize((side, side), Image.Resampling.BILINEAR)
    picture.paste(piece, (int(x), int(y)), _mask(side, rng))


def _shuffled(image: Image.Image, rng: np.random.RandomState) -> Image.Image:
    """The tiles of an image in another order: its colors and lines, and no face."""
    count = rng.randint(2, 5)
    tile = image.size[0] // count
    result = Image.new("RGB", (count * tile, count * tile))
    order = np.roll(rng.permutation(count * count), 1)
    for place, origin in enumerate(order):
        row, column = divmod(int(origin), count)
        box = (column * tile, row * tile, (column + 1) * tile, (row + 1) * tile)
        part = image.crop(box).rotate(90 * rng.randint(4))
        result.paste(part, (place % count * tile, place // count * tile))
    return result


def _piece(faces: Sequence[Face], rng: np.random.RandomState) -> Image.Image:
    """A corner of an image, enlarged: hair, clothes, background, at most one eye."""
    image = faces[rng.randint(len(faces))].image
    whole = image.size[0]
    part = max(6, round(whole * rng.uniform(0.15, 0.38)))
    x, y = (int(v) for v in (rng.randint(2, size=2) * (whole - part)))
    result = image.crop((x, y, x + part, y + part))
    return result.rotate(90 * rng.randint(4)) if rng.rand() < 0.5 else result


def _cut_out(image: Image.Image) -> Image.Image | None:
    small = image.resize((48, 48))
    marker = (1, 254, 3)
    for corner in ((0, 0), (47, 0)):
        if min(small.getpixel(corner)) > 215:  # type: ignore[arg-type]
            ImageDraw.floodfill(small, corner, marker, thresh=50)
    outside = (np.asarray(small) == marker).all(axis=2)
    if not 0.02 < outside.mean() < 0.7 or outside[16:32, 18:30].any():
        return None
    mask = Image.fromarray((~outside * 255).astype(np.uint8)).resize(image.size)
    return mask.filter(ImageFilter.GaussianBlur(image.size[0] / 100))


def _mask(size: int, rng: np.random.RandomState) -> Image.Image:
    """A square or an ellipse, with sharp or soft borders."""
    kind, big = rng.randint(4), Image.new("L", (64, 64), 0)
    draw, edge = ImageDraw.Draw(big), rng.randint(0, 5)
    if kind == 0:
        return Image.new("L", (size, size), 255)
    if kind == 1:
        draw.rectangle((edge, edge, 63 - edge, 63 - edge), 255)
    elif kind == 2:
        draw.ellipse((edge - 4, edge - 6, 67 - edge, 69 - edge), 255)
    else:
        draw.rounded_rectangle((edge, edge, 63 - edge, 80), 24, 255)
    return big.filter(ImageFilter.GaussianBlur(rng.uniform(0, 4))).resize((size, size))


def _background(faces: Sequence[Face], rng: np.random.RandomState) -> Image.Image:
    kind = rng.randint(5)
    if kind == 0:
        picture = Image.new("RGB", (SIZE, SIZE), "white" if rng.rand() < 0.4 else _color(rng))
    elif kind == 1:
        ramp = Image.linear_gradient("L").rotate(90 * rng.randint(4)).resize((SIZE, SIZE))
        picture = ImageOps.colorize(ramp, _color(rng), _color(rng))
    elif kind == 2:
        picture = _piece(faces, rng).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    elif kind == 3:
        picture = Image.new("RGB", (SIZE, SIZE))
        side = int(rng.choice((16, 32, 64)))
        for x in range(0, SIZE, side):
            for y in range(0, SIZE, side):
                picture.paste(_piece(faces, rng).resize((side, side)), (x, y))
    else:
        picture = _shuffled(faces[rng.randint(len(faces))].image, rng).resize((SIZE, SIZE))
    if rng.rand() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 6)))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randint(0, 12) if rng.rand() < 0.6 else 0):
        points = [(int(x), int(y)) for x, y in rng.randint(-20, SIZE + 20, (4, 2))]
        match rng.randint(4):
            case 0:
                draw.line(points, _color(rng), rng.randint(1, 6))
            case 1:
                draw.polygon(points, _color(rng))
            case 2:
                x, y = points[0]
                wide, high = rng.randint(3, 60, 2)
                draw.ellipse((x, y, x + wide, y + high), _color(rng), _color(rng))
            case _:
                x, y = points[0]
                draw.rectangle((x, y, x + rng.randint(3, 60), y + rng.randint(3, 60)), _color(rng))
    return picture


def _recolor(image: Image.Image, rng: np.random.RandomState) -> Image.Image:
    if rng.rand() < 0.5:
        image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.6, 1.2))
        image = ImageEnhance.Color(image).enhance(rng.uniform(0.5, 1.4))
    return image


def _finish(picture: Image.Image, rng: np.random.RandomState) -> Image.Image:
    """Changes of the whole picture: gray, contrast, blur, noise."""
    if rng.rand() < 0.12:
        picture = picture.convert("L").convert("RGB")
    if rng.rand() < 0.4:
        picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(0.6, 1.3))
    if rng.rand() < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1)))
    elif rng.rand() < 0.2:
        picture = picture.filter(ImageFilter.SHARPEN)
    if rng.rand() < 0.3:
        noise = rng.normal(0, rng.uniform(2, 12), (SIZE, SIZE, 3))
        pixels = (np.asarray(picture) + noise).clip(0, 255)
        picture = Image.fromarray(pixels.astype(np.uint8))
    return picture


def _color(rng: np.random.RandomState) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in rng.randint(0, 256, 3))
    return red, green, blue


def _skin(rng: np.random.RandomState) -> str:
    return SKIN[rng.randint(len(SKIN))]
