import math

import pytest
import torch
from torch import Tensor

from train.upscaler.measure import clean, degraded, measure, psnr, resize, ssim


def flat(level: int, count: int = 1) -> Tensor:
    return torch.full((count, 3, 32, 32), level, dtype=torch.uint8)


def test_psnr_equals_the_formula_for_each_image() -> None:
    truth = torch.cat([flat(100), flat(100)])
    pictures = torch.cat([flat(110), flat(80)])
    expected = [20 * math.log10(255 / 10), 20 * math.log10(255 / 20)]
    assert psnr(pictures, truth).tolist() == pytest.approx(expected)


def test_psnr_of_identical_images_is_finite() -> None:
    nearly = flat(100)
    nearly[0, 0, 0, 0] = 101
    best = psnr(flat(100), flat(100)).item()
    assert best == pytest.approx(10 * math.log10(255**2 * 3 * 32 * 32))
    assert psnr(nearly, flat(100)).item() == pytest.approx(best)


def test_ssim_equals_the_formula_for_uniform_images() -> None:
    a, b, c1 = 100, 140, (0.01 * 255) ** 2
    expected = (2 * a * b + c1) / (a * a + b * b + c1)
    assert ssim(flat(a, 2), flat(b, 2)).tolist() == pytest.approx([expected] * 2, abs=1e-3)


def test_ssim_of_identical_images_is_one(pictures: Tensor) -> None:
    assert ssim(pictures, pictures).tolist() == pytest.approx([1.0] * 8, abs=1e-3)


def test_clean_is_the_mean_of_areas(pictures: Tensor) -> None:
    large = flat(10)
    large[..., ::2] = 21  # the mean, 15.5, is rounded to even
    assert torch.unique(clean(large)).tolist() == [16]
    assert clean(pictures).shape == (8, 3, 16, 16)


def test_degraded_images_are_deterministic(pictures: Tensor) -> None:
    assert torch.equal(degraded(pictures), degraded(pictures))


def test_resize_filters(pictures: Tensor) -> None:
    small = clean(pictures)
    nearest = small.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    assert torch.equal(resize("nearest")(small), nearest)
    scores = {how: measure(resize(how), small, pictures) for how in ("nearest", "bicubic")}
    assert scores["bicubic"]["psnr"] > scores["nearest"]["psnr"]
    assert scores["nearest"]["psnr"] == pytest.approx(psnr(nearest, pictures).mean().item())
