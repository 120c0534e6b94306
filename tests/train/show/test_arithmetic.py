"""Directions in the latent space of a generator with known traits."""

from pathlib import Path

import pytest
import torch
from small_runs import make_run
from torch import Tensor, nn

from train.data import Faces, load
from train.metrics import Judge, prepare
from train.show.arithmetic import arithmetic, directions
from train.show.model import Model


@pytest.fixture(scope="module")
def faces(faces_zip: Path) -> Faces:
    return load(faces_zip, 32)


@pytest.fixture(scope="module")
def judge(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return prepare(faces, tmp_path_factory.mktemp("judge"), images=1_600)


class ByHand(nn.Module):
    """The first number of the latent makes brighter, the second chooses between two faces."""

    def __init__(self, one: Tensor, other: Tensor) -> None:
        super().__init__()
        self.one, self.other = one, other

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        chosen = (latent[:, 1] > 0.5)[:, None, None, None]
        faces = torch.where(chosen, self.one, self.other).float() / 127.5 - 1
        return faces + 0.05 * latent[:, :1, None, None]


def first_of(faces: Faces, hair: int) -> Tensor:
    return faces.images[faces.labels[:, 0] == hair][0]


def test_directions_of_predicted_values(faces: Faces, judge: Judge, tmp_path: Path) -> None:
    """The unconditional generator has black hair in the second latent component, and brightness in
    the first one."""
    model = Model(make_run(tmp_path / "run", faces.without_attributes()))
    model.generator = ByHand(first_of(faces, 1), first_of(faces, 2))  # type: ignore[assignment]
    nobody = torch.zeros(1, 0)
    found = {d.trait: d for d in directions(model, judge.for_unconditional(), nobody)}
    black = found["black hair"]
    way = black.shows - black.lacks
    assert way.abs().argmax() == 1
    assert way[1] > 0
    assert black.before == pytest.approx(0.31, abs=0.12)
    assert black.after > 0.9
    assert str(black).startswith("black hair ")
    assert str(black).endswith("%")
    brightness = found["brightness"]
    way = brightness.shows - brightness.lacks
    assert set(way.abs().topk(2).indices.tolist()) == {0, 1}
    assert brightness.after > brightness.before + 1
    values = [d for d in found.values() if d.is_value]
    changes = [d.after - d.before for d in values]
    assert changes == sorted(changes, reverse=True)


def test_conditional_models_have_no_value_directions(
    faces: Faces, judge: Judge, tmp_path: Path
) -> None:
    model = Model(make_run(tmp_path / "run", faces))
    sheet = arithmetic(model, judge)
    assert sheet.height == 20 + 5 * 64, "brightness, warmth and three components"
