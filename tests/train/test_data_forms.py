"""Tables, names and images as they occur in the data of users."""

import io
import sys
import threading
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from train.data import DataError, inspect, load
from train.data.loading import without_single_values
from train.data.records import Entry

Write = Callable[..., Path]


def picture(color: str = "red", size: tuple[int, int] = (32, 32), kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, kind)
    return stream.getvalue()


IMAGES = {f"images/{n}.png": picture() for n in range(1, 9)}
COLORS = ["red" if n % 2 else "blue" for n in range(1, 9)]


def with_table(text: str | bytes, name: str = "tags.csv") -> dict[str, bytes]:
    return IMAGES | {name: text.encode() if isinstance(text, str) else text}


def rows(form: str, header: str = "file,hair") -> str:
    lines = [form.format(n=n, color=color) for n, color in enumerate(COLORS, 1)]
    return "\n".join([header, *lines])


@pytest.mark.parametrize(
    "text",
    [
        rows("{n}.png;{color}", "file;hair"),
        rows("{n}.png\t{color}", "file\thair"),
        rows("{n}.png|{color}", "file|hair"),
        rows("./images/{n}.png,{color}"),
        rows("images\\{n}.png,{color}"),
        rows("C:\\data\\faces\\images\\{n}.png,{color}"),
        rows("/home/me/pictures/{n}.png,{color}"),
        rows("{n},{n}.png,{color}", ",file,hair"),
        rows("{n},images/{n}.png,{color}", "id,image,hair"),
        rows("{n},{n}.png,{color}", "index,file,hair"),
        rows("{color},{n}.png", "hair,file"),
        rows("{n}.jpg,{color}"),  # images that were converted
        rows("images/{n}.JPG,{color}"),
        rows("{n}.png,{color}").encode("utf-16"),
        rows("{n}.png,{color}").encode("utf-16-le"),
        rows("{n}.png,{color}").encode("utf-16-be"),
    ],
)
def test_forms_of_tables(text: str | bytes, lay_out: Write) -> None:
    faces = load(lay_out(with_table(text)), 32)
    assert [(a.name, a.values) for a in faces.attributes] == [("hair", ("blue", "red"))]
    assert faces.labels[:, 0].tolist() == [1, 0] * 4


@pytest.mark.parametrize("encoding", ["gb18030", "cp932", "utf-8"])
def test_values_in_east_asian_encodings(encoding: str, lay_out: Write) -> None:
    values = ("红色", "蓝色") if encoding == "gb18030" else ("あかい髪", "青い髪")
    lines = "\n".join(f"{n}.png,{values[n % 2]}" for n in range(1, 9))
    faces = load(lay_out(with_table(f"file,hair\n{lines}".encode(encoding))), 32)
    assert set(faces.attributes[0].values) == set(values)


def test_other_encodings_than_utf_8_are_told(lay_out: Write) -> None:
    lines = "\n".join(f"{n}.png,{'红色' if n % 2 else '蓝色'}" for n in range(1, 9))
    summary = load(lay_out(with_table(f"file,hair\n{lines}".encode("gb18030"))), 32).summary
    assert "note: tags.csv is not encoded in UTF-8; it is read as gb18030" in summary


@pytest.mark.parametrize("encoding", ["latin1", "cp1251", "big5"])
def test_unknown_encodings_are_refused(encoding: str, lay_out: Write) -> None:
    """Otherwise different values become equal."""
    values = {"latin1": "doré", "cp1251": "розовый", "big5": "粉紅"}
    text = rows("{n}.png," + values[encoding], "file,hair").encode(encoding)
    with pytest.raises(DataError, match=r"tags\.csv is not encoded in UTF-8.*save it in UTF-8"):
        load(lay_out(with_table(text)), 32)


def test_numbers_without_leading_zeros(lay_out: Write) -> None:
    """Spreadsheets remove the zeros."""
    files = {f"{n:05d}.png": picture() for n in range(1, 9)}
    table = rows("{n},{color}", "id,hair").encode()
    assert len(load(lay_out(files | {"tags.csv": table}), 32)) == 8


