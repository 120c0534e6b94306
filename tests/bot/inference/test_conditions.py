from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import EYES, HAIR, add_model

from bot.inference.conditions import complete_wish, mix_conditions
from export.registry import Registry

SEEDS = st.integers(0, 2**32 - 1)


def test_the_random_values_of_a_seed_never_change(registry: Registry) -> None:
    """Members reuse seeds: a change here would change their faces."""
    _, manifest = registry.load("tiny")
    assert complete_wish({}, 7, manifest) == {"hair": "white", "eyes": "blue"}


def test_open_attributes_follow_the_frequencies_of_the_training_data(
    registry: Registry,
) -> None:
    rare = HAIR.model_copy(update={"values": ("red", "blue"), "frequencies": (0.9, 0.1)})
    manifest = add_model(registry, "rare", (rare, EYES))
    drawn = [complete_wish({"eyes": "red"}, seed, manifest) for seed in range(400)]
    assert {conditions["eyes"] for conditions in drawn} == {"red"}
    assert 0.85 < np.mean([conditions["hair"] == "red" for conditions in drawn]) < 0.95
    assert drawn == [complete_wish({"eyes": "red"}, seed, manifest) for seed in range(400)]
    # the attributes of a seed are independent
    both = {tuple(complete_wish({}, seed, manifest).values()) for seed in range(400)}
    assert len(both) == 20


@given(SEEDS)
def test_a_child_has_values_of_both_parents(seed: int) -> None:
    names = ("hair", "eyes", "mouth")
    a = {"hair": "pink", "eyes": "red", "mouth": "open"}
    b = {"hair": "blue", "eyes": "green", "mouth": "open"}
    child = mix_conditions(a, b, names, seed)
    assert tuple(child) == names
    assert {(child["hair"], child["eyes"])} <= {("pink", "green"), ("blue", "red")}
    assert child["mouth"] == "open"
    assert child == mix_conditions(a, b, names, seed)


def test_a_child_inherits_from_either_parent_equally_often() -> None:
    a, b = {"hair": "pink", "eyes": "red"}, {"hair": "blue", "eyes": "red"}
    hair = Counter(mix_conditions(a, b, ("hair", "eyes"), s)["hair"] for s in range(400))
    assert 150 < hair["pink"] < 250
