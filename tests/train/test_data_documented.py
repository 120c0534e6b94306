"""The layouts in docs/bring-your-own-images.md: each row of its table is read and trained."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from small_runs import TINY

from train.data import load
from train.models import build_trainer

PAGE = Path(__file__).parents[2] / "docs" / "bring-your-own-images.md"
NUMBERS = "17", "18"
"""Names of the two images in the table."""
IMAGES = 16
Write = Callable[..., Path]


class Row(NamedTuple):
    layout: str
    images: list[str]
    files: list[str]
    content: list[str]
    attributes: list[str]
    option: str


def rows() -> list[Row]:
    text = PAGE.read_text("utf-8")
    table = text[text.index("| layout | images |") :].partition("\n\n")[0].splitlines()[2:]
    found = []
    for line in table:
        layout, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        images, files, content, attributes = (re.findall(r"`([^`]+)`", cell) for cell in cells)
        option = [name for name in attributes if name.startswith("--")]
        names = [name for name in attributes if name not in option]
        given = option[0].removeprefix("--attributes ") if option else ""
        found.append(Row(layout, images, files, content, names, given))
    return found


def repeated(templates: list[str], number: int) -> str:
    """The template of an image, for the image of another number."""
    own = NUMBERS[number % 2]
    (template,) = (text for text in templates if re.search(rf"\b{own}\b", text))
    return re.sub(rf"\b{own}\b", str(100 + number), template)


def files_of(row: Row) -> dict[str, bytes]:
    """The files of a row, with IMAGES images instead of two."""
    files: dict[str, bytes] = {}
    for number in range(IMAGES):
        name, stream = repeated(row.images, number), io.BytesIO()
        color = (16 * number, 99, 255 - 16 * number)
        Image.new("RGB", (32, 32), color).save(stream, "PNG")
        files[name] = stream.getvalue()
        if len(row.files) == 2:  # one for each image
            files[repeated(row.files, number)] = row.content[number % 2].encode()
    if len(row.files) == 1:
        header = [line for line in row.content if not re.search(r"\b1[78]\b", line)]
        lines = [repeated(row.content, number) for number in range(IMAGES)]
        files[row.files[0]] = "\n".join([*header, *lines]).encode()
    return files


def test_the_table_has_all_kinds_of_layouts() -> None:
    assert len(rows()) >= 15
    assert {len(row.files) for row in rows()} == {0, 1, 2}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.layout)
def test_a_documented_layout_is_read_and_trained(row: Row, lay_out: Write) -> None:
    faces = load(lay_out(files_of(row)), 32, attributes=row.option)
    assert len(faces) == IMAGES
    assert [attribute.name for attribute in faces.attributes] == row.attributes
    assert all(len(attribute.values) == 2 for attribute in faces.attributes)
    losses = build_trainer(TINY, faces).train_step(0.0)
    assert all(loss.isfinite().all() for loss in losses.values())
