"""Sharpness of images with a known Laplacian."""

import pytest
import torch

from train.metrics.sharpness import sharpness


def test_sharpness_of_a_uniform_image() -> None:
    slope = torch.arange(0, 240, 10, dtype=torch.uint8).expand(2, 3, 24, 24)
    assert sharpness(slope) == pytest.approx(0, abs=1e-9)


def test_sharpness_of_a_checkerboard() -> None:
    """Each pixel differs by 1 from its four neighbors, so the Laplacian is ±4."""
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 255
    black = torch.zeros(8, 8, dtype=torch.uint8)
    pictures = torch.stack([board.to(torch.uint8), black])[:, None].expand(2, 3, 8, 8)
    assert sharpness(pictures) == pytest.approx(16 / 2)
