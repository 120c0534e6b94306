from pathlib import Path

import pytest
import torch
from circles import draw, paint

from train.checkpoint import CheckpointError
from train.critic import (
    MIN_REAL_IMAGES,
    Critic,
    MarkedCritic,
    UnusualCritic,
    fit_critic,
    load_critic,
    save_critic,
)

WEIGHT = torch.randn(MarkedCritic(0).weight.shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=[None, WEIGHT], ids=["unusual", "marked"])
def critic(request: pytest.FixtureRequest) -> Critic:
    real = paint(*draw(MIN_REAL_IMAGES, seed=0))
    critic = fit_critic(real, paint, *draw(200, seed=1), request.param)
    assert isinstance(critic, UnusualCritic if request.param is None else MarkedCritic)
    return critic


def test_few_real_images_give_a_critic_of_marked_images_only() -> None:
    few = paint(*draw(MIN_REAL_IMAGES - 1, seed=0))
    assert fit_critic(few, paint, *draw(10, seed=1)) is None
    assert isinstance(fit_critic(few, paint, *draw(10, seed=1), WEIGHT), MarkedCritic)


def test_a_fixed_share_of_the_images_is_below_the_threshold(critic: Critic) -> None:
    latents, conditions = draw(200, seed=1)
    scores = critic(paint(latents, conditions), conditions)
    assert scores.max() == 0
    assert (scores < 0).float().mean() == pytest.approx(critic.rejected_share, abs=0.02)


def test_a_critic_is_stored_with_its_run(critic: Critic, tmp_path: Path) -> None:
    save_critic(tmp_path, critic)
    latents, conditions = draw(5, seed=4)
    images = 255 - paint(latents, conditions)
    assert torch.equal(load_critic(tmp_path)(images, conditions), critic(images, conditions))


@pytest.mark.parametrize("content", [None, b"", b"no tensors"])
def test_a_missing_or_damaged_critic_is_an_error_with_advice(
    content: bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "critic.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="judge the run again"):
        load_critic(tmp_path)


def test_a_marked_image_is_judged_in_the_same_way_under_all_conditions() -> None:
    critic = fit_critic(paint(*draw(1, seed=0)), paint, *draw(200, seed=1), WEIGHT)
    assert critic
    images = paint(*draw(20, seed=2))
    first, second = (torch.eye(2)[[k]].expand(20, -1) for k in range(2))
    assert torch.equal(critic(images, first), critic(images, second))
    assert (critic(images, first) < 0).any()