@pytest.mark.parametrize("encoding", ["gb18030", "cp932"])
def test_names_of_zips_in_east_asian_encodings(encoding: str, tmp_path: Path) -> None:
    names = ("红色头发", "蓝色头发") if encoding == "gb18030" else ("あかい髪", "青い髪")
    # zipfile writes UTF-8 only: placeholders of the same length are replaced.
    path = tmp_path / "faces.zip"
    placeholders = {
        letter.encode() * len(name.encode(encoding)): name.encode(encoding)
        for letter, name in zip("XY", names, strict=True)
    }
    with zipfile.ZipFile(path, "w") as archive:
        for placeholder in placeholders:
            for n in range(4):
                archive.writestr(f"{placeholder.decode()}/{n}.png", picture())
    content = path.read_bytes()
    for placeholder, raw in placeholders.items():
        content = content.replace(placeholder, raw)
    path.write_bytes(content)
    assert set(load(path, 32).attributes[0].values) == set(names)


def test_names_of_unicode_path_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From Python 3.12 on, zipfile reads names from them, which cp437 may not be able to encode."""
    path, infos = tmp_path / "faces.zip", zipfile.ZipFile.infolist
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(4):
            archive.writestr(f"x{n}.png", picture())
        archive.writestr(
            "tags.csv", "\n".join(["file,hair", *(f"顔é{n}.png,red" for n in range(4))])
        )

    def from_fields(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        for info in infos(archive):
            info.filename = info.orig_filename.replace("x", "顔é")
        return infos(archive)

    monkeypatch.setattr(zipfile.ZipFile, "infolist", from_fields)
    assert len(load(path, 32)) == 4


def test_absolute_names_in_zips(tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(4):
            archive.writestr(zipfile.ZipInfo(f"C:\\faces\\{n}.png"), picture())
            archive.writestr(zipfile.ZipInfo(f"/faces/{n + 4}.png"), picture())
        archive.writestr("tags.csv", "".join(f"{n},red hair\n" for n in range(8)))
    assert len(load(path, 32)) == 8


def test_decomposed_file_names(lay_out: Write) -> None:
    names = [f"é{n}.png" for n in range(4)]
    files = {unicodedata.normalize("NFD", name): picture() for name in names}
    table = "\n".join(["file,hair", *(f"{name},red" for name in names)])
    assert len(load(lay_out(files | {"tags.csv": table.encode()}), 32)) == 4


def test_a_linked_folder(lay_out: Write, tmp_path: Path) -> None:
    lay_out({f"{n}.png": picture() for n in range(3)}, name="elsewhere")
    data = lay_out({f"elf/{n}.png": picture() for n in range(3)})
    (data / "cat").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (data / "elf" / "loop").symlink_to(data, target_is_directory=True)
    faces = load(data, 32)
    assert faces.attributes[0].values == ("cat", "elf")
    assert len(faces) == 6


def test_one_image_beside_class_folders(lay_out: Write) -> None:
    files = {f"{name}/{n}.png": picture() for name in ("cat", "elf") for n in range(5)}
    faces = load(lay_out(files | {"cover.png": picture()}), 32)
    assert faces.attributes[0].values == ("cat", "elf")
    assert "1 beside the class folders" in faces.summary
    many = files | {f"{n}.png": picture() for n in range(5)}
    faces = load(lay_out(many, name="many"), 32)
    assert faces.attributes == ()
    assert "5 images lie beside the folders" in faces.summary


def test_nested_class_folders(lay_out: Write) -> None:
    files = {
        f"{name}/{age}/{n}.png": picture()
        for name in ("cat", "elf")
        for age in ("old", "young")
        for n in range(2)
    }
    faces = load(lay_out(files), 32)
    assert faces.attributes[0].values == ("cat", "elf")
    assert "the first level of folders is the class" in faces.summary


def test_both_levels_of_class_folders(lay_out: Write) -> None:
    files = {
        f"{name}/{age}/{n}.png": picture()
        for name in ("cat", "elf")
        for age in ("old", "young")
        for n in range(2)
    }
    data = lay_out(files | {"elf/9.png": picture()})
    faces = load(data, 32, attributes="class,subclass")
    assert [(a.name, a.values) for a in faces.attributes] == [
        ("class", ("cat", "elf")),
        ("subclass", ("old", "young")),
    ]
    assert "the second one subclass" in faces.summary
    assert "1 without a second folder" in faces.summary
    assert [a.name for a in load(data, 32, attributes="subclass").attributes] == ["subclass"]


def test_sets_are_no_classes(lay_out: Write) -> None:
    files = {
        f"{part}/{name}/{n}.png": picture()
        for part in ("train", "test")
        for name in ("cat", "elf")
        for n in range(2)
    }
    assert load(lay_out(files), 32).attributes[0].values == ("cat", "elf")


def test_a_name_of_two_images_is_an_error(lay_out: Write) -> None:
    files = {f"{folder}/{n}.png": picture() for folder in "ab" for n in range(4)}
    by_name = "\n".join(["file,hair", *(f"{n}.png,red" for n in range(4))])
    with pytest.raises(DataError, match=r"'0\.png' is the name of 2 images .*a/0\.png, b/0\.png"):
        load(lay_out(files | {"tags.csv": by_name.encode()}), 32)
    by_path = "\n".join(["file,hair", *(f"{f}/{n}.png,{f}" for f in "ab" for n in range(4))])
    assert len(load(lay_out(files | {"tags.csv": by_path.encode()}, name="paths"), 32)) == 8


def test_a_column_that_occurs_twice_is_an_error(lay_out: Write) -> None:
    with pytest.raises(DataError, match=r"has the column 'hair' more than once"):
        load(lay_out(with_table(rows("{n}.png,{color},pink", "file,hair,Hair"))), 32)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ('{n}.png,"{color} hair, smile"', "has several values"),
        ("{n}.png,{color}; smile", "has several values"),
        ("{n}.png,{color}|smile", "has several values"),
        ("{n}.png," + "x" * 5000, "over 100"),
    ],
)
def test_cells_that_are_no_value(form: str, message: str, lay_out: Write) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(lay_out(with_table(rows(form))), 32)
    assert len(str(caught.value)) < 1500


def test_class_folders_with_long_names(lay_out: Write) -> None:
    files = {f"{'x' * length}/{n}.png": picture() for length in (99, 101, 100) for n in range(2)}
    found = inspect(lay_out(files), 32)
    assert len(found.records) == 4
    assert {problem.reason for problem in found.problems} == {"has a value of over 100 characters"}


def test_more_attributes_or_values_than_a_model_can_have(
    lay_out: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = lay_out(with_table(rows("{n}.png,{color},yes", "file,hair,smile")))
    monkeypatch.setattr("train.data.loading.MAX_CONDITION_DIM", 2)
    with pytest.raises(DataError, match="have 3 values, more than 2; hair alone has 2"):
        load(data, 32)
    monkeypatch.setattr("train.data.loading.MAX_ATTRIBUTES", 1)
    with pytest.raises(DataError, match=r"2 attributes, more than 1; .*--attributes hair,smile"):
        load(data, 32)
    assert load(data, 32, attributes="smile").attributes[0].values == ("yes",)


def test_values_may_be_emoji_or_differ_in_punctuation(lay_out: Write) -> None:
    values = ["c", "C++", "😀", "-1", "1", ";)"]
    lines = "\n".join(f"{n}.png,{values[n % 6]}" for n in range(12))
    images = {f"{n}.png": picture() for n in range(12)}
    faces = load(lay_out(images | {"tags.csv": f"file,kind\n{lines}".encode()}), 32)
    assert faces.attributes[0].values == ("-1", "1", ";)", "c", "c++", "😀")


def test_an_attribute_with_one_value_is_told(lay_out: Write) -> None:
    faces = load(lay_out(with_table(rows("{n}.png,{color},yes", "file,hair,smile"))), 32)
    assert "smile has only one value" in faces.summary


@pytest.mark.parametrize("name", ["tags.csv", "tags.xlsx"])
def test_spreadsheets_are_refused(name: str, lay_out: Write) -> None:
    with pytest.raises(DataError, match=r"is a spreadsheet; save it as tags\.csv"):
        load(lay_out(with_table(b"PK\x03\x04...", name)), 32)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_gray(kind: str, lay_out: Write) -> None:
    ramp = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    stream = io.BytesIO()
    Image.fromarray(ramp).save(stream, kind)
    faces = load(lay_out({f"{n}.png": stream.getvalue() for n in range(2)}), 32)
    assert (faces.images[0, 0].numpy() == ramp >> 8).all()


@pytest.mark.parametrize("transparent", [0, 1])
def test_16_bit_gray_with_a_transparent_value(transparent: int, lay_out: Write) -> None:
    """The chunk tRNS of a PNG file; 0 is in the image, and 1 is not."""
    ramp = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    stream = io.BytesIO()
    Image.fromarray(ramp).save(stream, "PNG")
    content = stream.getvalue()
    chunk = b"tRNS" + transparent.to_bytes(2, "big")
    chunk = (2).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    start = content.index(b"IDAT") - 4
    data = lay_out({f"{n}.png": content[:start] + chunk + content[start:] for n in range(2)})
    expected = np.where(ramp == transparent, 255, ramp >> 8)
    assert (load(data, 32).images[0, 0].numpy() == expected).all()


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.linspace(0, 1, 1024, dtype=np.float32), "pixels are floating-point numbers"),
        (np.linspace(0, 2**31 - 1, 1024).astype(np.int32), "values of more than 16 bits"),
    ],
)
def test_images_whose_range_is_not_known_are_bad_entries(
    pixels: np.ndarray, message: str, lay_out: Write
) -> None:
    stream = io.BytesIO()
    Image.fromarray(pixels.reshape(32, 32)).save(stream, "TIFF")
    found = inspect(lay_out({"1.tiff": stream.getvalue(), "2.png": picture()}), 32)
    assert [problem.message for problem in found.problems] == [
        f"unreadable image 1.tiff: {message}; save it with 8 or 16 bits per channel"
    ]


def test_images_can_be_read_without_their_tags(lay_out: Write) -> None:
    """As the upscaler does: bad lines, single values and unnamed images do not matter."""
    table = "file,artist\n" + "".join(f"{n}.png,artist{n}\n" for n in range(1, 7)) + "none.png,x\n"
    data = lay_out(with_table(table))
    assert inspect(data, 32).records == []
    faces = load(data, 32, tags=False)
    assert (len(faces), faces.attributes, faces.labels.shape) == (8, (), (8, 0))
    captions = {f"images/{n}.txt": b"a face" for n in range(1, 3)}
    assert len(load(lay_out(IMAGES | captions, name="captions"), 32, tags=False)) == 8


def test_an_image_with_too_many_pixels(lay_out: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.data.decoding.MAX_PIXELS", 40 * 40)
    found = inspect(lay_out({"1.png": picture(size=(41, 40)), "2.png": picture()}), 32)
    assert [problem.message for problem in found.problems] == ["too large: 41×40 pixels"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side", [13_000, 60_000])
def test_a_decompression_bomb_is_not_decoded(side: int, lay_out: Write) -> None:
    """A PNG whose header promises many pixels."""
    content = bytearray(picture())
    content[16:24] = side.to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    found = inspect(lay_out({"1.png": bytes(content), "2.png": picture()}), 32)
    assert [problem.message for problem in found.problems] == [f"too large: {side}×{side} pixels"]


def test_large_images_are_decoded_one_at_a_time(
    lay_out: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several at once could exceed the memory."""
    transpose, active, most = ImageOps.exif_transpose, 0, 0
    both = threading.Event()

    def counted(image: Image.Image) -> Image.Image:
        nonlocal active, most
        active += 1
        most = max(most, active)
        if active > 1:
            both.set()
        both.wait(0.05)  # time for another thread
        result = transpose(image)
        active -= 1
        return result

    monkeypatch.setattr("train.data.decoding.usable_cores", lambda: 4)
    monkeypatch.setattr("train.data.decoding.LARGE", 1000)
    monkeypatch.setattr(ImageOps, "exif_transpose", counted)
    assert len(load(lay_out({f"{n}.png": picture() for n in range(4)}), 32)) == 4
    assert most == 1


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_huge_files_are_not_read(
    kind: str, lay_out: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = IMAGES | {"images/9.png": picture() + bytes(3 * 2**20)}
    monkeypatch.setattr("train.data.files.MAX_BYTES", 2**21)
    found = inspect(lay_out(files, kind), 32)
    assert len(found.records) == 8
    assert [p.message for p in found.problems] == [
        "unreadable image images/9.png: too large: 3 MiB, more than 2"
    ]


def test_a_chain_of_single_values_is_resolved_in_linear_time(lay_out: Write) -> None:
    """Each omitted image leaves the next one as the only one of a value."""
    count = 20_000
    entries = [
        Entry(f"{n}", f"{n}.png", {"a": f"{n // 2}", "b": f"{(n + 1) // 2}"}) for n in range(count)
    ]
    start = time.process_time()
    kept, problems = without_single_values(entries)
    assert (kept, len(problems)) == ([], count)
    assert time.process_time() - start < 5  # with a pass over all images for each: minutes


def test_heic_images(lay_out: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (40, 32), "red")).save(stream)
    faces = load(lay_out({f"{n}.HEIC": stream.getvalue() for n in range(2)}), 32)
    red, green, _ = faces.images[0].float().mean(dim=(1, 2)).tolist()
    assert (red, green) == pytest.approx((255, 0), abs=5)


