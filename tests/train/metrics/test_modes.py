import math

import pytest
import torch

from train.metrics.modes import assign, cluster, dropped_share, relative_frequency, shares


def blobs(*sizes: int) -> torch.Tensor:
    """Points around 0, 10, 20, …; `sizes` are their numbers."""
    rng = torch.Generator().manual_seed(0)
    parts = [10 * n + torch.randn(size, 4, generator=rng) / 10 for n, size in enumerate(sizes)]
    return torch.cat(parts)


def test_each_blob_is_a_cluster() -> None:
    points = blobs(100, 100, 100, 100)
    bins = assign(points, cluster(points))
    for one in range(4):
        mine = set(bins[100 * one : 100 * one + 100].tolist())
        others = set(bins.tolist()) - mine
        assert mine
        assert not mine & set(torch.cat([bins[: 100 * one], bins[100 * one + 100 :]]).tolist())
        assert len(others) >= 3


def test_clustering_is_deterministic() -> None:
    points = blobs(60, 80)
    assert torch.equal(cluster(points), cluster(points))
    assert cluster(points[:30]).shape == (1, 4), "few points, one cluster"
    assert cluster(torch.ones(100, 4)).shape == (1, 4), "copies are one cluster"


def test_bins_with_low_relative_frequency_are_dropped() -> None:
    real = shares(torch.tensor([0] * 5 + [1] * 3 + [2] * 2), 3)
    assert real.tolist() == pytest.approx([0.5, 0.3, 0.2])
    reached = relative_frequency(real, torch.tensor([0.97, 0.02, 0.01]), 100)
    assert reached.tolist() == pytest.approx([1.94, 0.2 / 3, 0.05])
    assert dropped_share(reached) == pytest.approx(2 / 3)


def test_relative_frequency_is_nan_if_few_images_are_expected() -> None:
    reached = relative_frequency(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([1.0, 0.0, 0.0]), 20)
    assert reached[:2].tolist() == pytest.approx([2, 0])
    assert math.isnan(reached[2])
    assert dropped_share(reached) == 0.5
    assert dropped_share(torch.full((3,), math.nan)) == 0
