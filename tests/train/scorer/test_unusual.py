import pytest
import torch
from circles import draw, paint

from train.scorer import MIN_REAL_IMAGES, UnusualScorer, fit_scorer

REAL = MIN_REAL_IMAGES


@pytest.fixture(scope="module")
def scorer() -> UnusualScorer:
    scorer = fit_scorer(paint(*draw(REAL, seed=0)), paint, *draw(200, seed=1))
    assert isinstance(scorer, UnusualScorer)
    return scorer


def test_a_broken_image_has_a_lower_score_than_intact_ones(scorer: UnusualScorer) -> None:
    latents, conditions = draw(20, seed=2)
    intact = paint(latents, conditions)
    broken = intact.clone()
    broken[:, :, 12:20, 12:20] = broken[:, :, 12:20, :8]
    assert (scorer(broken, conditions) < scorer(intact, conditions).min() - 1).all()


def test_images_of_a_rare_condition_are_not_rejected_for_it(scorer: UnusualScorer) -> None:
    latents, conditions = draw(200, seed=3)
    images, rare = paint(latents, conditions), conditions[:, 1] == 1
    anomaly = scorer.anomaly(images)
    assert anomaly[rare].mean() > anomaly[~rare].mean() + anomaly[~rare].std()
    rejected = (scorer(images, conditions) < 0).float()
    assert rejected[rare].mean() < 2 * scorer.rejected_share


def test_scores_do_not_depend_on_the_batch(scorer: UnusualScorer) -> None:
    latents, conditions = draw(5, seed=4)
    images = 255 - paint(latents, conditions)
    together = scorer(images, conditions)
    alone = [scorer(images[[i]], conditions[[i]]) for i in range(5)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-3)
    assert together.std() > 0.01


def test_few_real_images_give_no_scorer() -> None:
    assert fit_scorer(paint(*draw(REAL - 1, seed=0)), paint, *draw(10, seed=1)) is None
