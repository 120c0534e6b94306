"""Ranges and figures of directions, with a judge that knows the latent."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from export.directions import Direction
from export.manifest import Attribute
from train.directions.command import Candidates, measure
from train.directions.measure import Probe, find_range, identity_change

LATENT = 4
HAIR = Attribute(name="hair", values=("pink", "red"), frequencies=(0.5, 0.5))


def generate(latents: Tensor, conditions: Tensor) -> Tensor:
    """The latent instead of an image, [N, 3, 1, Z]."""
    return latents[:, None, None, :].expand(-1, 3, 1, -1)


def make_judge() -> Any:
    """The first number of the latent changes the hair beyond 2.6; the features are the latent."""

    def as_asked(images: Tensor, labels: Tensor) -> list[float]:
        return [(images[:, 0, 0, 0].abs() < 2.6).float().mean().item()]

    labels = torch.tensor([[0], [1]])
    training_set = SimpleNamespace(labels=labels, sizes=(2,), attributes=(HAIR,))
    training_set = _Sized(training_set)
    features = SimpleNamespace(features=lambda images: [images[:, 0, 0]])
    return SimpleNamespace(training_set=training_set, as_asked=as_asked, fidelity=features)


class _Sized(SimpleNamespace):
    def __init__(self, fields: SimpleNamespace) -> None:
        super().__init__(**vars(fields))

    def __len__(self) -> int:
        return len(self.labels)


def axis(number: int, reach: float = 1) -> Direction:
    vector = tuple(np.eye(LATENT)[number].tolist())
    return Direction(name=f"axis{number}", vector=vector, range=reach, figures={"r2": 0.5})


@pytest.mark.parametrize(("number", "reach"), [(0, 2.5), (1, 3)])
def test_the_range_is_the_largest_that_keeps_requested_values(number: int, reach: float) -> None:
    judge = make_judge()
    probe = Probe.draw(judge, LATENT, 50)
    probe.latents[:, 0].clamp_(-2, 2)
    found = find_range(axis(number), generate, judge, probe)
    assert found is not None
    assert found.range == reach
    assert found.figures == {"r2": 0.5, "hair_as_asked": 1}


def test_a_direction_that_always_changes_values_has_no_range() -> None:
    judge = make_judge()
    judge.as_asked = lambda images, labels: [0.9]
    assert find_range(axis(0), generate, judge, Probe.draw(judge, LATENT, 10)) is None


def test_identity_is_relative_to_the_distance_of_two_faces() -> None:
    judge = make_judge()
    probe = Probe.draw(judge, LATENT, 200)
    short, long = (identity_change(axis(1, reach), generate, judge, probe) for reach in (0.5, 4))
    assert long == pytest.approx(8 * short)
    assert 0 < short < 0.5 < long


def test_kept_directions_are_orthonormal_and_measured() -> None:
    judge = make_judge()
    vectors = {"a": np.array([0, 1, 0, 0.2]), "c1": np.array([0, 0.3, 1, 0]), "other": np.eye(4)[0]}
    vectors = {name: vector / np.linalg.norm(vector) for name, vector in vectors.items()}
    candidates = Candidates(vectors, dict.fromkeys(vectors, 0.4))
    seen: list[float] = []

    def report_progress(done: float, note: str = "") -> None:
        seen.append(done)

    chosen = {"a": ("a", 1), "age": ("c1", -1)}
    found = measure(candidates, chosen, generate, judge, report_progress)
    assert found.names == ("a", "age")
    assert np.dot(found.directions[1].vector, vectors["c1"]) < -0.9
    assert set(found.directions[0].figures) == {"r2", "hair_as_asked", "identity_change"}
    assert seen == [0.5, 1]
    assert measure(candidates, {}, generate, judge, report_progress).names == ()
