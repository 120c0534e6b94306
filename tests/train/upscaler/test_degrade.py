import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from train.upscaler.degrade import degrade


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_output_has_a_quarter_of_the_size() -> None:
    for height, width in ((64, 64), (16, 40)):
        small = degrade(torch.zeros(3, 3, height, width, dtype=torch.uint8), seeded(0))
        assert small.dtype == torch.uint8
        assert small.shape == (3, 3, height // 4, width // 4)


def test_degradation_uses_only_its_generator(pictures: Tensor) -> None:
    torch.manual_seed(1)
    first = degrade(pictures, seeded(0))
    torch.manual_seed(2)
    assert torch.equal(degrade(pictures, seeded(0)), first)
    assert not torch.equal(degrade(pictures, seeded(1)), first)


def test_images_are_degraded_differently(pictures: Tensor) -> None:
    same = degrade(pictures[:1].repeat(8, 1, 1, 1), seeded(0))
    assert len({picture.numpy().tobytes() for picture in same}) == 8


def test_degradation_preserves_the_image(pictures: Tensor) -> None:
    small = degrade(pictures, seeded(0)).float()
    areas = avg_pool2d(pictures.float(), 4)
    assert (small - areas).mean().abs() < 2
    assert 1 < (small - areas).abs().mean() < 20, "but degraded"


def test_degradation_does_not_shift_the_image(pictures: Tensor) -> None:
    """The small image matches the original best without a shift."""
    seen = torch.stack([degrade(pictures, seeded(seed)).float() for seed in range(12)]).mean(dim=0)
    places = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    distance = {
        place: (avg_pool2d(pictures.float().roll(place, dims=(2, 3)), 4) - seen).square().mean()
        for place in places
    }
    assert min(distance, key=lambda place: distance[place]) == (0, 0)


def test_white_and_black_areas_hardly_change() -> None:
    for level in (0, 255):
        plain = torch.full((32, 3, 32, 32), level, dtype=torch.uint8)
        assert (degrade(plain, seeded(0)).int() - level).abs().max() < 8
