"""`python -m train check`, and the summary of a training's data."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from train.__main__ import main
from train.data import DataError, load

Write = Callable[..., Path]


def picture(color: str = "red", size: tuple[int, int] = (32, 32)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def data(lay_out: Write) -> Path:
    files = {f"images/{n}.png": picture() for n in range(1, 9)}
    lines = [f"{n},{'red' if n % 2 else 'blue'} hair" for n in range(1, 6)]
    tags = "\n".join([*lines, "6,blue hair", "77,red hair"]).encode()
    broken = {"images/6.png": b"no image", "readme.md": b"hello"}
    return lay_out(files | {"tags.csv": tags} | broken)


def test_check_tells_what_is_used_and_what_is_not(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    main(["check", str(data), "--resolution", "32", "--sheet", str(sheet)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "layout: tags.csv (value–attribute pairs)",
        "used: 5 images",
        "not used: 5 files or lines",
    ]
    assert "  2 no line of tags.csv names it: images/7.png, images/8.png" in lines
    assert "  1 unreadable images: tags.csv line 6" in lines
    assert lines[lines.index("  1 there is no such image: tags.csv line 7") + 1] == (
        "    tags.csv line 7: there is no image '77'"
    )
    assert "  1 .md: not an image type: readme.md" in lines
    assert [line.split() for line in lines[lines.index("hair: 2 values") + 1 :][:2]] == [
        ["red", "3"],
        ["blue", "2"],
    ]
    with Image.open(sheet) as image:
        assert image.size == (5 * 32, 32)


def test_check_without_usable_images(lay_out: Write, capsys: pytest.CaptureFixture[str]) -> None:
    data = lay_out({"1.png": b"no image"})
    with pytest.raises(SystemExit, match="1"):
        main(["check", str(data)])
    assert "used: 0 images" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="1"):
        main(["check", str(lay_out({"1.png": picture(size=(28, 28))}, name="digits"))])
    assert "use --resolution 32 --enlarge, or larger images" in capsys.readouterr().out


def test_summary_of_a_training(data: Path) -> None:
    summary = load(data, 32, skip_bad=True).summary
    assert summary.startswith("layout: tags.csv (value–attribute pairs); 5 images used; 5 files")
    assert "2 no line of tags.csv names it" in summary


def test_an_unreadable_image_is_named_by_its_file(data: Path) -> None:
    with pytest.raises(DataError, match=r"unreadable image images/6\.png: not a known") as caught:
        load(data, 32)
    assert "BytesIO" not in str(caught.value)


@pytest.mark.parametrize("table", ["metadata.csv", "labels.csv"])
def test_a_table_beside_class_folders_is_read_and_said_so(
    table: str, lay_out: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"{name}/{n}{name}.png": picture() for name in ("cat", "elf") for n in range(4)}
    rows = [f"{file},{'red' if '0' in file or '1' in file else 'blue'}" for file in files]
    data = lay_out(files | {table: "\n".join(["file_name,hair", *rows]).encode()})
    main(["check", str(data), "--resolution", "32"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"layout: {table} (a table with a header)"
    note = (
        f"note: the attributes are those of {table}; the folders (cat, elf) are not read as "
        f"classes, which needs a copy without {table}"
    )
    assert lines[1] == note
    faces = load(data, 32)
    assert [attribute.name for attribute in faces.attributes] == ["hair"]
    assert note in faces.summary.splitlines()


def test_captions_in_class_folders_are_read_and_said_so(lay_out: Write) -> None:
    files = {f"{name}/{n}.png": picture() for name in ("cat", "elf") for n in range(4)}
    texts = {file.replace(".png", ".txt"): b"red hair" for file in files}
    summary = load(lay_out(files | texts), 32).summary
    assert "the folders (cat, elf) are not read as classes" in summary
    assert "are those of the captions" in summary


def test_a_table_beside_one_folder_of_images_has_no_note(data: Path) -> None:
    assert "note:" not in load(data, 32, skip_bad=True).summary


def test_tags_of_other_images_are_told(lay_out: Write, capsys: pytest.CaptureFixture[str]) -> None:
    colors = ["red", "blue", "green", "pink"]
    hair = [colors[n % 4] for n in range(400)]
    shuffled = random.Random(0).sample(hair, len(hair))
    pictures = {f"{n}.png": picture(color) for n, color in enumerate(hair)}

    def check(tags: list[str], name: str) -> str:
        lines = [f"{n}.png,{color}" for n, color in enumerate(tags)]
        table = "\n".join(["file,hair", *lines]).encode()
        main(
            [
                "check",
                str(lay_out(pictures | {"tags.csv": table}, "zip", name)),
                "--resolution",
                "32",
            ]
        )
        return capsys.readouterr().out

    assert "note:" not in check(hair, "right")
    assert "note: hair does not fit the images: their colors predict" in check(shuffled, "wrong")
