from pathlib import Path

import pytest
import torch
from circles import draw, paint
from safetensors.torch import save_file
from torch import Tensor

from train.checkpoint import CheckpointError
from train.scorer import MarkedScorer, load_defects, save_defects
from train.scorer.marked import BROKEN, INTACT, cross_validate, fit_weight, marked_features


def break_some(images: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Replaces the center of a third of the images; returns them with their targets."""
    rng = torch.Generator().manual_seed(seed)
    broken = torch.rand(len(images), generator=rng) < 1 / 3
    damaged = images.clone()
    damaged[broken, :, 12:20, 12:20] = images[broken, :, 12:20, :8]
    return damaged, torch.where(broken, BROKEN, INTACT)


@pytest.fixture(scope="module")
def marked() -> tuple[Tensor, Tensor]:
    images, targets = break_some(paint(*draw(60, seed=0)), seed=0)
    return marked_features(images), targets


def test_broken_images_have_a_higher_anomaly_than_intact_ones(
    marked: tuple[Tensor, Tensor],
) -> None:
    scorer = MarkedScorer(condition_dim=2)
    scorer.weight.copy_(fit_weight(*marked).view_as(scorer.weight))
    images, targets = break_some(paint(*draw(40, seed=1)), seed=1)
    anomaly = scorer.anomaly(images)
    assert anomaly[targets == BROKEN].min() > anomaly[targets == INTACT].max()


def test_mirror_images_are_learned_as_well() -> None:
    images, _ = break_some(paint(*draw(3, seed=0)), seed=0)
    images[..., :10] = 0
    features = marked_features(images)
    assert torch.equal(features[1], marked_features(images.flip(3))[0])
    assert not torch.equal(features[0], features[1])


def test_cross_validation_ranks_images_that_were_not_learned_from(
    marked: tuple[Tensor, Tensor],
) -> None:
    found = cross_validate(*marked)
    assert found.auc == 1
    assert found.broken == pytest.approx(1 / 3, abs=0.15)
    assert found.broken_kept < 0.05


def test_cross_validation_of_random_marks_finds_nothing() -> None:
    rng = torch.Generator().manual_seed(3)
    features = torch.randn(2, 400, 20, generator=rng)
    found = cross_validate(features, (torch.rand(400, generator=rng) < 0.3).float())
    assert 0.4 < found.auc < 0.6
    assert found.broken_kept == pytest.approx(found.broken, abs=0.08)


def test_weights_are_stored_in_half_precision(tmp_path: Path) -> None:
    weight = torch.randn(MarkedScorer(0).weight.shape)
    save_defects(tmp_path / "defects.safetensors", weight.flatten())
    assert torch.equal(load_defects(tmp_path / "defects.safetensors"), weight.half().float())


def test_error_for_a_file_that_is_not_of_the_command(tmp_path: Path) -> None:
    file = tmp_path / "defects.safetensors"
    with pytest.raises(CheckpointError, match="is not a file of `python -m train defects fit`"):
        load_defects(file)
    file.write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match="is not a file of `python -m train defects fit`"):
        load_defects(file)
    save_file({"weight": torch.zeros(2, 3)}, file)
    with pytest.raises(CheckpointError, match=r"shape \(2, 3\), not \(108, 40\).*fit it again"):
        load_defects(file)