def test_heic_images_without_the_extra(lay_out: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DataError, match=r"1\.heic: HEIC images need the extra heic: pip install"):
        load(lay_out({"1.heic": b"", "2.png": picture()}), 32)


@pytest.mark.parametrize(
    "name", ["Tags.csv", "labels.csv", "metadata.csv", "tags.tsv", "train.csv", "all images.csv"]
)
def test_other_names_of_tables(name: str, lay_out: Write) -> None:
    found = lay_out(with_table(rows("images/{n}.png,{color}", "file_name,hair"), name))
    assert load(found, 32).attributes[0].values == ("blue", "red")


def test_tags_come_before_other_tables(lay_out: Write) -> None:
    files = with_table(rows("{n}.png,{color}")) | {"labels.csv": b"file,x"}
    faces = load(lay_out(files), 32)
    assert [a.name for a in faces.attributes] == ["hair"]
    assert "1 tables beside the one that is read" in faces.summary


def test_other_tables_do_not_replace_class_folders(lay_out: Write) -> None:
    """A log beside the folders, whose lines do not name images."""
    files = {f"{name}/{n}.png": picture() for name in ("cat", "elf") for n in range(4)}
    log = "\n".join(["epoch,loss", *(f"{n},0.{n}" for n in range(4))]).encode()
    faces = load(lay_out(files | {"log.csv": log}), 32)
    assert [a.name for a in faces.attributes] == ["class"]
    assert "note: not read, though there may be tags or images in it: log.csv;" in faces.summary


