from pathlib import Path

import torch

from train.calibrate import SPREADS, calibrate
from train.data import load
from train.judge import prepare
from train.networks import Generator


def test_the_spread_of_lowest_q_is_kept(faces_zip: Path, tmp_path: Path) -> None:
    faces = load(faces_zip, 32)
    judge = prepare(faces, tmp_path, images=640, report=lambda _: None)
    torch.manual_seed(0)
    generator = Generator(32, 8, faces.sizes, width=4).eval()
    measured: dict[float, float] = {}
    measure = judge.measure

    def watch(paint, latent_dim: int) -> dict[str, float]:  # type: ignore[no-untyped-def]
        figures = measure(paint, latent_dim)
        measured[round(generator.spread.item(), 2)] = figures["q"]
        return figures

    judge.measure = watch  # type: ignore[method-assign]
    figures = calibrate(generator, judge)
    assert sorted(measured) == sorted(SPREADS)
    assert figures["q"] == min(measured.values())
    assert measured[round(generator.spread.item(), 2)] == figures["q"]


def test_a_wider_spread_is_a_wider_latent() -> None:
    generator = Generator(32, 8, (2,), width=4).eval()
    latent, condition = torch.randn(2, 8), torch.eye(2)
    expected = generator(1.3 * latent, condition)
    generator.spread.fill_(1.3)
    assert torch.allclose(generator(latent, condition), expected, atol=1e-5)
