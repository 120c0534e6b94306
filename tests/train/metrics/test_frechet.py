"""The Fréchet distance, compared with closed forms and the formula of the paper."""

import numpy as np
import pytest
import torch

from train.metrics.frechet import Normal


def points(count: int, features: int, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, features, generator=rng) @ torch.randn(
        features, features, generator=rng
    )


def by_the_formula(one: torch.Tensor, two: torch.Tensor) -> float:
    """tr (C₁ C₂)^½ by the eigenvalues of the product."""
    a, b = one.double().numpy(), two.double().numpy()
    c, d = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(c @ d).astype(complex)).real.sum()
    apart = np.square(a.mean(0) - b.mean(0)).sum()
    return float(apart + np.trace(c) + np.trace(d) - 2 * root)


@pytest.mark.parametrize("count", [200, 12, 5], ids=lambda n: f"{n} points")
def test_distance_equals_the_formula(count: int) -> None:
    real, other = points(300, 10), points(count, 10, seed=1) + 0.5
    expected = by_the_formula(real, other)
    assert Normal.of(real).distance(other) == pytest.approx(expected, rel=1e-5)


def test_distance_of_a_shift_is_its_squared_length() -> None:
    real = points(50, 4)
    shift = torch.tensor([3.0, 0.0, 4.0, 0.0])
    assert Normal.of(real).distance(real + shift) == pytest.approx(25, rel=1e-4)


def test_distance_of_a_scaling_is_the_squared_difference_of_deviations() -> None:
    real = torch.randn(500, 1, generator=torch.Generator().manual_seed(0))
    real = (real - real.mean()) / real.std()
    assert Normal.of(real).distance(3 * real) == pytest.approx(4, rel=1e-4)


def test_distance_of_identical_points_is_zero() -> None:
    real = points(20, 40)
    assert Normal.of(real).distance(real) == pytest.approx(0, abs=1e-4)
    assert Normal.of(torch.ones(5, 3)).distance(torch.ones(4, 3)) == 0
