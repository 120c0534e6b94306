"""How widely the averaged generator should draw its latents: settled when training has ended."""

from train.judge import Judge
from train.networks import Generator
from train.report import paint

SPREADS = (1.0, 1.15, 1.3, 1.45)


def calibrate(generator: Generator, judge: Judge) -> dict[str, float]:
    """Sets `generator.spread` to the one of lowest Q, and returns the judge's figures of it.

    Averaged weights answer to the latent more faintly than those that they are the average of, so
    that faces come out more alike than they were learnt: the contrary of what truncation (Brock et
    al. 2019) is for.
    """
    found: dict[float, dict[str, float]] = {}
    for spread in SPREADS:
        generator.spread.fill_(spread)
        found[spread] = judge.measure(lambda z, c: paint(generator, z, c), generator.latent_dim)
    best = min(SPREADS, key=lambda spread: found[spread]["q"])
    generator.spread.fill_(best)
    return found[best]
