"""Pages of numbered pictures, and the numbers that a person marks on them."""

import math
import re
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

COLUMNS, ROWS = 10, 10
CELL = 160
"""Size of a picture on a page in pixels; smaller ones are enlarged."""
LABEL = 22
"""Height of the number above a picture in pixels."""
GAP = 6


class MarksError(Exception):
    """A file of marks cannot be used."""


def save_pages(folder: Path, pictures: Tensor) -> list[Path]:
    """Writes pictures uint8 [N, 3, CELL, CELL] on pages, numbered from 1; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for number, part in enumerate(torch.split(pictures, COLUMNS * ROWS)):
        pages.append(folder / f"page-{number + 1}.png")
        _page(part, first=1 + number * COLUMNS * ROWS).save(pages[-1])
    return pages


def _page(pictures: Tensor, first: int) -> Image.Image:
    """A page of pictures uint8 [N, 3, CELL, CELL], each below its number."""
    width, height = CELL + GAP, CELL + LABEL + GAP
    rows = math.ceil(len(pictures) / COLUMNS)
    page = Image.new("RGB", (COLUMNS * width + GAP, rows * height + GAP), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(16)
    for place, picture in enumerate(pictures.permute(0, 2, 3, 1).contiguous().numpy()):
        x, y = GAP + place % COLUMNS * width, GAP + place // COLUMNS * height
        pen.text((x + CELL / 2, y + LABEL / 2), str(first + place), "black", font, anchor="mm")
        page.paste(Image.fromarray(picture), (x, y + LABEL))
    return page


def read_marks(file: Path, count: int, suffix: str = "") -> dict[int, str]:
    """The numbers in a file, separated by spaces, commas or newlines, each with its suffix: empty,
    or `suffix`, if one is allowed; # starts a comment. Raises MarksError.
    """
    try:
        text = re.sub(r"#.*", "", file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MarksError(f"the marks in {file} cannot be read: {error}") from None
    marks = {}
    for word in filter(None, re.split(r"[\s,;]+", text)):
        digits = word.removesuffix(suffix)
        if not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= count):
            raise MarksError(
                f"{file}: {word!r} is not the number of a picture, 1 to {count}; # starts a comment"
            )
        marks[int(digits)] = word.removeprefix(digits)
    return marks
