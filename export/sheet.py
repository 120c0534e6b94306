"""Sheets of images with labels."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def draw_sheet(pictures: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> Image.Image:
    """Draws images uint8 [rows × columns, S, S, 3] with labels at the left and above.

    Empty labels take no space; labels of columns may have several lines.
    """
    size = pictures.shape[1]
    font = ImageFont.load_default(12)
    left = max(int(font.getlength(label)) for label in rows) + 12 if any(rows) else 0
    top = 6 + 14 * max(label.count("\n") + 1 for label in columns) if any(columns) else 0
    grid = Image.new("RGB", (left + size * len(columns), top + size * len(rows)), "white")
    pen = ImageDraw.Draw(grid)
    for y, label in enumerate(rows):
        pen.text((left - 6, top + (y + 0.5) * size), label, "black", font, anchor="rm")
    for x, label in enumerate(columns):
        place = (left + (x + 0.5) * size, top / 2)
        pen.multiline_text(place, label, "black", font, anchor="mm", spacing=2, align="center")
    cells = product(range(len(rows)), range(len(columns)))
    for (y, x), picture in zip(cells, pictures, strict=True):
        grid.paste(Image.fromarray(picture), (left + x * size, top + y * size))
    return grid
