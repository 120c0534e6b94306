"""Regression on the latent, and the choice of directions."""

import numpy as np
import pytest

from export.manifest import ModelError
from train.directions.command import OFFERED, Candidates, choose
from train.directions.find import (
    nearest,
    orthonormalize,
    principal_components,
    regress,
    remove_condition,
)
from train.directions.traits import TRAITS


def test_regression_finds_the_direction_of_a_trait_and_how_much_it_explains() -> None:
    random = np.random.RandomState(0)
    latents = random.standard_normal((2000, 6))
    linear = latents @ np.array([3, 0, 0, 4, 0, 0])  # standard deviation 5
    values = np.stack([linear + 5 * random.standard_normal(2000), random.randn(2000)], axis=1)
    found = regress(latents, values)
    assert found.vectors[0] == pytest.approx([0.6, 0, 0, 0.8, 0, 0], abs=0.05)
    assert found.r2 == pytest.approx([0.5, 0], abs=0.06)


def test_a_trait_that_does_not_vary_has_no_direction() -> None:
    latents = np.random.RandomState(0).standard_normal((100, 6))
    found = regress(latents, np.full((100, 1), 0.3))
    assert not found.vectors.any()
    assert np.isfinite(found.r2).all()


def test_what_the_condition_explains_is_removed() -> None:
    random = np.random.RandomState(0)
    labels = random.randint(3, size=300)
    conditions = np.hstack([np.ones((300, 1)), np.eye(3)[labels]])
    values = random.standard_normal((300, 2)) + np.array([[0, 5], [9, 2], [4, 4]])[labels]
    rest = remove_condition(values, conditions)
    for label in range(3):
        assert rest[labels == label].mean(axis=0) == pytest.approx([0, 0], abs=1e-9)


def test_principal_components_come_in_order_of_variance() -> None:
    random = np.random.RandomState(0)
    values = random.standard_normal((500, 4)) * [1, 9, 3, 0.1]
    found = principal_components(values, 2)
    assert found.std(axis=0) == pytest.approx([9, 3], rel=0.1)
    assert abs(np.corrcoef(found[:, 0], values[:, 1])[0, 1]) > 0.99


def test_orthonormal_vectors_are_near_to_the_given_ones() -> None:
    vectors = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 0, 1]], float)
    found = orthonormalize(vectors)
    assert found @ found.T == pytest.approx(np.eye(3), abs=1e-9)
    cosines = (found * vectors).sum(axis=1)
    assert cosines[0] == pytest.approx(cosines[1]), "neither is preferred"
    assert cosines.min() > 0.9


def test_a_component_is_compared_with_traits() -> None:
    traits = {"a": np.array([1.0, 0]), "b": np.array([0, 1.0])}
    assert nearest(np.array([0.6, -0.8]), traits) == ("b", -0.8)


@pytest.fixture
def candidates() -> Candidates:
    names = [*TRAITS, "c1", "c2"]
    r2 = dict.fromkeys(names, 0.5) | {OFFERED[0]: 0.1}
    return Candidates({name: np.eye(len(names))[i] for i, name in enumerate(names)}, r2)


def test_by_default_looked_at_traits_are_kept_that_the_latent_explains(
    candidates: Candidates,
) -> None:
    assert [*choose(candidates, None)] == [*OFFERED[1:]]


def test_kept_directions_can_be_named_and_reversed(candidates: Candidates) -> None:
    chosen = choose(candidates, "hair_length, c1=age,-c2=mood")
    assert chosen == {"hair_length": ("hair_length", 1), "age": ("c1", 1), "mood": ("c2", -1)}
    assert choose(candidates, "") == {}


@pytest.mark.parametrize(
    ("keep", "message"),
    [("nose", "no direction nose"), ("c9=age", "no direction c9"), ("Age", "neither")],
)
def test_other_directions_are_refused(candidates: Candidates, keep: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        choose(candidates, keep)
