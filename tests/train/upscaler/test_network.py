import pytest
import torch
from torch.nn import functional as F

from train.upscaler.network import Upscaler


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 96, 96), (2, 5, 9)])
def test_output_is_four_times_as_large(shape: tuple[int, int, int]) -> None:
    count, height, width = shape
    image = torch.rand(count, 3, height, width)
    assert Upscaler(8, 2)(image).shape == (count, 3, 4 * height, 4 * width)


def test_starts_as_an_interpolation() -> None:
    image = torch.rand(2, 3, 16, 16)
    plain = F.interpolate(image, scale_factor=4, mode="bilinear")
    assert torch.equal(Upscaler()(image), plain)


def test_network_is_small() -> None:
    assert sum(parameter.numel() for parameter in Upscaler().parameters()) < 400_000
