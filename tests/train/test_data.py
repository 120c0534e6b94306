import contextlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from export.manifest import Attribute
from train.augment import flip_and_shift
from train.data import DataError, load, name_of_data, one_hot
from train.sampler import GroupSampler

Write = Callable[..., Path]


def picture(color: str = "red", size: tuple[int, int] = (32, 32), mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, color).save(stream, "PNG")
    return stream.getvalue()


def tagged(*lines: str, **more: bytes) -> dict[str, bytes]:
    images = {f"images/{n}.png": picture() for n in range(1, 9)}
    return images | {"tags.csv": ("\n".join(lines) + "\n").encode()} | more


HAIR, EYES = ("blue", "red"), ("red", "pink")
PAIRS = [f"{n},{HAIR[n % 2]} hair {EYES[n > 4]} eyes" for n in range(1, 9)]
LINES = st.sampled_from([*PAIRS, "file,hair", "1,red", ",,", '"', "7,a b c d"])


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_mlds_tags_become_attributes_in_a_stable_order(
    kind: str, face_files: dict[str, bytes], lay_out: Write
) -> None:
    faces = load(lay_out(face_files, kind), 32)
    assert [(a.name, a.values) for a in faces.attributes] == [
        ("hair", ("aqua", "black", "pink", "red")),
        ("eyes", ("blue", "green", "orange")),
    ]
    assert faces.attributes[0].frequencies == (0.25,) * 4
    assert faces.images.shape == (960, 3, 32, 32)
    assert faces.images.dtype == torch.uint8
    # Images have the order of the tags, and the pixels of the files.
    assert faces.labels[:4].tolist() == [[0, 0], [0, 1], [0, 2], [1, 0]]
    with Image.open(io.BytesIO(face_files["images/7.png"])) as image:
        assert bytes(faces.images[7].permute(1, 2, 0).contiguous().numpy()) == image.tobytes()


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_table_with_a_header(kind: str, lay_out: Write) -> None:
    rows = [f"{n}.png,{'light  Blue' if n < 4 else 'red'},yes" for n in range(1, 9)]
    rows.insert(0, "file,hair,Smile")
    faces = load(lay_out(tagged(*rows), kind), 32)
    assert [(a.name, a.values) for a in faces.attributes] == [
        ("hair", ("light-blue", "red")),
        ("smile", ("yes",)),
    ]


