"""Closed forms, on points made by hand."""

import pytest
import torch

from train.metrics.neighbors import neighbor_figures, radii

CROWD = torch.arange(6.0).unsqueeze(1) / 100
REAL = torch.cat([CROWD, CROWD + 100])
"""Two crowds of six, far from each other; a point's fifth neighbour is the far end of its own."""


def test_radii() -> None:
    first, third, fifth = radii(CROWD, (1, 3, 5))
    assert first.tolist() == pytest.approx([0.01] * 6, abs=1e-6)
    assert third.tolist() == pytest.approx([0.03, 0.02, 0.02, 0.02, 0.02, 0.03], abs=1e-6)
    assert fifth.tolist() == pytest.approx([0.05, 0.04, 0.03, 0.03, 0.04, 0.05], abs=1e-6)
    assert torch.equal(radii(CROWD, (9,))[0], fifth), "there are no more"


def test_the_same_points_are_as_real_as_can_be() -> None:
    figures = neighbor_figures(REAL, REAL)
    assert (figures["precision"], figures["recall"], figures["coverage"]) == (1, 1, 1)


def test_one_crowd_of_two() -> None:
    """Each point lies in its own crowd's balls but for those around a nearer middle."""
    figures = neighbor_figures(REAL, CROWD)
    within = sum(
        abs(i - j) <= max(i, 5 - i) for i in range(6) for j in range(6)
    )  # balls of real i that hold painted j, in hundredths
    assert figures["precision"] == 1
    assert figures["recall"] == 0.5
    assert figures["coverage"] == 0.5
    assert figures["density"] == pytest.approx(within / 6 / 5)


def test_points_far_from_all_real_ones_count_for_nothing() -> None:
    figures = neighbor_figures(REAL, CROWD - 1000)
    assert set(figures.values()) == {0}


def test_one_outlier_among_the_real_ones_raises_precision_but_not_density() -> None:
    """Its ball is huge: what density was made for."""
    real = torch.cat([CROWD, torch.tensor([[10.0]])])
    between = CROWD + 5
    figures = neighbor_figures(real, between)
    assert figures["precision"] == 1
    assert figures["density"] == pytest.approx(1 / 5)
    assert figures["coverage"] == pytest.approx(1 / 7)


def test_copies_of_one_point_are_neighbours() -> None:
    figures = neighbor_figures(torch.zeros(8, 3), torch.zeros(8, 3))
    assert figures["precision"] == figures["recall"] == figures["coverage"] == 1