@pytest.mark.parametrize(
    "name", ["tags.json", "dataset.json", "train.parquet", "faces.xlsx", "tags.txt"]
)
def test_tags_that_are_not_read_are_told(name: str, lay_out: Write) -> None:
    summary = load(lay_out(IMAGES | {name: b"..."}), 32).summary
    assert f"note: not read, though there may be tags or images in it: {name};" in summary
    assert "tags are read from tags.csv" in summary


@pytest.mark.parametrize("signs", [("1", "-1"), ("1.0", "-1.0")])
def test_columns_of_signs(signs: tuple[str, str], lay_out: Write) -> None:
    lines = "\n".join(f"{n}.png,{signs[n % 2]},{signs[0]}" for n in range(1, 9))
    faces = load(lay_out(with_table(f"file,smiling,young\n{lines}")), 32)
    assert [a.values for a in faces.attributes] == [("no", "yes"), ("yes",)]
    assert faces.labels[:, 0].tolist() == [0, 1] * 4


@pytest.mark.parametrize(
    ("suffix", "kind"), [("jfif", "JPEG"), ("tif", "TIFF"), ("tiff", "TIFF"), ("webp", "WEBP")]
)
def test_image_types(suffix: str, kind: str, lay_out: Write) -> None:
    files = {f"{n}.{suffix}": picture(kind=kind) for n in range(2)}
    assert len(load(lay_out(files), 32)) == 2
