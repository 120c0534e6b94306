import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from small_models import make_manifest, write_generator

from export.manifest import (
    GENERATOR,
    MANIFEST,
    Attribute,
    ModelError,
    file_entry,
    read_manifest,
    verify,
    write_manifest,
)


def write_model(folder: Path) -> None:
    write_generator()(folder)
    write_manifest(folder, make_manifest(files={GENERATOR: file_entry(folder / GENERATOR)}))


def test_encodes_one_hot_blocks_in_order_and_decodes_them() -> None:
    manifest = make_manifest()
    condition = manifest.encode({"eyes": "blue", "hair": "red"})
    assert condition.dtype == np.float32
    assert condition.tolist() == [0, 0, 1, 1, 0]
    assert manifest.condition_dim == 5
    assert manifest.decode(condition) == {"hair": "red", "eyes": "blue"}


def test_decodes_a_mixture_to_its_strongest_values() -> None:
    condition = np.array([0.4, 0.6, 0, 0.1, 0.9], np.float32)
    assert make_manifest().decode(condition) == {"hair": "pink", "eyes": "orange"}


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"hair": "red"}, "no value is given for eyes"),
        ({"hair": "green", "eyes": "blue"}, "hair cannot be 'green'; it can be aqua, pink, red"),
        ({"hair": "red", "eyes": "blue", "hat": "no"}, "no attribute 'hat'; it has hair, eyes"),
    ],
)
def test_errors_of_encode(conditions: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_manifest().encode(conditions)


def test_decode_refuses_another_shape() -> None:
    with pytest.raises(ValueError, match=r"shape \(5,\), not \(1, 5\)"):
        make_manifest().decode(np.zeros((1, 5), np.float32))


def test_unconditional_model_has_an_empty_condition() -> None:
    manifest = make_manifest(attributes=())
    condition = manifest.encode({})
    assert condition.shape == (0,)
    assert condition.dtype == np.float32
    assert manifest.decode(condition) == {}


def test_is_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    manifest = make_manifest(metrics={"q": 4.5}, training={"batch": 16, "betas": [0.0, 0.99]})
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest


def test_created_is_kept_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    manifest = make_manifest(created=datetime(2025, 1, 1, 9, tzinfo=tokyo))
    assert manifest.created == datetime(2025, 1, 1, tzinfo=UTC)
    assert manifest.created.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("values", "frequencies", "message"),
    [
        ((), (), "no values"),
        (("red", "red"), (0.5, 0.5), "has duplicate values"),
        (("red", "blue"), (1.0,), "2 values and 1 frequencies"),
        (("red", "blue"), (0.9, 0.9), "must be shares that sum to 1"),
        (("red", "blue"), (1.5, -0.5), "must be shares that sum to 1"),
    ],
)
def test_attribute_refuses(
    values: tuple[str, ...], frequencies: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Attribute(name="hair", values=values, frequencies=frequencies)


@pytest.mark.parametrize("name", ["", "..", "../x", ".hidden", "a/b", "a\\b", "x" * 65, "naïve"])
def test_refuses_an_invalid_name(name: str) -> None:
    with pytest.raises(ValidationError, match="is not a valid name of a model"):
        make_manifest(name)


def test_refuses_a_file_outside_the_folder() -> None:
    entry = {"sha256": "0" * 64, "bytes": 1}
    with pytest.raises(ValidationError, match="is not a valid name of a model or file"):
        make_manifest(files={"../current": entry})


def test_refuses_a_figure_that_is_not_a_number() -> None:
    with pytest.raises(ValidationError, match="finite"):
        make_manifest(metrics={"q": float("nan")})


def test_reads_the_format_without_int8_upscalers(tmp_path: Path) -> None:
    write_manifest(tmp_path, make_manifest(format=1))
    assert read_manifest(tmp_path).format == 1


def test_errors_of_reading(tmp_path: Path) -> None:
    path = tmp_path / MANIFEST
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read_manifest(tmp_path)
    for text in ("{", "[" * 100_000):
        path.write_text(text)
        with pytest.raises(ModelError, match="not valid JSON"):
            read_manifest(tmp_path)
    path.write_text('{"format": 3, "other": true}')
    with pytest.raises(ModelError, match="format 3, this version reads the formats 1 and 2"):
        read_manifest(tmp_path)
    write_manifest(tmp_path, make_manifest())
    raw = json.loads(path.read_text()) | {"latent_dim": 0}
    del raw["image_size"]
    path.write_text(json.dumps(raw))
    with pytest.raises(ModelError, match=r"latent_dim: .*; image_size: Field required"):
        read_manifest(tmp_path)


def test_verify_accepts_the_files_it_lists(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "notes.txt").write_text("not in the manifest")
    verify(tmp_path, read_manifest(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [("b generator", "SHA-256 differs"), ("cut", "has 3 bytes where its manifest says 11")],
)
def test_verify_reports_a_changed_file(tmp_path: Path, text: str, message: str) -> None:
    write_model(tmp_path)
    write_generator(text)(tmp_path)
    with pytest.raises(ModelError, match=rf"{GENERATOR} .*{message}"):
        verify(tmp_path, read_manifest(tmp_path))


def test_verify_reports_a_missing_file(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / GENERATOR).unlink()
    with pytest.raises(ModelError, match=rf"{GENERATOR} cannot be read: No such file"):
        verify(tmp_path, read_manifest(tmp_path))


def test_verify_requires_a_generator(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"lists no {GENERATOR}"):
        verify(tmp_path, make_manifest())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("candidates", 1_000_000_000),
        ("latent_dim", 1_000_000_000),
        ("image_size", 1_000_000_000),
        ("attributes", [{"name": "a", "values": ["b"], "frequencies": [1]}] * 65),
        (
            "attributes",
            [
                {
                    "name": "a",
                    "values": [str(i) for i in range(5000)],
                    "frequencies": [1 / 5000] * 5000,
                }
            ],
        ),
        ("files", {f"f{i}": {"sha256": "0" * 64, "bytes": 1} for i in range(65)}),
        ("files", {"f": {"sha256": "0" * 64, "bytes": 2**60}}),
    ],
)
def test_reading_refuses_huge_values(tmp_path: Path, field: str, value: object) -> None:
    write_manifest(tmp_path, make_manifest())
    path = tmp_path / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(ModelError, match=rf"is invalid: ({field}|manifest)"):
        read_manifest(tmp_path)


def test_reading_refuses_a_huge_file(tmp_path: Path) -> None:
    with (tmp_path / MANIFEST).open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ModelError, match=r"has 1099511627776 bytes, more than"):
        read_manifest(tmp_path)


def test_a_fifo_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    manifest = read_manifest(tmp_path)
    for name in (GENERATOR, MANIFEST):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
    with pytest.raises(ModelError, match=f"{GENERATOR} is not a regular file"):
        verify(tmp_path, manifest)
    with pytest.raises(ModelError, match=f"{MANIFEST} is not a regular file"):
        read_manifest(tmp_path)
