import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from small_models import make_manifest, write_generator
from tiny_model import LATENT_DIM, make_directions

from export.card import CARD, write_card
from export.directions import (
    DIRECTIONS,
    MAX_BYTES,
    MAX_DIRECTIONS,
    NO_DIRECTIONS,
    Directions,
    read_directions,
)
from export.manifest import GENERATOR, ModelError
from export.registry import Registry

NAMES = ("hair_length", "smile")


@pytest.fixture
def models(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "models")
    registry.add(make_manifest("plain", latent_dim=LATENT_DIM), write_generator())
    return registry


def content(change: Any = None) -> bytes:
    found = json.loads(make_directions(NAMES).model_dump_json())
    if change is not None:
        change(found)
    return json.dumps(found).encode()


def test_a_move_changes_one_position_and_keeps_the_rest() -> None:
    directions = make_directions(NAMES)
    latent = np.random.RandomState(0).standard_normal((2, LATENT_DIM)).astype(np.float32)
    moved = directions.move(latent, {"smile": -0.5})
    assert moved.dtype == np.float32
    assert directions.positions(moved[0])["smile"] == -0.5
    assert moved[:, 1] == pytest.approx([-1, -1])
    assert (np.delete(moved, 1, axis=1) == np.delete(latent, 1, axis=1)).all()
    assert (directions.move(moved, {"smile": -0.5}) == moved).all(), "a repeated move is the same"


def test_positions_are_limited_to_the_range() -> None:
    latent = np.array([5, -5, *[0] * (LATENT_DIM - 2)], np.float32)
    assert make_directions(NAMES).positions(latent) == {"hair_length": 1, "smile": -1}


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"nose": 0.5}, "no direction 'nose'"),
        ({"smile": 1.5}, "not 1.5"),
        ({"smile": float("nan")}, "not nan"),
    ],
)
def test_a_move_refuses_others(shape: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_directions(NAMES).move(np.zeros(LATENT_DIM, np.float32), shape)


def test_a_model_without_directions_has_none(models: Registry) -> None:
    assert read_directions(*models.load("plain")) == NO_DIRECTIONS
    assert NO_DIRECTIONS.names == ()
    assert NO_DIRECTIONS.positions(np.zeros(LATENT_DIM)) == {}


def test_directions_are_added_to_a_model_and_replaced(models: Registry) -> None:
    for names in (NAMES, NAMES[:1]):
        directions = make_directions(names)
        _, manifest = models.load("plain")
        card = write_card(manifest, directions).encode()
        models.replace_files(
            "plain", {DIRECTIONS: directions.model_dump_json().encode(), CARD: card}
        )
        folder, manifest = models.load("plain")
        assert read_directions(folder, manifest) == directions
        assert list(manifest.files) == sorted([CARD, DIRECTIONS, GENERATOR])
        assert "| hair length | ±2 | 0.5 |" in (folder / CARD).read_text()
    models.replace_files("plain", {DIRECTIONS: None})
    folder, manifest = models.load("plain")
    assert read_directions(folder, manifest) == NO_DIRECTIONS
    assert not (folder / DIRECTIONS).exists()


def test_a_crash_while_files_are_replaced_leaves_a_valid_model(
    models: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.replace_files("plain", {DIRECTIONS: content()})

    def crash(self: Path, data: bytes) -> int:
        if DIRECTIONS in self.name:
            raise OSError("the disk is full")
        return original(self, data)

    original = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", crash)
    with pytest.raises(OSError, match="full"):
        models.replace_files("plain", {DIRECTIONS: content()})
    assert read_directions(*models.load("plain")) == NO_DIRECTIONS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.update(format=2), "format"),
        (lambda raw: raw["directions"][0].update(name="../../etc"), "name"),
        (lambda raw: raw["directions"][0].update(name="smile"), "duplicate"),
        (lambda raw: raw["directions"][0].update(range=0), "range"),
        (lambda raw: raw["directions"][0].update(range=1e9), "range"),
        (lambda raw: raw["directions"][0]["vector"].__setitem__(0, float("nan")), "vector"),
        (lambda raw: raw["directions"][0]["vector"].__setitem__(0, 1e300), "orthonormal"),
        (lambda raw: raw["directions"][0]["vector"].pop(), "different lengths"),
        (lambda raw: [one["vector"].append(0) for one in raw["directions"]], "does not fit"),
        (lambda raw: raw["directions"][0].update(vector=[0] * 10_000), "vector"),
        (lambda raw: raw.update(directions=raw["directions"] * MAX_DIRECTIONS), "directions"),
        (lambda raw: raw["directions"][1].update(vector=raw["directions"][0]["vector"]), "ortho"),
    ],
)
def test_invalid_directions_are_refused(models: Registry, change: Any, message: str) -> None:
    models.replace_files("plain", {DIRECTIONS: content(change)})
    with pytest.raises(ModelError, match=message):
        models.load("plain")
    with pytest.raises(ModelError, match=message):
        models.use("plain")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b" " * (MAX_BYTES + 1), "more than"),
    ],
)
def test_unreadable_directions_are_refused(models: Registry, data: bytes, message: str) -> None:
    models.replace_files("plain", {DIRECTIONS: data})
    with pytest.raises(ModelError, match=message):
        models.load("plain")


def test_directions_cannot_be_made_invalid() -> None:
    one = make_directions(NAMES).directions[0]
    with pytest.raises(ValidationError, match="duplicate"):
        Directions(directions=(one, one))
