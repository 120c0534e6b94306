"""Games and penalties, against closed forms."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from train import losses

REAL, FAKE = torch.tensor([1.0, -0.5, 2.0]), torch.tensor([0.3, -1.0, 0.0])


def test_each_game_is_the_papers() -> None:
    real, fake, apart = REAL.sigmoid(), FAKE.sigmoid(), (REAL - FAKE).sigmoid()
    telling = -(real.log() + (1 - fake).log())
    papers = {
        "minimax": ((1 - fake).log(), telling),
        "nonsaturating": (-fake.log(), telling),
        "relativistic": (-(1 - apart).log(), -apart.log()),
        "wasserstein": (-FAKE, FAKE - REAL),
    }
    for loss, (generator, discriminator) in papers.items():
        game = losses.game(loss)  # type: ignore[arg-type]
        assert game.generator(REAL, FAKE).item() == pytest.approx(generator.mean().item(), rel=1e-5)
        reported = game.discriminator(REAL, FAKE).item()
        assert reported == pytest.approx(discriminator.mean().item(), rel=1e-5)


def test_energies_are_pushed_up_to_the_margin_only() -> None:
    game = losses.game("energy", margin=3)
    energy_real, energy_fake = torch.tensor([1.0, 2.0]), torch.tensor([2.5, 7.0])
    expected = 1.5 + (0.5 + 0) / 2
    assert game.discriminator(-energy_real, -energy_fake).item() == pytest.approx(expected)
    assert game.generator(-energy_real, -energy_fake).item() == pytest.approx(4.75)
    far = torch.tensor([-7.0], requires_grad=True)
    game.discriminator(-energy_real, far).backward()
    assert far.grad == 0


def test_pulling_away_is_the_mean_squared_cosine() -> None:
    angle = math.radians(60)
    code = torch.tensor([[2.0, 0.0], [3 * math.cos(angle), 3 * math.sin(angle)], [0.0, 1.0]])
    cosines = [math.cos(angle), 0.0, math.sin(angle)]
    expected = 2 * sum(c**2 for c in cosines) / (3 * 2)
    assert losses.pulling_away(code).item() == pytest.approx(expected, rel=1e-5)
    assert losses.pulling_away(torch.ones(4, 5)).item() == pytest.approx(1)
    assert losses.pulling_away(torch.eye(4)).item() == pytest.approx(0)


def linear(images: Tensor, weight: Tensor) -> Tensor:
    """A critic whose slope is the same everywhere."""
    return (images * weight).sum(dim=(1, 2, 3)) + 5


@pytest.mark.parametrize("size", [0.0, 0.2, 1.0, 3.0])
def test_penalties_of_a_linear_critic(size: float) -> None:
    rng = torch.Generator().manual_seed(0)
    weight = F.normalize(torch.randn(3 * 8 * 8, generator=rng), dim=0).view(3, 8, 8) * size
    weight.requires_grad_()
    real, fake = torch.randn(2, 5, 3, 8, 8, generator=rng)
    share, noise = torch.rand(5, generator=rng), torch.rand(5, 3, 8, 8, generator=rng)
    for points in (losses.between(real, fake, share), losses.around(real, share, noise)):
        points.requires_grad_()
        one = losses.one_centred_penalty(linear(points, weight), points)
        assert one.shape == (5,)
        assert one.tolist() == pytest.approx([(size - 1) ** 2] * 5, abs=1e-4)
        zero = losses.zero_centred_penalty(linear(points, weight), points)
        assert zero.tolist() == pytest.approx([size**2] * 5, abs=1e-4)
        one.sum().backward()
        assert weight.grad is not None
        assert weight.grad.isfinite().all()


def test_where_penalties_are_taken() -> None:
    real, fake = torch.full((2, 3, 4, 4), 1.0), torch.full((2, 3, 4, 4), -1.0)
    points = losses.between(real, fake, torch.tensor([1.0, 0.25]))
    assert points[0].unique().tolist() == [1.0]
    assert points[1].unique().tolist() == [-0.5]
    real[1] = 0.0
    ones = torch.ones_like(real)
    points = losses.around(real, torch.tensor([0.0, 1.0]), ones)
    assert torch.equal(points[0], real[0])
    assert points[1].unique().item() == pytest.approx(0.5 * real.std().item())
