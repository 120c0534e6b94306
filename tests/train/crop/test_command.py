"""`python -m train crop`: square crops of the faces in pictures."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from painted_faces import paint_faces
from PIL import Image, ImageDraw

from train.__main__ import main
from train.data import load

SIDE = 160
Write = Callable[..., Path]
Place = tuple[int, int]


@pytest.fixture(scope="module")
def faces() -> list[Image.Image]:
    return [face.image for face in paint_faces(10)]


def drawn(faces: list[Image.Image], *places: Place, kind: str = "PNG") -> bytes:
    """A picture of 640 × 480 pixels with faces of SIDE pixels at these corners."""
    picture = Image.new("RGB", (640, 480), "#a0b8c8")
    pen = ImageDraw.Draw(picture)
    pen.polygon([(0, 480), (0, 300), (640, 380), (640, 480)], "#607850")
    pen.ellipse((500, 20, 580, 100), "#fff0a0")
    for face, (x, y) in zip(faces, places, strict=False):
        pen.polygon([(x + 40, y + 150), (x + 120, y + 150), (x + 150, 480), (x, 480)], "#303860")
        picture.paste(face.resize((SIDE, SIDE), Image.Resampling.BICUBIC), (x, y))
    noise = np.random.RandomState(0).randint(-3, 4, (480, 640, 3))  # makes places unique
    picture = Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))
    stream = io.BytesIO()
    picture.save(stream, kind)
    return stream.getvalue()


def offset(picture: bytes, crop: Path, place: Place) -> float:
    """Distance of a crop's middle from that of the face, as a share of the face's side."""
    whole = np.asarray(Image.open(io.BytesIO(picture)))
    part = np.asarray(Image.open(crop))
    side = len(part)
    assert part.shape == (side, side, 3)
    for y, x in np.argwhere((whole == part[0, 0]).all(axis=2)):
        if np.array_equal(whole[y : y + side, x : x + side], part):
            middle = np.array([x, y]) + side / 2
            return float(np.linalg.norm(middle - np.array(place) - SIDE / 2) / SIDE)
    raise AssertionError("the crop is not a part of the picture")


def test_crops_are_around_the_faces(
    faces: list[Image.Image], lay_out: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = [(40 + 40 * n, 30 + 14 * n) for n in range(10)]
    pictures = {
        f"{n}.png": drawn([face], place)
        for n, (face, place) in enumerate(zip(faces, places, strict=False))
    }
    output = tmp_path / "crops"
    main(["crop", str(lay_out(pictures)), str(output)])
    crops = sorted(output.iterdir())
    assert len(crops) >= 0.9 * len(pictures)
    offsets = [offset(pictures[c.name], c, places[int(c.stem)]) for c in crops]
    assert float(np.median(offsets)) < 0.1
    sides = [Image.open(crop).width / SIDE for crop in crops]
    assert 0.8 < float(np.median(sides)) < 1.25
    assert f"{len(crops)} crops of 10 pictures" in capsys.readouterr().out


def test_pictures_without_a_face_are_listed(
    faces: list[Image.Image], lay_out: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = {"a/face.png": drawn(faces, (100, 100)), "a/none.png": drawn([])}
    data = lay_out(pictures | {"broken.png": b"no image"})
    main(["crop", str(data), str(tmp_path / "crops")])
    output = capsys.readouterr().out
    assert "1 crops of 3 pictures" in output
    assert "1 without a face: a/none.png" in output
    assert "1 unreadable: broken.png" in output
    assert [p.name for p in (tmp_path / "crops").rglob("*.*")] == ["face.png"]


def test_small_faces_are_not_cropped(
    faces: list[Image.Image], lay_out: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = lay_out({"1.png": drawn(faces, (100, 100))})
    main(["crop", str(data), str(tmp_path / "crops"), "--min-size", "300"])
    assert "1 with smaller faces only: 1.png" in capsys.readouterr().out


def test_tags_and_captions_stay_valid(
    faces: list[Image.Image], lay_out: Write, tmp_path: Path
) -> None:
    colors = ["red" if n % 2 else "blue" for n in range(4)]
    pictures = {
        f"images/{n}.jpg": drawn(faces[n:], (100 + 60 * n, 120), kind="JPEG") for n in range(4)
    }
    table = "".join(f"{n},{color} hair\n" for n, color in enumerate(colors)).encode()
    main(["crop", str(lay_out(pictures | {"tags.csv": table})), str(tmp_path / "tagged")])
    assert load(tmp_path / "tagged", 32).attributes[0].values == ("blue", "red")
    captions = {f"images/{n}.txt": f"{color} hair".encode() for n, color in enumerate(colors)}
    data = lay_out(pictures | captions, name="captioned")
    main(["crop", str(data), str(tmp_path / "crops")])
    assert load(tmp_path / "crops", 32).attributes[0].values == ("blue", "red")


def test_all_faces_of_a_picture(faces: list[Image.Image], lay_out: Write, tmp_path: Path) -> None:
    data = lay_out({"1.bmp": drawn(faces, (40, 60), (400, 140), kind="BMP"), "1-2.png": drawn([])})
    main(["crop", str(data), str(tmp_path / "crops"), "--every-face"])
    assert sorted(p.name for p in (tmp_path / "crops").iterdir()) == ["1-3.png", "1.png"]


def test_a_zip_cannot_write_outside_of_the_folder(
    faces: list[Image.Image], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    picture, path = drawn(faces, (100, 100)), tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (f"{outside}/1.png", "C:\\windows\\2.png", "../3.png", "//server/share/4.png"):
            archive.writestr(zipfile.ZipInfo(name), picture)
        archive.writestr(zipfile.ZipInfo(f"{outside}/tags.csv"), "1,red hair\n")
    main(["crop", str(path), str(tmp_path / "crops")])
    assert "3 crops of 3 pictures" in capsys.readouterr().out
    assert not outside.exists()
    crops = tmp_path / "crops"
    written = {p.relative_to(crops).as_posix() for p in crops.rglob("*.*")}
    inside = outside.as_posix().lstrip("/")
    assert {f"{inside}/1.png", "windows/2.png", "server/share/4.png"} <= written
    assert not list(tmp_path.rglob("3.png"))


def test_a_damaged_table_is_reported_and_the_crops_are_kept(
    faces: list[Image.Image], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, table = tmp_path / "pictures.zip", b"1,red hair\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.png", drawn(faces, (100, 100)))
        archive.writestr("tags.csv", table)
        archive.writestr("1.txt", "red hair")
    path.write_bytes(path.read_bytes().replace(table, table.upper()))
    main(["crop", str(path), str(tmp_path / "crops")])
    output = capsys.readouterr().out
    assert "1 crops of 1 pictures" in output
    assert "1 tables or captions that cannot be read, and are not copied: tags.csv" in output
    assert sorted(p.name for p in (tmp_path / "crops").iterdir()) == ["1.png", "1.txt"]


def test_a_folder_with_files_is_not_written_to(
    faces: list[Image.Image], lay_out: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    data = lay_out({"1.png": drawn(faces, (100, 100))})
    with pytest.raises(SystemExit, match="2"):
        main(["crop", str(data), str(data)])
    assert "is not empty" in capsys.readouterr().out
