"""Arithmetic with latents: mean faces that show something, added and subtracted.

What faces show is what the judge reads off them, where the model cannot be asked for it; and what
has no name: how bright and how warm they are, and what they differ in most in the judge's eyes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from PIL import Image
from torch import Tensor

from train import report
from train.metrics import Judge, Seen
from train.show.latents import along
from train.show.model import Model

PAINTED = 1000
"""Faces that the means are of."""
EXTREME = 0.2
"""Share of the faces that show most of a trait, and of those that show least."""
FEWEST = 20
"""Faces that show a value; the mean of fewer is mostly noise."""
OFFSETS = (-4.0, -2.0, 0.0, 2.0, 4.0)
"""How far a face is moved, in deviations of a latent."""
TRIED = 100
"""Faces that are moved, to see what it does."""
COMPONENTS = 3
VALUES = 8
"""Values that are shown, those first that change most."""

_Measure = Callable[[Tensor, Seen], Tensor]
"""Pictures uint8 [N, 3, S, S], and what the judge sees in them, to how much of a trait each shows,
float32 [N]."""


@dataclass(frozen=True)
class Direction:
    trait: str
    shows: Tensor
    """The mean latent of faces that show it, [Z]."""
    lacks: Tensor
    """Of those that do not, or least."""
    before: float
    """How much of it TRIED faces show: a share of them for a value, else deviations of the trait
    from its mean."""
    after: float
    """The same faces, moved by the last of OFFSETS."""
    is_value: bool

    def __str__(self) -> str:
        if self.is_value:
            return f"{self.trait} {self.before:.0%} to {self.after:.0%}"
        return f"{self.trait} {self.before:+z.1f} to {self.after:+z.1f} sd"


def directions(model: Model, judge: Judge, condition: Tensor) -> list[Direction]:
    """One for each trait of faces painted under one condition [1, C], so that nothing but their
    latents tells them apart. `judge` is of the model's data.
    """

    def paint(latents: Tensor) -> tuple[Tensor, Seen]:
        pictures = model.paint(latents, condition.expand(len(latents), -1))
        return pictures, judge.look(pictures)

    def direction(trait: str, measure: _Measure, shows: Tensor, lacks: Tensor) -> Direction:
        """Of bool [PAINTED] for a value, or of row numbers."""
        mean, other = latents[shows].mean(dim=0), latents[lacks].mean(dim=0)
        moved = along(base, mean - other, torch.tensor(OFFSETS[-1:]))[:, 0]
        before, after = (measure(*faces).mean().item() for faces in (unmoved, paint(moved)))
        return Direction(trait, mean, other, before, after, is_value=shows.dtype == torch.bool)

    latents, base = model.latents(PAINTED), model.latents(TRIED)
    painted, unmoved = paint(latents), paint(base)
    values = []
    if not model.attributes:
        for name, measure in _values(judge):
            shows = measure(*painted) > 0
            if min(shows.sum(), (~shows).sum()) >= FEWEST:
                values.append(direction(name, measure, shows, ~shows))
        values.sort(key=lambda found: found.before - found.after)
    traits = []
    for name, measure in _traits(judge, *painted):
        order = measure(*painted).argsort()
        few = int(EXTREME * PAINTED)
        traits.append(direction(name, measure, order[-few:], order[:few]))
    return values[:VALUES] + traits


def _values(judge: Judge) -> Iterator[tuple[str, _Measure]]:
    for column, attribute in enumerate(judge.reads):
        for number, value in enumerate(attribute.values):
            yield f"{value} {attribute.name}", partial(_showing, column, number)


def _showing(column: int, value: int, pictures: Tensor, seen: Seen) -> Tensor:
    return (seen.labels[:, column] == value).float().cpu()


def _traits(judge: Judge, pictures: Tensor, seen: Seen) -> Iterator[tuple[str, _Measure]]:
    """Each in deviations from its mean over these pictures."""
    points = judge.points(seen)
    middle = points.mean(dim=0)
    # The axes of largest variance are the last ones; their signs are anybody's choice.
    axes = torch.linalg.eigh((points - middle).T @ (points - middle)).eigenvectors.flip(1)
    measures: dict[str, _Measure] = {"brightness": _brightness, "warmth": _warmth}
    for number in range(COMPONENTS):
        measures[f"component {number + 1}"] = partial(_component, judge, axes[:, number])
    for name, measure in measures.items():
        deviation, mean = torch.std_mean(measure(pictures, seen))
        yield name, partial(_standardised, measure, mean, deviation.clamp(min=1e-9))


def _component(judge: Judge, axis: Tensor, pictures: Tensor, seen: Seen) -> Tensor:
    return (judge.points(seen) @ axis).cpu()


def _standardised(
    measure: _Measure, mean: Tensor, deviation: Tensor, pictures: Tensor, seen: Seen
) -> Tensor:
    return (measure(pictures, seen) - mean) / deviation


def _brightness(pictures: Tensor, seen: Seen) -> Tensor:
    return pictures.float().mean(dim=(1, 2, 3))


def _warmth(pictures: Tensor, seen: Seen) -> Tensor:
    """Red over blue."""
    means = pictures.float().mean(dim=(2, 3))
    return means[:, 0] - means[:, 2]


def arithmetic(model: Model, judge: Judge) -> Image.Image:
    """A row a trait: the mean face of those that show it and of those that do not; and one face
    with the difference between their latents subtracted and added, ever more.
    """
    condition = model.encode(model.labels(1))
    face = model.latents(1)
    rows, pictures = [], []
    for found in directions(model, judge, condition):
        moved = along(face, found.shows - found.lacks, torch.tensor(OFFSETS))[0]
        latents = torch.cat([torch.stack([found.shows, found.lacks]), moved])
        pictures.append(model.paint(latents, condition.expand(len(latents), -1)))
        rows.append(str(found))
    moves = [f"{offset:+g} sd" if offset else "a face" for offset in OFFSETS]
    columns = ["shows it", "lacks it", *moves]
    return report.sheet(torch.cat(pictures), rows, columns)
