"""Flips and slight rotations of real images."""

import math

import pytest
import torch

from train.augment import DEGREES, flip, flip_and_rotate


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_flip_probability_is_one_half(rng: torch.Generator) -> None:
    images = torch.arange(8, dtype=torch.uint8).repeat(400, 3, 8, 1)
    flipped = flip(images, rng)
    turned = (flipped[:, 0, 0, 0] == 7).float()
    assert turned.mean().item() == pytest.approx(0.5, abs=0.1)
    assert torch.equal(flipped.sort(dim=3).values, images)


def test_rotations_are_small_and_in_both_directions(rng: torch.Generator) -> None:
    size = 65
    images = torch.full((200, 3, size, size), 255, dtype=torch.uint8)
    images[:, :, size // 2] = 0  # a horizontal line
    turned = flip_and_rotate(images, rng)
    assert turned.dtype == torch.uint8
    heights = (255 - turned[:, 0].float()).argmax(dim=1)  # height of the line in each column
    run = size - 21
    angles = torch.atan((heights[:, -11] - heights[:, 10]) / run).rad2deg()
    assert angles.abs().max() <= DEGREES + math.degrees(1 / run)
    assert angles.abs().max() > DEGREES / 2
    assert (angles > 1).any()
    assert (angles < -1).any()


def test_augmentation_of_a_part_equals_that_of_the_whole_batch(rng: torch.Generator) -> None:
    images = torch.randint(256, (8, 3, 16, 16), dtype=torch.uint8)
    whole = flip_and_rotate(images, rng)
    other = torch.Generator().manual_seed(0)
    assert torch.equal(flip_and_rotate(images[4:], other, 8, slice(4, 8)), whole[4:])
    assert torch.equal(rng.get_state(), other.get_state())
