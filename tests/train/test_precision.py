"""Trainings in bfloat16, compared with those in float32."""

import math
from pathlib import Path

import pytest
import shared_training
import torch
from safetensors.torch import load_file
from shared_training import SETTINGS, WITH_FEATURES, recipe

from train.settings import TrainSettings


@pytest.mark.parametrize(
    "settings",
    [SETTINGS, WITH_FEATURES, *map(recipe, shared_training.RECIPES)],
    ids=["default", "features", *shared_training.RECIPES],
)
def test_a_training_in_bfloat16_is_close_to_one_in_float32(
    settings: TrainSettings, tmp_path: Path
) -> None:
    before = shared_training.run(
        tmp_path / "before", settings=settings, images=8, learning_rate=1e-12
    )
    exact = shared_training.run(tmp_path / "exact", settings=settings)
    rounded = shared_training.run(tmp_path / "rounded", settings=settings, precision="bfloat16")
    saved = load_file(tmp_path / "rounded" / "checkpoint.safetensors")
    assert torch.bfloat16 not in {tensor.dtype for tensor in saved.values()}

    def difference(one: torch.nn.Module, other: torch.nn.Module) -> float:
        pairs = zip(one.parameters(), other.parameters(), strict=True)
        return math.sqrt(sum((a - b).detach().square().sum().item() for a, b in pairs))

    moved = difference(before.generator, exact.generator)
    # Adam's first steps amplify rounding; trainings that have nothing in common differ by √2.
    assert 0 < difference(rounded.generator, exact.generator) < 0.8 * moved
