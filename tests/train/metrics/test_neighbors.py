"""Figures of nearest neighbors, compared with closed forms."""

import pytest
import torch

from train.metrics.neighbors import neighbor_figures, radii

CROWD = torch.arange(6.0).unsqueeze(1) / 100
REAL = torch.cat([CROWD, CROWD + 100])
"""Two distant clusters of six points; the fifth neighbor of a point is in its own cluster."""


def test_radii() -> None:
    first, third, fifth = radii(CROWD, (1, 3, 5))
    assert first.tolist() == pytest.approx([0.01] * 6, abs=1e-6)
    assert third.tolist() == pytest.approx([0.03, 0.02, 0.02, 0.02, 0.02, 0.03], abs=1e-6)
    assert fifth.tolist() == pytest.approx([0.05, 0.04, 0.03, 0.03, 0.04, 0.05], abs=1e-6)
    assert torch.equal(radii(CROWD, (9,))[0], fifth), "there are no more"


def test_figures_of_identical_sets() -> None:
    figures = neighbor_figures(REAL, REAL)
    assert (figures["precision"], figures["recall"], figures["coverage"]) == (1, 1, 1)


def test_generated_points_in_one_of_two_clusters() -> None:
    """Each point lies in the balls of its own cluster, except for small ones around the middle."""
    figures = neighbor_figures(REAL, CROWD)
    within = sum(
        abs(i - j) <= max(i, 5 - i) for i in range(6) for j in range(6)
    )  # whether the ball of real point i contains generated point j, in hundredths
    assert figures["precision"] == 1
    assert figures["recall"] == 0.5
    assert figures["coverage"] == 0.5
    assert figures["density"] == pytest.approx(within / 6 / 5)


def test_points_far_from_all_real_points() -> None:
    figures = neighbor_figures(REAL, CROWD - 1000)
    assert set(figures.values()) == {0}


def test_one_outlier_among_the_real_ones_raises_precision_but_not_density() -> None:
    """Its large ball affects precision, but not density."""
    real = torch.cat([CROWD, torch.tensor([[10.0]])])
    between = CROWD + 5
    figures = neighbor_figures(real, between)
    assert figures["precision"] == 1
    assert figures["density"] == pytest.approx(1 / 5)
    assert figures["coverage"] == pytest.approx(1 / 7)


def test_copies_of_one_point_are_neighbors() -> None:
    figures = neighbor_figures(torch.zeros(8, 3), torch.zeros(8, 3))
    assert figures["precision"] == figures["recall"] == figures["coverage"] == 1
