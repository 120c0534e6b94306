"""Calibration at the end of a training: latent scale, critic, number of candidates."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from export.figures import FD_RATIO
from train.critic import CANDIDATES, best_of, fit_critic
from train.metrics import Judge
from train.networks.base import Discriminator, Generator
from train.progress import no_progress
from train.report import generate_images

SCALES = (1.0, 1.15, 1.3, 1.45)
CANDIDATE_COUNTS = (1, 2, CANDIDATES)


def calibrate(
    generator: Generator,
    discriminator: Discriminator,
    judge: Judge,
    second: Judge,
    fakes: int,
    report_progress: Callable[[float], None] = no_progress,
) -> tuple[dict[str, Any], Tensor]:
    """Chooses how the model generates, and measures it. Returns the content of `judge.json`, and
    the images of `Evaluation.worst`.

    Sets `generator.latent_scale` to the factor of lowest FD ratio, relative to `training_scale`.
    During a training the images of the averaged generator are less diverse than real ones, and a
    larger scale corrects this: the opposite of truncation (Brock et al. 2019). A possible cause is
    that averaged weights respond less to the latent; this was not tested.

    `candidates` is the number of CANDIDATE_COUNTS with the lowest FD ratio: 1 if rejection sampling
    does not improve it. `bar` is the threshold of the critic.

    `judge` chooses. `second`, which was not used for any choice, measures `fakes` images of the
    calibrated model, and each of CANDIDATE_COUNTS in `best_of`.
    """
    z = generator.latent_dim
    generated, held_out = 0, len(judge.held_out)
    # Every measurement generates as many images as are held out, except the last one.
    measurements = len(SCALES) + 1 + 2 * sum(CANDIDATE_COUNTS)
    total = measurements * held_out + CANDIDATES * max(fakes, held_out)

    def generate(latents: Tensor, conditions: Tensor) -> Tensor:
        nonlocal generated
        generated += len(latents)
        report_progress(min(1.0, generated / total))  # the total does not count unseen pairs
        return generate_images(generator, latents, conditions)

    def fd_ratio(scale: float) -> float:
        generator.latent_scale.fill_(generator.training_scale * scale)
        return judge.measure(generate, z)[FD_RATIO]

    generator.latent_scale.fill_(generator.training_scale * min(SCALES, key=fd_ratio))
    latents, conditions = judge.draw(z)
    critic = fit_critic(discriminator, generate, latents, conditions)
    variants = {n: (best_of(generate, critic, n), n * z) for n in CANDIDATE_COUNTS}
    chosen = min(CANDIDATE_COUNTS, key=lambda n: judge.measure(*variants[n])[FD_RATIO])
    figures_by_count = {n: second.measure(*variant) for n, variant in variants.items()}
    evaluation = second.evaluate(*variants[chosen], fakes)
    judged = {  # "bar" and "learnt" are keys of judge.json and of manifests
        "candidates": chosen,
        "bar": critic.threshold.item(),
        "learnt": len(judge.training_set),
        "held_out": len(judge.held_out),
        "best_of": [{"candidates": n} | figures for n, figures in figures_by_count.items()],
    }
    report_progress(1.0)
    return judged | evaluation.to_dict(), evaluation.worst
