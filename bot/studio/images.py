"""Encodes pictures, thumbnails, strips of frames and grids."""

import io
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

THUMBNAIL = 128  # pixels
QUALITY = 86  # of WebP; below it, the color of small eyes visibly bleeds
GRID = 3  # images in a row
GRID_BACKGROUND, BADGE, BADGE_TEXT = "#17151a", "#17151a", "#ffffff"
# For painted faces a third of the default's time, and files 3% larger.
PNG: dict[str, Any] = {"format": "PNG", "compress_type": zlib.Z_RLE}


def encode_png(image: np.ndarray) -> bytes:
    """uint8 [S, S, 3] RGB to a lossless PNG."""
    return _file(Image.fromarray(image), **PNG)


def scaled_png(data: bytes, size: int) -> bytes:
    """A square picture's file to a PNG of `size` pixels (area mean), never enlarged."""
    return _file(_scaled(data, size), **PNG)


def thumbnail(data: bytes) -> bytes:
    """A square picture's file to a WebP of at most THUMBNAIL pixels."""
    return scaled_webp(data, THUMBNAIL)


def scaled_webp(data: bytes, size: int) -> bytes:
    """A square picture's file to a WebP of `size` pixels (area mean), never enlarged."""
    return _file(_scaled(data, size), "WEBP", quality=QUALITY, method=4)


def strip(images: np.ndarray) -> bytes:
    """uint8 [n, S, S, 3] RGB to a WebP of S pixels in height, the images side by side."""
    return _file(Image.fromarray(np.concatenate(images, axis=1)), "WEBP", quality=QUALITY, method=2)


def numbered_grid(images: np.ndarray, columns: int = GRID) -> bytes:
    """uint8 [n, S, S, 3] RGB to a WebP with rows of images, each with its number from 1."""
    return _webp(_grid(images, columns, numbered=True))


def grid(images: np.ndarray, columns: int) -> bytes:
    """uint8 [n, S, S, 3] RGB to a WebP with rows of images."""
    return _webp(_grid(images, columns, numbered=False))


def puzzle(child: np.ndarray, choices: np.ndarray) -> bytes:
    """An image uint8 [S, S, 3] and four smaller ones [4, s, s, 3] with numbers to its right; a
    WebP.
    """
    numbered = _grid(choices, 2, numbered=True)
    side, gap = numbered.height, numbered.height // 16
    whole = Image.new("RGB", (2 * side + gap, side), GRID_BACKGROUND)
    whole.paste(Image.fromarray(child).resize((side, side), Image.Resampling.LANCZOS))
    whole.paste(numbered, (side + gap, 0))
    return _webp(whole)


def square(data: bytes, side: int) -> np.ndarray:
    """A square picture's file to uint8 [side, side, 3] RGB."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    smaller = side < image.width
    filter = Image.Resampling.BOX if smaller else Image.Resampling.LANCZOS
    return np.asarray(image.resize((side, side), filter))


def _grid(images: np.ndarray, columns: int, *, numbered: bool) -> Image.Image:
    side = images.shape[1]
    gap = max(2, side // 32)
    rows = -(-len(images) // columns)
    size = (columns * (side + gap) - gap, rows * (side + gap) - gap)
    whole = Image.new("RGB", size, GRID_BACKGROUND)
    draw = ImageDraw.Draw(whole)
    radius = max(8, side // 11)
    font = ImageFont.load_default(1.3 * radius)
    for index, image in enumerate(images):
        x, y = (side + gap) * (index % columns), (side + gap) * (index // columns)
        whole.paste(Image.fromarray(image), (x, y))
        if numbered:
            center = x + gap + radius, y + gap + radius
            draw.circle(center, radius, fill=BADGE)
            draw.text(center, str(index + 1), fill=BADGE_TEXT, font=font, anchor="mm")
    return whole


def _scaled(data: bytes, size: int) -> Image.Image:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return image.resize((size, size), Image.Resampling.BOX) if size < image.width else image


def _webp(image: Image.Image) -> bytes:
    return _file(image, "WEBP", quality=QUALITY, method=2)


def _file(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()
