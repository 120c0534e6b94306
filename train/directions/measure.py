"""Measures what moving along a direction does: to the requested values, and to the identity."""

from dataclasses import dataclass

import torch
from torch import Tensor

from export.directions import Direction, Directions
from train.data import one_hot
from train.metrics import GenerateFn, Judge

RANGES = (3.0, 2.5, 2.0, 1.5, 1.0)
"""Ranges that are tried, the largest first. Latents are standard normal: beyond 3 the default model
generates more broken faces."""
AS_ASKED = 0.97
"""Lowest share of pictures that must show the requested value of each attribute, at both ends."""
FACES = 400
"""Pictures at each end to measure the requested values."""
IDENTITIES = 64
"""Pictures at each end to measure the identity."""
BATCH = 64


@dataclass(frozen=True)
class Probe:
    """Faces with random values, [N, Z] and [N, C], and the labels int64 [N, A] of the values."""

    latents: Tensor
    conditions: Tensor
    labels: Tensor

    @classmethod
    def draw(cls, judge: Judge, latent_dim: int, count: int, seed: int = 1) -> "Probe":
        rng = torch.Generator().manual_seed(seed)
        rows = torch.randint(len(judge.training_set), (count,), generator=rng)
        labels = judge.training_set.labels[rows]
        latents = torch.randn(count, latent_dim, generator=rng)
        return cls(latents, one_hot(labels, judge.training_set.sizes), labels)

    def moved(self, direction: Direction, position: float) -> Tensor:
        alone = Directions(directions=(direction,))
        return torch.from_numpy(alone.move(self.latents.numpy(), {direction.name: position}))


def generate_all(generate: GenerateFn, latents: Tensor, conditions: Tensor) -> Tensor:
    """Latents [N, Z] and conditions [N, C] to images uint8 [N, 3, S, S]."""
    parts = zip(torch.split(latents, BATCH), torch.split(conditions, BATCH), strict=True)
    return torch.cat([generate(z, c) for z, c in parts])


def find_range(
    direction: Direction, generate: GenerateFn, judge: Judge, probe: Probe
) -> Direction | None:
    """The direction with the largest range at whose ends requested values stay, and with their
    shares `<attribute>_as_asked`, the lower one of both ends. None if no range is good enough.
    """
    names = [attribute.name for attribute in judge.training_set.attributes]
    for reach in RANGES:
        tried = direction.model_copy(update={"range": reach})
        worst = [1.0] * len(names)
        for position in (-1, 1):
            images = generate_all(generate, probe.moved(tried, position), probe.conditions)
            shares = judge.as_asked(images, probe.labels)
            worst = [min(pair) for pair in zip(worst, shares, strict=True)]
            if min(worst, default=1.0) < AS_ASKED:
                break
        else:
            found = {f"{name}_as_asked": share for name, share in zip(names, worst, strict=True)}
            return tried.model_copy(update={"figures": direction.figures | found})
    return None


def identity_change(
    direction: Direction, generate: GenerateFn, judge: Judge, probe: Probe
) -> float:
    """How far a face moves from the middle to an end, relative to the distance between two faces of
    the same condition: mean distances in the pooled features of EfficientNet-Lite2, which did not
    choose the directions. 0 is the same face, 1 another one.
    """

    def features(latents: Tensor) -> Tensor:
        images = generate_all(generate, latents, probe.conditions)
        return judge.fidelity.features(images)[-1]

    middle = features(probe.moved(direction, 0))
    others = features(probe.latents.roll(1, dims=0))
    ends = [features(probe.moved(direction, position)) for position in (-1, 1)]
    moved = torch.stack([(end - middle).norm(dim=1) for end in ends]).mean()
    return float(moved / (others - middle).norm(dim=1).mean())
