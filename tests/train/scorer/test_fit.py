from pathlib import Path

import pytest
import torch
from circles import draw, paint

from train.checkpoint import CheckpointError
from train.scorer import (
    MIN_REAL_IMAGES,
    MarkedScorer,
    Scorer,
    UnusualScorer,
    fit_scorer,
    load_scorer,
    save_scorer,
)

WEIGHT = torch.randn(MarkedScorer(0).weight.shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=[None, WEIGHT], ids=["unusual", "marked"])
def scorer(request: pytest.FixtureRequest) -> Scorer:
    real = paint(*draw(MIN_REAL_IMAGES, seed=0))
    scorer = fit_scorer(real, paint, *draw(200, seed=1), request.param)
    assert isinstance(scorer, UnusualScorer if request.param is None else MarkedScorer)
    return scorer


def test_few_real_images_give_a_scorer_of_marked_images_only() -> None:
    few = paint(*draw(MIN_REAL_IMAGES - 1, seed=0))
    assert fit_scorer(few, paint, *draw(10, seed=1)) is None
    assert isinstance(fit_scorer(few, paint, *draw(10, seed=1), WEIGHT), MarkedScorer)


def test_a_fixed_share_of_the_images_is_below_the_threshold(scorer: Scorer) -> None:
    latents, conditions = draw(200, seed=1)
    scores = scorer(paint(latents, conditions), conditions)
    assert scores.max() == 0
    assert (scores < 0).float().mean() == pytest.approx(scorer.rejected_share, abs=0.02)


def test_a_scorer_is_stored_with_its_run(scorer: Scorer, tmp_path: Path) -> None:
    save_scorer(tmp_path, scorer)
    latents, conditions = draw(5, seed=4)
    images = 255 - paint(latents, conditions)
    assert torch.equal(load_scorer(tmp_path)(images, conditions), scorer(images, conditions))


@pytest.mark.parametrize("content", [None, b"", b"no tensors"])
def test_a_missing_or_damaged_scorer_is_an_error_with_advice(
    content: bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "scorer.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="judge the run again"):
        load_scorer(tmp_path)


def test_a_marked_image_is_judged_in_the_same_way_under_all_conditions() -> None:
    scorer = fit_scorer(paint(*draw(1, seed=0)), paint, *draw(200, seed=1), WEIGHT)
    assert scorer
    images = paint(*draw(20, seed=2))
    first, second = (torch.eye(2)[[k]].expand(20, -1) for k in range(2))
    assert torch.equal(scorer(images, first), scorer(images, second))
    assert (scorer(images, first) < 0).any()