def test_mlds_tags_with_more_attributes(lay_out: Write) -> None:
    lines = [line + (" round glasses" if n % 2 else " no glasses") for n, line in enumerate(PAIRS)]
    faces = load(lay_out(tagged(*lines)), 32)
    assert [a.name for a in faces.attributes] == ["hair", "eyes", "glasses"]
    assert faces.sizes == (2, 2, 2)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("faces", "faces"),
        ("faces.v2", "faces.v2"),
        ("faces.v2.zip", "faces.v2"),
        ("faces.ZIP", "faces"),
        ("faces.tar.gz", "faces"),
        (".", "work"),
        ("images/..", "work"),
    ],
)
def test_data_are_named_after_their_folder_or_archive(
    path: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert name_of_data(Path(path)) == name


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_class_folders(kind: str, lay_out: Write) -> None:
    files = {f"{name}/{n}.png": picture() for name in ("cat girl", "elf") for n in range(3)}
    faces = load(lay_out(files, kind), 32)
    assert [(a.name, a.values) for a in faces.attributes] == [("class", ("cat-girl", "elf"))]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_untagged_images(kind: str, lay_out: Write) -> None:
    faces = load(lay_out({f"{n}.png": picture() for n in range(3)}, kind), 32)
    assert faces.attributes == ()
    assert faces.labels.shape == (3, 0)
    assert one_hot(faces.labels, faces.sizes).shape == (3, 0)


def test_zip_of_a_folder_with_macos_metadata(lay_out: Write) -> None:
    files = {f"set/{name}": content for name, content in tagged(*PAIRS).items()}
    faces = load(lay_out(files | {"__MACOSX/set/._1.png": b"?", ".DS_Store": b"?"}, "zip"), 32)
    assert len(faces) == 8
    assert len(faces.attributes) == 2


@pytest.mark.parametrize("form", ["./{}", "a/set/{}"])
def test_zip_with_dot_slash_names(form: str, lay_out: Write) -> None:
    files = {form.format(name): content for name, content in tagged(*PAIRS).items()}
    assert len(load(lay_out(files, "zip"), 32).attributes) == 2


def test_a_zip_with_backslashes_and_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        archive.mkdir("images.png")
        for name, content in tagged(*PAIRS).items():
            info = zipfile.ZipInfo()
            info.filename = name.replace("/", "\\")
            archive.writestr(info, content)
    assert len(load(tmp_path / "faces.zip", 32).attributes) == 2


def test_a_header_of_several_words(lay_out: Write) -> None:
    rows = ["file,hair color,eyes", *(f"{n}.png,red,blue" for n in range(1, 9))]
    faces = load(lay_out(tagged(*rows)), 32)
    assert [a.name for a in faces.attributes] == ["hair-color", "eyes"]


def test_images_are_cropped_and_scaled(lay_out: Write) -> None:
    files = {"1.png": picture("red", (64, 100)), "2.png": picture("#00000000", (40, 40), "RGBA")}
    faces = load(lay_out(files), 32)
    assert faces.images[0, :, 16, 16].tolist() == [255, 0, 0]
    assert faces.images[1, :, 16, 16].tolist() == [255, 255, 255], "transparent is white"


BROKEN = [
    ("99,red hair pink eyes", r"line 9: there is no image '99'"),
    ("8,red hair pink", r"line 9: '8,red hair pink' should read like"),
    ("8,red hair,pink eyes", r"line 9: .* should read like"),
    ("nonsense", r"line 9: 'nonsense' should read like"),
    ("1,red hair pink eyes", r"line 9: image '1' already has tags in line 1"),
]


@pytest.mark.parametrize(("line", "message"), BROKEN)
def test_bad_lines_raise_or_are_skipped(
    line: str, message: str, lay_out: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lay_out(tagged(*PAIRS, line))
    with pytest.raises(DataError, match=message):
        load(path, 32)
    assert len(load(path, 32, skip_bad=True)) == 8
    assert "warning" in capsys.readouterr().out


def test_a_missing_or_misspelled_attribute(lay_out: Write) -> None:
    files = tagged(*PAIRS[:6], "7,red hair", "8,red hiar pink eyes")
    with pytest.raises(DataError, match=r"line 7: no eyes .*\n.*line 8: no hair"):
        load(lay_out(files), 32)


def test_an_unreadable_image(lay_out: Write) -> None:
    files = tagged(*PAIRS) | {"images/3.png": b"no image", "images/4.png": picture()[:60]}
    with pytest.raises(DataError, match=r"2 bad entries:\n.*line 3: unreadable.*\n.*line 4: unr"):
        load(lay_out(files, "zip"), 32)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_entry_of_a_zip(compression: int, tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in tagged(*PAIRS).items():
            archive.writestr(name, content)
        start = archive.getinfo("images/3.png").header_offset + 30 + len("images/3.png")
    damaged = bytearray(path.read_bytes())
    damaged[start : start + 30] = b"\xff" * 30
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"1 bad entries:\n.*line 3: unreadable"):
        load(path, 32)
    assert len(load(path, 32, skip_bad=True)) == 7


def test_encrypted_zip(tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tags.csv", PAIRS[0])
    locked = bytearray(path.read_bytes())
    locked[locked.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(locked)
    with pytest.raises(DataError, match=r"tags\.csv cannot be read: .*encrypted"):
        load(path, 32)


def test_unclosed_quote_is_shortened_in_the_message(lay_out: Write) -> None:
    with pytest.raises(DataError, match=r"should read like") as caught:
        load(lay_out(tagged('1,"red hair pink eyes', *PAIRS)), 32)
    assert len(str(caught.value)) < 400


def test_a_value_that_occurs_once(lay_out: Write) -> None:
    path = lay_out(tagged(*PAIRS[:7], "8,bleu hair pink eyes"))
    with pytest.raises(DataError, match=r"line 8: hair 'bleu' occurs only once"):
        load(path, 32)
    assert load(path, 32, skip_bad=True).attributes[0].values == ("blue", "red")


def test_message_lists_the_first_five_problems(lay_out: Write) -> None:
    files = tagged(*PAIRS, *(f"{n},red hair pink eyes" for n in range(20, 40)))
    with pytest.raises(DataError) as caught:
        load(lay_out(files), 32)
    assert "20 bad entries" in str(caught.value)
    assert str(caught.value).count("there is no image") == 5
    assert "… and 15 more" in str(caught.value)
    assert "--skip-bad" in str(caught.value)


def test_errors_without_usable_images(lay_out: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no .*nowhere"):
        load(tmp_path / "nowhere", 32)
    with pytest.raises(DataError, match="no usable image"):
        load(lay_out({"readme.txt": b"hello"}), 32)
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        load(tmp_path / "no.zip", 32)
    small = lay_out(tagged(*PAIRS), name="small")
    with pytest.raises(DataError, match=r"smaller than 64×64 .*use --resolution 32, --enlarge, or"):
        load(small, 64)
    with pytest.raises(DataError, match=r"smaller than 256×256 .*; use larger images"):
        load(small, 256)  # the size of the upscaler
    files = {f"{side}.png": picture(size=(side, side)) for side in (20, 28)}
    tiny = lay_out(files, name="tiny")
    with pytest.raises(
        DataError, match=r"\(shorter sides of up to 28\); use --resolution 32 --enl"
    ):
        load(tiny, 64)


def test_small_images_are_enlarged_if_enabled(lay_out: Write) -> None:
    large = {"images/1.png": picture(size=(80, 80))}
    faces = load(lay_out(tagged(*PAIRS, **large)), 64, enlarge=True)
    assert faces.images.shape == (8, 3, 64, 64)
    assert faces.enlarged == 7
    assert load(lay_out(tagged(*PAIRS), name="fitting"), 32, enlarge=True).enlarged == 0


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=200) | st.lists(LINES).map("\n".join))
def test_any_tags_file_loads_or_raises_data_error(text: str, lay_out: Write) -> None:
    path = lay_out(tagged() | {"tags.csv": text.encode()}, "zip", "any")
    with contextlib.suppress(DataError):  # no other error is allowed
        faces = load(path, 32)
        assert len(faces.labels) == len(faces.images) > 0


def test_split_is_deterministic_and_disjoint(faces_zip: Path) -> None:
    faces = load(faces_zip, 32)
    training_set, held_out = faces.split()
    assert (len(training_set), len(held_out)) == (840, 120)
    assert torch.equal(faces.split()[1].images, held_out.images)
    ours = {bytes(image.numpy()) for image in training_set.images}
    assert not ours & {bytes(image.numpy()) for image in held_out.images}
    assert training_set.fingerprint != held_out.fingerprint
    assert load(faces_zip, 32).fingerprint == faces.fingerprint


def test_augmentation_keeps_colors_and_moves_pixels() -> None:
    images = torch.zeros(64, 3, 32, 32)
    images[:, 0, 8:12, 4:8] = 1
    moved = flip_and_shift(images, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape
    assert set(torch.unique(moved).tolist()) == {0.0, 1.0}
    assert torch.equal(moved[:, 1:], images[:, 1:])
    places = {tuple(image[0].nonzero()[0].tolist()) for image in moved}
    rows, columns = {y for y, _ in places}, {x for _, x in places}
    assert rows == set(range(6, 11)), "two pixels either way at this size"
    assert columns == {*range(2, 7), *range(22, 27)}, "flipped or not"


def test_images_are_only_shifted_if_flips_are_off() -> None:
    images = torch.rand(64, 3, 32, 32)
    images[..., :16] = 0
    flipping, shifting = (torch.Generator().manual_seed(0) for _ in range(2))
    flipped = flip_and_shift(images, flipping)
    shifted = flip_and_shift(images, shifting, flips=False)
    assert (shifted[..., 0] == 0).all(), "the dark half is on the left in every image"
    unflipped = (flipped[..., 0] == 0).all(dim=(1, 2))
    assert 20 < unflipped.sum() < 44, "half of the images"
    assert torch.equal(shifted[unflipped], flipped[unflipped])
    assert torch.equal(flipping.get_state(), shifting.get_state())


def test_groups_of_many_attributes_have_one_condition(faces_zip: Path) -> None:
    """4³³ combinations of values are more than an int64 can number."""
    attribute = Attribute(name="hat", values=tuple("abcd"), frequencies=(0.25,) * 4)
    faces = load(faces_zip, 32)
    labels = torch.zeros(len(faces), 33, dtype=torch.int64)
    labels[:, 0] = torch.arange(len(faces)) % 2
    faces = replace(faces, labels=labels, attributes=(attribute,) * 33)
    groups = GroupSampler(faces, 64, 4, torch.Generator().manual_seed(1))().view(16, 4)
    assert {len(torch.unique(faces.labels[group], dim=0)) for group in groups} == {1}


def test_groups_have_one_condition_and_distinct_images(faces_zip: Path) -> None:
    faces = load(faces_zip, 32)
    sampler = GroupSampler(faces, 16, 4, torch.Generator().manual_seed(1))
    drawn = [sampler().view(4, 4) for _ in range(800)]
    for groups in drawn:
        for group in groups:
            assert len({tuple(row) for row in faces.labels[group].tolist()}) == 1
            assert len(set(group.tolist())) == 4
    counts = torch.bincount(torch.stack(drawn).flatten(), minlength=len(faces))
    assert counts.min() > 0, "every image is drawn"
    assert counts.max() < 4 * counts.float().mean()
