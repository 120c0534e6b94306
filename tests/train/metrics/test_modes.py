import math

import pytest
import torch

from train.metrics.modes import assign, cluster, dropped_share, relative_frequency, shares


def heaps(*sizes: int) -> torch.Tensor:
    """Points about 0, 10, 20, …, so many each."""
    rng = torch.Generator().manual_seed(0)
    parts = [10 * n + torch.randn(size, 4, generator=rng) / 10 for n, size in enumerate(sizes)]
    return torch.cat(parts)


def test_each_heap_has_a_centre_of_its_own() -> None:
    points = heaps(100, 100, 100, 100)
    bins = assign(points, cluster(points))
    for one in range(4):
        mine = set(bins[100 * one : 100 * one + 100].tolist())
        others = set(bins.tolist()) - mine
        assert mine
        assert not mine & set(torch.cat([bins[: 100 * one], bins[100 * one + 100 :]]).tolist())
        assert len(others) >= 3


def test_the_same_points_have_the_same_centres() -> None:
    points = heaps(60, 80)
    assert torch.equal(cluster(points), cluster(points))
    assert cluster(points[:30]).shape == (1, 4), "few points, one cluster"
    assert cluster(torch.ones(100, 4)).shape == (1, 4), "copies are one cluster"


def test_what_is_never_painted_is_dropped() -> None:
    real = shares(torch.tensor([0] * 5 + [1] * 3 + [2] * 2), 3)
    assert real.tolist() == pytest.approx([0.5, 0.3, 0.2])
    reached = relative_frequency(real, torch.tensor([0.97, 0.02, 0.01]), 100)
    assert reached.tolist() == pytest.approx([1.94, 0.2 / 3, 0.05])
    assert dropped_share(reached) == pytest.approx(2 / 3)


def test_where_few_are_expected_none_tells_nothing() -> None:
    reached = relative_frequency(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([1.0, 0.0, 0.0]), 20)
    assert reached[:2].tolist() == pytest.approx([2, 0])
    assert math.isnan(reached[2])
    assert dropped_share(reached) == 0.5
    assert dropped_share(torch.full((3,), math.nan)) == 0
