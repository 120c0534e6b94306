import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from export.figures import FD_RATIO
from train.calibrate import SCALES, calibrate
from train.data import load
from train.metrics import prepare
from train.networks.irodori import IrodoriGenerator
from train.report import generate_images
from train.scorer import MarkedScorer, UnusualScorer, best_of


@pytest.mark.parametrize("kind", [UnusualScorer, MarkedScorer])
def test_calibration_chooses_the_latent_scale_of_lowest_fd_ratio(
    kind: type[UnusualScorer | MarkedScorer], faces_zip: Path, tmp_path: Path, small_features: None
) -> None:
    defects = torch.ones_like(MarkedScorer(0).weight) if kind is MarkedScorer else None
    faces = load(faces_zip, 32)
    faces = replace(faces, images=faces.images[:240], labels=faces.labels[:240])
    judge = prepare(faces, tmp_path, images=320)
    torch.manual_seed(0)
    generator = IrodoriGenerator(32, 8, faces.sizes, width=4).eval()
    second = prepare(faces, tmp_path, images=320, seed=1)
    reported: list[float] = []
    judged, worst, scorer = calibrate(
        generator, judge, second, 100, reported.append, defects=defects
    )
    assert reported == sorted(reported)
    assert 0 < reported[0] < 0.5 < reported[-2] <= reported[-1] == 1
    kept = generator.latent_scale.item()
    assert isinstance(scorer, kind)
    counts = [row["candidates"] for row in judged["best_of"]]
    assert counts == [1, kind.candidates]
    assert judged["candidates"] in counts
    assert judged["fakes"] == 100

    def fd_ratio(scale: float) -> float:
        generator.latent_scale.fill_(scale)
        return judge.measure(lambda z, c: generate_images(generator, z, c), 8)[FD_RATIO]

    assert kept == pytest.approx(min(SCALES, key=fd_ratio))
    generator.latent_scale.fill_(kept)
    alone = second.measure(lambda z, c: generate_images(generator, z, c), 8)
    assert judged["best_of"][0][FD_RATIO] == pytest.approx(alone[FD_RATIO])
    score = torch.inference_mode()(scorer)
    rejecting = best_of(lambda z, c: generate_images(generator, z, c), score, kind.candidates)
    increase = judge.measure(rejecting, kind.candidates * 8)[FD_RATIO] / fd_ratio(kept)
    assert judged["candidates"] == (kind.candidates if increase <= kind.largest_increase else 1)
    assert judged["learnt"] + judged["held_out"] == len(faces)
    assert len(worst) == len(judged["clusters"]) > 0
    json.dumps(judged, allow_nan=False)


def test_the_latent_is_multiplied_by_its_scale() -> None:
    generator = IrodoriGenerator(32, 8, (2,), width=4).eval()
    latent, condition = torch.randn(2, 8), torch.eye(2)
    expected = generator(1.3 * latent, condition)
    generator.latent_scale.fill_(1.3)
    assert torch.allclose(generator(latent, condition), expected, atol=1e-5)
