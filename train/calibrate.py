"""What is settled when a training has ended: the scale of latents, the critic, the figures."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from export.figures import FD_RATIO
from train.critic import CANDIDATES, best_of, fit_critic
from train.metrics import Judge
from train.networks.base import Discriminator, Generator
from train.report import paint

SCALES = (1.0, 1.15, 1.3, 1.45)
CANDIDATE_COUNTS = (1, 2, CANDIDATES)


def calibrate(
    generator: Generator,
    discriminator: Discriminator,
    judge: Judge,
    second: Judge,
    fakes: int,
    tell: Callable[[float], None] = lambda done: None,
) -> tuple[dict[str, Any], Tensor]:
    """Settles how the model paints, and returns what its run keeps as `judge.json`, and the
    pictures of the clusters that it reaches least, as `Examination.worst` has them.

    Sets `generator.latent_scale` to the one of lowest FD ratio, relative to the training's. In the
    middle of a training the averaged generator's faces are more alike than the real ones, and a
    larger scale corrects it: the opposite of truncation (Brock et al. 2019). We suppose that
    averaged weights answer to the latent more faintly; that was not tested.

    `candidates` is the number of CANDIDATE_COUNTS of lowest FD ratio: where rejection sampling does
    not bring the pictures nearer to real ones, they are painted singly.

    `judge` chooses, and the `second` one, by which nothing was chosen, measures: `fakes` pictures
    as the bot paints them, and each of CANDIDATE_COUNTS in `best_of`. `bar` is the critic's. `tell`
    reports how much is done, 0…1.
    """
    z = generator.latent_dim
    painted, held_out = 0, len(judge.held_out)
    # Of as many as are held out: see below.
    counts = len(SCALES) + 1 + 2 * sum(CANDIDATE_COUNTS)
    total = counts * held_out + CANDIDATES * max(fakes, held_out)

    def one(latents: Tensor, conditions: Tensor) -> Tensor:
        nonlocal painted
        painted += len(latents)
        tell(min(1.0, painted / total))  # pairs that no image shows come on top
        return paint(generator, latents, conditions)

    def fd_ratio(scale: float) -> float:
        generator.latent_scale.fill_(generator.training_scale * scale)
        return judge.measure(one, z)[FD_RATIO]

    generator.latent_scale.fill_(generator.training_scale * min(SCALES, key=fd_ratio))
    latents, conditions = judge.draw(z)
    critic = fit_critic(discriminator, one, latents, conditions)
    ways = {n: (best_of(one, critic, n), n * z) for n in CANDIDATE_COUNTS}
    chosen = min(CANDIDATE_COUNTS, key=lambda n: judge.measure(*ways[n])[FD_RATIO])
    fewer = {n: second.measure(*way) for n, way in ways.items()}
    found = second.examine(*ways[chosen], fakes)
    judged = {
        "candidates": chosen,
        "bar": critic.bar.item(),
        "learnt": len(judge.learnt),
        "held_out": len(judge.held_out),
        "best_of": [{"candidates": n} | figures for n, figures in fewer.items()],
    }
    tell(1.0)
    return judged | found.content(), found.worst
