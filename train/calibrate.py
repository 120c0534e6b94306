"""Calibration at the end of a training: latent scale, scorer, number of candidates."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from export.figures import FD_RATIO
from train.metrics import GenerateFn, Judge
from train.networks.base import Generator
from train.progress import no_progress
from train.report import generate_images
from train.scorer import MarkedScorer, Scorer, UnusualScorer, best_of, fit_scorer

SCALES = (1.0, 1.15, 1.3, 1.45)


def calibrate(
    generator: Generator,
    judge: Judge,
    second: Judge,
    fakes: int,
    report_progress: Callable[[float], None] = no_progress,
    *,
    defects: Tensor | None = None,
) -> tuple[dict[str, Any], Tensor, Scorer | None]:
    """Chooses how the model generates, and measures it. Returns the content of `judge.json`, the
    images of `Evaluation.worst`, and the scorer, if there are enough training images for one.

    Sets `generator.latent_scale` to the factor of lowest FD ratio, relative to `training_scale`.
    During a training the images of the averaged generator are less diverse than real ones, and a
    larger scale corrects this: the opposite of truncation (Brock et al. 2019). A possible cause is
    that averaged weights respond less to the latent; this was not tested.

    `candidates` is that of the scorer, or 1 without a scorer and where rejection sampling exceeds
    its `largest_increase`. `defects` are weights of marked images for the scorer, see `fit_scorer`.

    `judge` chooses. `second`, which was not used for any choice and draws other latents, measures
    `fakes` images of the calibrated model, and each number of candidates in `best_of`.
    """
    z = generator.latent_dim
    generated, held_out = 0, len(judge.held_out)
    best = UnusualScorer.candidates if defects is None else MarkedScorer.candidates
    # Every measurement generates as many images as are held out, except the last one.
    measurements = len(SCALES) + 1 + 2 * (1 + best)
    total = measurements * held_out + best * second.count_fakes(fakes)

    def generate(latents: Tensor, conditions: Tensor) -> Tensor:
        nonlocal generated
        generated += len(latents)
        report_progress(min(1.0, generated / total))  # the total does not count unseen pairs
        return generate_images(generator, latents, conditions)

    def fd_ratio(scale: float) -> float:
        generator.latent_scale.fill_(generator.training_scale * scale)
        return judge.measure(generate, z)[FD_RATIO]

    generator.latent_scale.fill_(generator.training_scale * min(SCALES, key=fd_ratio))
    scorer = fit_scorer(judge.training_set.images, generate, *judge.draw(z), defects)
    variants: dict[int, tuple[GenerateFn, int]] = {1: (generate, z)}
    if scorer:
        score = torch.inference_mode()(scorer)
        variants[best] = best_of(generate, score, best), best * z
    ratios = {n: judge.measure(*variant)[FD_RATIO] for n, variant in variants.items()}
    increase = scorer.largest_increase if scorer else 1
    chosen = max(n for n, ratio in ratios.items() if ratio <= increase * ratios[1])
    figures_by_count = {n: second.measure(*variant) for n, variant in variants.items()}
    evaluation = second.evaluate(*variants[chosen], fakes)
    judged = {  # "learnt" is a key of judge.json and of manifests
        "candidates": chosen,
        "learnt": len(judge.training_set),
        "held_out": len(judge.held_out),
        "best_of": [{"candidates": n} | figures for n, figures in figures_by_count.items()],
    }
    report_progress(1.0)
    return judged | evaluation.to_dict(), evaluation.worst, scorer
