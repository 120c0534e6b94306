import pytest
import torch

from train.show.latents import along, linear, spherical


def latent(seed: int) -> torch.Tensor:
    return torch.randn(96, generator=torch.Generator().manual_seed(seed))


def test_spherical_interpolation_keeps_norms() -> None:
    one, other = latent(0), latent(1)
    other = other / other.norm() * one.norm()
    way = spherical(one, other, 9)
    assert way.norm(dim=1).tolist() == pytest.approx([one.norm().item()] * 9, rel=1e-5)
    assert torch.allclose(way[0], one, atol=1e-5)
    assert torch.allclose(way[-1], other, atol=1e-5)
    steps = torch.nn.functional.cosine_similarity(way[:-1], way[1:], dim=1)
    assert steps.tolist() == pytest.approx([steps[0].item()] * 8, abs=1e-5), "equal angles"
    assert linear(one, other, 9)[4].norm() < 0.9 * one.norm(), "the straight way cuts through"


def test_spherical_interpolation_interpolates_norms() -> None:
    one, other = latent(0), 3 * latent(1)
    norms = spherical(one, other, 3).norm(dim=1)
    assert norms[1].item() == pytest.approx(((norms[0] + norms[2]) / 2).item(), rel=1e-5)


@pytest.mark.parametrize("other", [-latent(0), latent(0), torch.zeros(96)])
def test_spherical_interpolation_falls_back_to_linear(other: torch.Tensor) -> None:
    assert torch.allclose(spherical(latent(0), other, 5), linear(latent(0), other, 5))


def test_offsets_are_in_deviations() -> None:
    direction = torch.tensor([0.0, 5.0])
    moved = along(torch.tensor([[1.0, 1.0]]), direction, torch.tensor([-2.0, 0.0, 2.0]))
    assert moved.tolist() == [[[1, -1], [1, 1], [1, 3]]]
