"""Losses and penalties of the classical recipes, compared with closed forms."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from train.lineage import losses

REAL, FAKE = torch.tensor([1.0, -0.5, 2.0]), torch.tensor([0.3, -1.0, 0.0])


def test_adversarial_losses_equal_the_equations_of_the_papers() -> None:
    real, fake, difference = REAL.sigmoid(), FAKE.sigmoid(), (REAL - FAKE).sigmoid()
    logistic = -(real.log() + (1 - fake).log())
    expected: dict[losses.LossName, tuple[Tensor, Tensor]] = {
        "minimax": ((1 - fake).log(), logistic),
        "nonsaturating": (-fake.log(), logistic),
        "relativistic": (-(1 - difference).log(), -difference.log()),
        "wasserstein": (-FAKE, FAKE - REAL),
    }
    for name, (generator, discriminator) in expected.items():
        loss = losses.adversarial_loss(name)
        assert loss.generator(REAL, FAKE).item() == pytest.approx(generator.mean().item(), rel=1e-5)
        computed = loss.discriminator(REAL, FAKE).item()
        assert computed == pytest.approx(discriminator.mean().item(), rel=1e-5)


def test_energies_of_fakes_increase_only_up_to_the_margin() -> None:
    loss = losses.adversarial_loss("energy", margin=3)
    energy_real, energy_fake = torch.tensor([1.0, 2.0]), torch.tensor([2.5, 7.0])
    expected = 1.5 + (0.5 + 0) / 2
    assert loss.discriminator(-energy_real, -energy_fake).item() == pytest.approx(expected)
    assert loss.generator(-energy_real, -energy_fake).item() == pytest.approx(4.75)
    beyond = torch.tensor([-7.0], requires_grad=True)
    loss.discriminator(-energy_real, beyond).backward()  # type: ignore[no-untyped-call]
    assert beyond.grad == 0


def test_pulling_away_is_the_mean_squared_cosine() -> None:
    angle = math.radians(60)
    code = torch.tensor([[2.0, 0.0], [3 * math.cos(angle), 3 * math.sin(angle)], [0.0, 1.0]])
    cosines = [math.cos(angle), 0.0, math.sin(angle)]
    expected = 2 * sum(c**2 for c in cosines) / (3 * 2)
    assert losses.pulling_away(code).item() == pytest.approx(expected, rel=1e-5)
    assert losses.pulling_away(torch.ones(4, 5)).item() == pytest.approx(1)
    assert losses.pulling_away(torch.eye(4)).item() == pytest.approx(0)


def linear(images: Tensor, weight: Tensor) -> Tensor:
    """A critic with a constant gradient."""
    return (images * weight).sum(dim=(1, 2, 3)) + 5


@pytest.mark.parametrize("size", [0.0, 0.2, 1.0, 3.0])
def test_one_centered_penalty_of_a_linear_critic(size: float) -> None:
    rng = torch.Generator().manual_seed(0)
    weight = F.normalize(torch.randn(3 * 8 * 8, generator=rng), dim=0).view(3, 8, 8) * size
    weight.requires_grad_()
    real, fake = torch.randn(2, 5, 3, 8, 8, generator=rng)
    share, noise = torch.rand(5, generator=rng), torch.rand(5, 3, 8, 8, generator=rng)
    for points in (losses.interpolate(real, fake, share), losses.perturb(real, share, noise)):
        points.requires_grad_()
        penalty = losses.one_centered_penalty(linear(points, weight), points)
        assert penalty.shape == (5,)
        assert penalty.tolist() == pytest.approx([(size - 1) ** 2] * 5, abs=1e-4)
        penalty.sum().backward()  # type: ignore[no-untyped-call]
        assert weight.grad is not None
        assert weight.grad.isfinite().all()


def test_channel_penalty_allows_a_norm_of_one_at_each_pixel() -> None:
    weight = torch.zeros(3, 8, 8)
    weight[0], weight[1] = 0.6, 0.8
    points = torch.randn(5, 3, 8, 8).requires_grad_()
    assert losses.channel_penalty(linear(points, weight), points).tolist() == pytest.approx([0] * 5)
    whole = losses.one_centered_penalty(linear(points, weight), points)
    assert whole.tolist() == pytest.approx([(8 - 1) ** 2] * 5, rel=1e-4), "8 × 8 pixels"


def test_points_of_the_penalties() -> None:
    real, fake = torch.full((2, 3, 4, 4), 1.0), torch.full((2, 3, 4, 4), -1.0)
    points = losses.interpolate(real, fake, torch.tensor([1.0, 0.25]))
    assert torch.unique(points[0]).tolist() == [1.0]
    assert torch.unique(points[1]).tolist() == [-0.5]
    real[1] = 0.0
    ones = torch.ones_like(real)
    points = losses.perturb(real, torch.tensor([0.0, 1.0]), ones)
    assert torch.equal(points[0], real[0])
    assert torch.unique(points[1]).item() == pytest.approx(0.5 * real.std().item())
