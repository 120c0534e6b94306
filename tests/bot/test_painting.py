import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import EYES, HAIR, add_model

from bot.painting import (
    between,
    complete_wish,
    draw_latent,
    mixed_conditions,
    mixed_latent,
    near,
)
from export.registry import Registry

SEEDS = st.integers(0, 2**32 - 1)
Z = 96


def angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arccos(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)))


def test_what_a_seed_draws_never_changes(registry: Registry) -> None:
    """People keep their seeds: a change here would change their faces."""
    _, manifest = registry.load("tiny")
    assert complete_wish({}, 7, manifest) == {"hair": "white", "eyes": "blue"}
    np.testing.assert_allclose(draw_latent(7, 3), [1.6905257, -0.46593738, 0.03282016], rtol=1e-6)
    assert draw_latent(2**32 - 1, 96).dtype == np.float32


def test_open_attributes_are_drawn_as_often_as_the_training_data_has_them(
    registry: Registry,
) -> None:
    rare = HAIR.model_copy(update={"values": ("red", "blue"), "frequencies": (0.9, 0.1)})
    manifest = add_model(registry, "rare", (rare, EYES))
    drawn = [complete_wish({"eyes": "red"}, seed, manifest) for seed in range(400)]
    assert {conditions["eyes"] for conditions in drawn} == {"red"}
    assert 0.85 < np.mean([conditions["hair"] == "red" for conditions in drawn]) < 0.95
    assert drawn == [complete_wish({"eyes": "red"}, seed, manifest) for seed in range(400)]
    # one seed's attributes do not go together
    both = {tuple(complete_wish({}, seed, manifest).values()) for seed in range(400)}
    assert len(both) == 20


@pytest.mark.parametrize("turn", [0.3, 0.6])
def test_what_is_near_is_so_by_its_angle_and_as_likely_as_any_other(turn: float) -> None:
    latent = draw_latent(1, 4096)
    family = np.stack([near(latent, seed, turn) for seed in range(20)])
    assert family.dtype == np.float32
    assert abs(np.mean([angle(latent, child) for child in family]) - turn) < 0.01
    assert abs(family.std() - 1) < 0.02
    np.testing.assert_array_equal(near(latent, 3, turn), near(latent, 3, turn))


def test_between_two_latents_lies_the_arc() -> None:
    a, b = draw_latent(1, 4096), draw_latent(2, 4096)
    arc = between(a, b, np.linspace(0, 1, 9))
    assert arc.dtype == np.float32
    np.testing.assert_allclose(arc[[0, -1]], [a, b], atol=1e-5)
    steps = [angle(x, y) for x, y in itertools.pairwise(arc)]
    assert np.ptp(steps) < 0.02
    assert min(np.linalg.norm(arc, axis=1)) > 0.95 * min(np.linalg.norm([a, b], axis=1))
    np.testing.assert_array_equal(between(a, b, 0.5), arc[4])


@pytest.mark.parametrize("factor", [1.0, 0.0, -1.0])
def test_between_latents_on_one_line_nothing_breaks(factor: float) -> None:
    a = draw_latent(1, Z)
    arc = between(a, factor * a, np.linspace(0, 1, 5))
    assert np.isfinite(arc).all()
    np.testing.assert_allclose(arc[[0, -1]], [a, factor * a], atol=1e-5)


def test_a_child_is_like_both_parents_and_no_copy_of_its_siblings() -> None:
    a, b = draw_latent(1, 4096), draw_latent(2, 4096)
    children = [mixed_latent(a, b, seed) for seed in range(20)]
    for child in children:
        assert max(angle(child, a), angle(child, b)) < 1.3 < angle(a, b)
        assert abs(child.std() - 1) < 0.1
    assert min(angle(x, y) for x, y in itertools.pairwise(children)) > 0.3
    np.testing.assert_array_equal(children[3], mixed_latent(a, b, 3))


@given(SEEDS)
def test_a_child_has_something_of_both(seed: int) -> None:
    names = ("hair", "eyes", "mouth")
    a = {"hair": "pink", "eyes": "red", "mouth": "open"}
    b = {"hair": "blue", "eyes": "green", "mouth": "open"}
    child = mixed_conditions(a, b, names, seed)
    assert tuple(child) == names
    assert {(child["hair"], child["eyes"])} <= {("pink", "green"), ("blue", "red")}
    assert child["mouth"] == "open"
    assert child == mixed_conditions(a, b, names, seed)


def test_a_child_takes_after_either_parent_as_often() -> None:
    a, b = {"hair": "pink", "eyes": "red"}, {"hair": "blue", "eyes": "red"}
    hair = Counter(mixed_conditions(a, b, ("hair", "eyes"), s)["hair"] for s in range(400))
    assert 150 < hair["pink"] < 250
