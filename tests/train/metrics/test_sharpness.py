"""What is known of the Laplacian of drawn pictures."""

import pytest
import torch

from train.metrics.sharpness import sharpness


def test_of_what_has_no_edge() -> None:
    slope = torch.arange(0, 240, 10, dtype=torch.uint8).expand(2, 3, 24, 24)
    assert sharpness(slope) == pytest.approx(0, abs=1e-9)


def test_of_a_chess_board() -> None:
    """Every pixel is 1 apart from its four neighbours: a Laplacian of 4, either way."""
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 255
    black = torch.zeros(8, 8, dtype=torch.uint8)
    pictures = torch.stack([board.to(torch.uint8), black])[:, None].expand(2, 3, 8, 8)
    assert sharpness(pictures) == pytest.approx(16 / 2)
