"""Augmentation of images."""

import math

import pytest
import torch

from train.augment import DEGREES, ZOOM, flip, flip_and_rotate, zoom_and_cut


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


def test_zooms_and_cuts(rng: torch.Generator) -> None:
    size = 40
    ramp = torch.linspace(-1, 1, size).repeat(400, 3, size, 1)
    ramp[:, 1] = 0.5
    changed = zoom_and_cut(ramp, rng)
    hole = (changed == 0).all(dim=1)
    is_cut, is_moved = hole.any(dim=2).any(dim=1), (changed - ramp)[:, 1:2].ne(0)
    assert is_cut.float().mean().item() == pytest.approx(0.5, abs=0.1)
    assert hole[is_cut].sum(dim=2).max(dim=1).values.max() == round(0.3 * size)
    # Outside of the holes, colors stay those of the image: only positions change.
    assert torch.equal(is_moved.squeeze(1), hole)
    same = torch.isclose(changed, ramp).flatten(1).float().mean(dim=1) > 0.8
    assert same.float().mean().item() == pytest.approx(0.5, abs=0.1)
    slope = changed[:, 0, size // 2, size // 2 + 1] - changed[:, 0, size // 2, size // 2]
    zooms = (2 / (size - 1)) / slope[~hole[:, size // 2, size // 2 : size // 2 + 2].any(dim=1)]
    assert 1 / ZOOM - 1e-3 < zooms.min() < 0.9
    assert 1.1 < zooms.max() < ZOOM + 1e-3


def test_zooms_and_cuts_are_differentiable(rng: torch.Generator) -> None:
    images = torch.rand(8, 3, 16, 16, requires_grad=True)
    zoom_and_cut(images, rng).sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_augmentation_of_a_part_equals_that_of_the_whole_batch(rng: torch.Generator) -> None:
    images = torch.randint(256, (8, 3, 16, 16), dtype=torch.uint8)
    whole = flip_and_rotate(images, rng)
    other = torch.Generator().manual_seed(0)
    assert torch.equal(flip_and_rotate(images[4:], other, 8, slice(4, 8)), whole[4:])
    assert torch.equal(rng.get_state(), other.get_state())
    pictures = torch.rand(8, 3, 16, 16)
    whole = zoom_and_cut(pictures, rng)
    assert torch.equal(zoom_and_cut(pictures[4:], other, 8, slice(4, 8)), whole[4:])
    assert torch.equal(rng.get_state(), other.get_state())
