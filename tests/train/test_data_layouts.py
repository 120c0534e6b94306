"""Layouts of training data that other tools write."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from train.data import DataError, inspect, load

Write = Callable[..., Path]


def picture(color: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), color).save(stream, "PNG")
    return stream.getvalue()


COLORS = ["red" if n % 2 else "blue" for n in range(1, 9)]
IMAGES = {f"{n}.png": picture(color) for n, color in enumerate(COLORS, 1)}


def attributes(path: Path, names: str = "") -> dict[str, tuple[str, ...]]:
    return {a.name: a.values for a in load(path, 32, attributes=names).attributes}


def captions(form: str, suffix: str = ".txt") -> dict[str, bytes]:
    texts = {f"{n}{suffix}": form.format(color=c).encode() for n, c in enumerate(COLORS, 1)}
    return IMAGES | texts


@pytest.mark.parametrize("suffix", [".txt", ".caption", ".png.txt"])
@pytest.mark.parametrize(
    "form",
    [
        "1girl, long_hair, {color}_hair, {color}_eyes, smile",
        "masterpiece, ({color} hair:1.2), very long hair, {color} eyes",
        "{color} eyes\n{color} hair\n",
        "1girl solo long_hair {color}_hair {color}_eyes",
        "An anime girl with long {color} hair and {color} eyes.",
    ],
)
def test_captions_beside_images(form: str, suffix: str, lay_out: Write) -> None:
    faces = load(lay_out(captions(form, suffix)), 32)
    assert {a.name: a.values for a in faces.attributes} == {
        "hair": ("blue", "red"),
        "eyes": ("blue", "red"),
    }
    assert faces.labels[:, 0].tolist() == [color == "red" for color in COLORS]


def test_tags_of_captions_can_be_attributes(lay_out: Write) -> None:
    data = captions("{color}_hair, smile") | {"1.txt": b"red_hair", "3.txt": b"red_hair"}
    assert attributes(lay_out(data), "hair, smile") == {
        "hair": ("blue", "red"),
        "smile": ("no", "yes"),
    }


def test_images_without_a_clear_tag_are_reported(lay_out: Write) -> None:
    data = captions("{color}_hair, smile")
    data |= {"1.txt": b"smile", "3.txt": b"red_hair, green_hair"}
    del data["2.txt"]
    found = inspect(lay_out(data), 32)
    assert len(found.records) == 5
    assert {(unused.file, unused.reason) for unused in found.unused} == {
        ("1.png", "no tags of hair"),
        ("3.png", "several tags of hair"),
        ("2.png", "without a caption"),
    }


def test_captions_without_attributes_are_images_only(lay_out: Write) -> None:
    found = inspect(lay_out(captions("1girl, smile")), 32)
    assert found.layout == "images only"
    assert "--attributes" in found.summary
    assert "smile" in found.summary


def test_an_attribute_that_no_caption_has_is_refused(lay_out: Write) -> None:
    with pytest.raises(DataError, match=r"attribute 'hat'; frequent tags: .*smile"):
        load(lay_out(captions("{color}_hair, smile")), 32, attributes="hat")


def test_jsonl_metadata(lay_out: Write) -> None:
    lines = [
        json.dumps({"file_name": f"{n}.png", "hair": color, "text": "a girl, glad", "glad": n < 5})
        for n, color in enumerate(COLORS, 1)
    ]
    data = lay_out(IMAGES | {"metadata.jsonl": "\n".join(lines).encode()})
    assert attributes(data, "hair,glad") == {"hair": ("blue", "red"), "glad": ("no", "yes")}
    with pytest.raises(DataError, match="--attributes chooses other columns"):
        load(data, 32)
    with pytest.raises(DataError, match=r"no caption has the attribute 'eyes'.*: hair, text, glad"):
        load(data, 32, attributes="eyes")


def test_invalid_jsonl_metadata_is_refused(lay_out: Write) -> None:
    data = lay_out(IMAGES | {"metadata.jsonl": b'{"file_name": "1.png", "hair": "red"}\n{'})
    with pytest.raises(DataError, match=r"metadata\.jsonl line 2 is not valid JSON"):
        load(data, 32)


def test_lists_of_tags_in_jsonl_metadata(lay_out: Write) -> None:
    lines = [
        json.dumps({"file_name": f"{n}.png", "tags": ["1girl", f"{color} hair"]})
        for n, color in enumerate(COLORS, 1)
    ]
    data = lay_out(IMAGES | {"metadata.jsonl": "\n".join(lines).encode()})
    assert attributes(data) == {"hair": ("blue", "red")}


def test_attributes_of_captions_beside_other_columns(lay_out: Write) -> None:
    rows = [f'{n}.png,"1girl, {color} hair",web' for n, color in enumerate(COLORS, 1)]
    table = "\n".join(["file_name,text,source", *rows]).encode()
    data = lay_out(IMAGES | {"metadata.csv": table})
    assert attributes(data, "hair") == {"hair": ("blue", "red")}
    with pytest.raises(DataError, match="attributes in the captions of text, such as --attributes"):
        load(data, 32)


@pytest.mark.parametrize("column", ["text", "caption", "prompt"])
def test_a_column_of_captions(column: str, lay_out: Write) -> None:
    lines = [f'{n}.png,"1girl, {color} hair"' for n, color in enumerate(COLORS, 1)]
    table = "\n".join([f"file_name,{column}", *lines])
    assert attributes(lay_out(IMAGES | {"metadata.csv": table.encode()})) == {
        "hair": ("blue", "red")
    }


def test_a_caption_of_an_ambiguous_name_is_reported(lay_out: Write) -> None:
    lines = [f'{n}.png,"{color} hair"' for n, color in enumerate(COLORS, 1)]
    table = "\n".join(["file_name,text", *lines])
    twice = {"a/1.png": IMAGES["1.png"], "b/1.png": IMAGES["1.png"]}
    rest = {name: image for name, image in IMAGES.items() if name != "1.png"}
    found = inspect(lay_out(rest | twice | {"metadata.csv": table.encode()}), 32)
    assert len(found.records) == 7
    assert found.unused[0].reason == "the name of several images"


def test_celeba(lay_out: Write) -> None:
    rows = [f"{n}.png  {1 if n % 2 else -1} {1 if n < 4 else -1}" for n in range(1, 9)]
    text = "\n".join(["8", "Pale_Skin Smiling", *rows])
    data = lay_out(IMAGES | {"list_attr_celeba.txt": text.encode()})
    assert attributes(data) == {"pale-skin": ("no", "yes"), "smiling": ("no", "yes")}
    faces = load(data, 32, attributes="smiling")
    assert faces.labels[:, 0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]


def test_celeba_in_its_folders(lay_out: Write) -> None:
    rows = [f"{n}.png {1 if n % 2 else -1}" for n in range(1, 9)]
    images = {f"img_align_celeba/{name}": content for name, content in IMAGES.items()}
    table = {"Anno/list_attr_celeba.txt": "\n".join(["8", "Smiling", *rows]).encode()}
    assert attributes(lay_out(images | table)) == {"smiling": ("no", "yes")}


def test_a_table_for_each_split(lay_out: Write) -> None:
    files: dict[str, bytes] = {}
    for split, numbers in (("train", range(1, 6)), ("test", range(6, 9))):
        lines = [f"{n}.png,{COLORS[n - 1]}" for n in numbers]
        files |= {f"{split}/{n}.png": IMAGES[f"{n}.png"] for n in numbers}
        files[f"{split}/metadata.csv"] = "\n".join(["file_name,hair", *lines]).encode()
    found = inspect(lay_out(files | {"extra/9.png": IMAGES["1.png"]}), 32)
    assert {entry.file: entry.tags["hair"] for entry in found.records} == {
        f"{'train' if n < 6 else 'test'}/{n}.png": COLORS[n - 1] for n in range(1, 9)
    }
    assert [unused.file for unused in found.unused] == ["extra/9.png"]
    assert found.layout == "test/metadata.csv and train/metadata.csv, read as one"
    other = files | {"test/metadata.csv": b"file_name,eyes\n6.png,red\n7.png,red"}
    with pytest.raises(DataError, match="have different columns"):
        inspect(lay_out(other, name="other"), 32)


def test_splits_without_classes_are_images_only(lay_out: Write) -> None:
    files = {f"{'train' if n < 6 else 'test'}/{n}.png": IMAGES[f"{n}.png"] for n in range(1, 9)}
    faces = load(lay_out(files), 32)
    assert (len(faces), faces.attributes) == (8, ())
    assert "the sets train, validation and test are read as one" in faces.summary


def test_chosen_attributes_of_pairs(lay_out: Write) -> None:
    lines = [f"{n},{color} hair {color} eyes" for n, color in enumerate(COLORS, 1)]
    data = lay_out(IMAGES | {"tags.csv": "\n".join(lines).encode()})
    assert attributes(data, "eyes") == {"eyes": ("blue", "red")}
    with pytest.raises(DataError, match="hat"):
        load(data, 32, attributes="hat")


def test_class_folders_have_no_other_attribute(lay_out: Write) -> None:
    names = zip(COLORS, IMAGES, strict=True)
    data = lay_out({f"{color}/{name}": IMAGES[name] for color, name in names})
    assert attributes(data, "class") == {"class": ("blue", "red")}
    with pytest.raises(DataError, match="no hair; attributes: class"):
        load(data, 32, attributes="hair")


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:xz"])
def test_tar_files(mode: Literal["w:", "w:gz", "w:xz"], tmp_path: Path) -> None:
    path = tmp_path / "faces.tar"
    with tarfile.open(path, mode) as archive:
        for name, content in captions("{color}_hair").items():
            info = tarfile.TarInfo(f"faces/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert attributes(path) == {"hair": ("blue", "red")}


def test_a_tar_file_cannot_write_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "faces.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("../outside.png")
        info.size = len(IMAGES["1.png"])
        archive.addfile(info, io.BytesIO(IMAGES["1.png"]))
    with pytest.raises(DataError, match="outside"):
        load(path, 32)


def test_absolute_names_in_tar_files(tmp_path: Path) -> None:
    path, outside = tmp_path / "faces.tar", tmp_path / "outside"
    with tarfile.open(path, "w") as archive:
        for name, content in captions("{color}_hair").items():
            info = tarfile.TarInfo(f"{outside}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert attributes(path) == {"hair": ("blue", "red")}
    assert not outside.exists()


def test_a_damaged_tar_file_is_refused(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.tar.gz", tmp_path / "faces.tar.gz"
    with tarfile.open(whole, "w:gz") as archive:
        for name, content in IMAGES.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(DataError, match="cannot be read"):
        load(path, 32)
