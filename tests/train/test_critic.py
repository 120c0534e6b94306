from pathlib import Path

import pytest
import torch
from torch import Tensor

from train.checkpoint import CheckpointError
from train.critic import (
    MIN_REAL_IMAGES,
    REJECTED_SHARE,
    Critic,
    best_of,
    fit_critic,
    load_critic,
    save_critic,
)

REAL = MIN_REAL_IMAGES


def paint(latents: Tensor, conditions: Tensor) -> Tensor:
    """Images uint8 [N, 3, 32, 32] of a bright circle, of a size by the latent [N, 1]; the second
    condition has coarse stripes.
    """
    line = torch.linspace(-1, 1, 32)
    radius = (line[:, None] ** 2 + line**2).sqrt()
    circle = torch.sigmoid((0.6 + 0.05 * latents.view(-1, 1, 1) - radius) * 20)
    stripes = conditions[:, 1].view(-1, 1, 1) * (torch.arange(32) // 8 % 2)
    level = 60 + 120 * circle + 40 * stripes
    return level.to(torch.uint8)[:, None].expand(-1, 3, -1, -1)


def draw(count: int, seed: int, rare: int = 4) -> tuple[Tensor, Tensor]:
    """Latents and conditions; one of `rare` has the second condition."""
    rng = torch.Generator().manual_seed(seed)
    second = torch.arange(count) % rare == 0
    return torch.randn(count, 1, generator=rng), torch.stack([~second, second], dim=1).float()


@pytest.fixture(scope="module")
def critic() -> Critic:
    critic = fit_critic(paint(*draw(REAL, seed=0)), paint, *draw(200, seed=1))
    assert critic
    return critic


def test_a_broken_image_has_a_lower_score_than_intact_ones(critic: Critic) -> None:
    latents, conditions = draw(20, seed=2)
    intact = paint(latents, conditions)
    broken = intact.clone()
    broken[:, :, 12:20, 12:20] = broken[:, :, 12:20, :8]
    assert (critic(broken, conditions) < critic(intact, conditions).min() - 1).all()


def test_a_fixed_share_of_the_images_is_below_the_threshold(critic: Critic) -> None:
    latents, conditions = draw(200, seed=1)
    scores = critic(paint(latents, conditions), conditions)
    assert scores.max() == 0
    assert (scores < 0).float().mean() == pytest.approx(REJECTED_SHARE, abs=0.02)


def test_images_of_a_rare_condition_are_not_rejected_for_it(critic: Critic) -> None:
    latents, conditions = draw(200, seed=3)
    images, rare = paint(latents, conditions), conditions[:, 1] == 1
    anomaly = critic.anomaly(images)
    assert anomaly[rare].mean() > anomaly[~rare].mean() + anomaly[~rare].std()
    rejected = (critic(images, conditions) < 0).float()
    assert rejected[rare].mean() < 2 * REJECTED_SHARE


def test_scores_do_not_depend_on_the_batch(critic: Critic) -> None:
    latents, conditions = draw(5, seed=4)
    images = 255 - paint(latents, conditions)
    together = critic(images, conditions)
    alone = [critic(images[[i]], conditions[[i]]) for i in range(5)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-3)
    assert together.std() > 0.01


def test_few_real_images_give_no_critic() -> None:
    assert fit_critic(paint(*draw(REAL - 1, seed=0)), paint, *draw(10, seed=1)) is None


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


def test_best_of_keeps_the_first_of_equal_scores() -> None:
    def generate(latents: Tensor, conditions: Tensor) -> Tensor:
        assert latents.shape[1] == 2
        return latents[:, :1].view(-1, 1, 1, 1)

    def score(pictures: Tensor, conditions: Tensor) -> Tensor:
        return pictures.flatten().clamp(max=3) + conditions[:, 0] * 1e-4

    choose = best_of(generate, score, 3)
    latents = torch.tensor([[1.0, 0, 5, 0, 4, 0], [2.0, 0, 1, 0, 2, 0], [4.0, 0, 9, 0, 9, 0]])
    assert choose(latents, torch.rand(3, 5)).flatten().tolist() == [5, 2, 4]
    assert best_of(generate, score, 1) is generate
