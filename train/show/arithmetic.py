"""Arithmetic with latents: mean latents of images with a trait, added and subtracted.

Traits are the values that the judge's classifier predicts, if the model is unconditional;
brightness and warmth; and the principal components in the judge's feature space.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from PIL import Image
from torch import Tensor

from train import report
from train.metrics import ClassifierOutput, Judge
from train.show.latents import along
from train.show.model import Model

SAMPLES = 1000
"""Number of images from which mean latents are computed."""
EXTREME = 0.2
"""Share of the images with the highest, and of those with the lowest measure of a trait."""
MIN_SAMPLES = 20
"""Minimum number of images of a value; the mean of fewer is mostly noise."""
OFFSETS = (-4.0, -2.0, 0.0, 2.0, 4.0)
"""Distances in latent space, in standard deviations of a latent."""
TEST_SAMPLES = 100
"""Number of images on which the effect of a direction is measured."""
COMPONENTS = 3
VALUES = 8
"""Upper limit of the values shown, those with the largest effect first."""

_Measure = Callable[[Tensor, ClassifierOutput], Tensor]
"""Images uint8 [N, 3, S, S] and their classifier output to the measure of a trait, float32 [N]."""


@dataclass(frozen=True)
class Direction:
    """A direction in latent space that changes a trait."""

    trait: str
    shows: Tensor
    """Mean latent of images with the trait, [Z]."""
    lacks: Tensor
    """Mean latent of images without the trait, [Z]."""
    before: float
    """Mean measure of the trait: a share of the images for a value, else standard deviations."""
    after: float
    """The same after a move by the last of OFFSETS."""
    is_value: bool

    def __str__(self) -> str:
        if self.is_value:
            return f"{self.trait} {self.before:.0%} to {self.after:.0%}"
        return f"{self.trait} {self.before:+z.1f} to {self.after:+z.1f} sd"


def directions(model: Model, judge: Judge, condition: Tensor) -> list[Direction]:
    """A direction for each trait of images of one condition [1, C], which differ only in their
    latents. `judge` is a judge of the model's data.
    """

    def generate(latents: Tensor) -> tuple[Tensor, ClassifierOutput]:
        pictures = model.generate(latents, condition.expand(len(latents), -1))
        return pictures, judge.classify(pictures)

    def direction(trait: str, measure: _Measure, shows: Tensor, lacks: Tensor) -> Direction:
        """`shows` and `lacks` are masks [SAMPLES] for a value, else row numbers."""
        mean, other = latents[shows].mean(dim=0), latents[lacks].mean(dim=0)
        moved = along(base, mean - other, torch.tensor(OFFSETS[-1:]))[:, 0]
        before, after = (measure(*faces).mean().item() for faces in (unmoved, generate(moved)))
        return Direction(trait, mean, other, before, after, is_value=shows.dtype == torch.bool)

    latents, base = model.latents(SAMPLES), model.latents(TEST_SAMPLES)
    generated, unmoved = generate(latents), generate(base)
    values = []
    if not model.attributes:
        for name, measure in _values(judge):
            shows = measure(*generated) > 0
            if min(shows.sum(), (~shows).sum()) >= MIN_SAMPLES:
                values.append(direction(name, measure, shows, ~shows))
        values.sort(key=lambda found: found.before - found.after)
    traits = []
    for name, measure in _traits(judge, *generated):
        order = measure(*generated).argsort()
        few = int(EXTREME * SAMPLES)
        traits.append(direction(name, measure, order[-few:], order[:few]))
    return values[:VALUES] + traits


def _values(judge: Judge) -> Iterator[tuple[str, _Measure]]:
    for column, attribute in enumerate(judge.predicted):
        for number, value in enumerate(attribute.values):
            yield f"{value} {attribute.name}", partial(_showing, column, number)


def _showing(column: int, value: int, pictures: Tensor, output: ClassifierOutput) -> Tensor:
    return (output.labels[:, column] == value).float().cpu()


def _traits(
    judge: Judge, pictures: Tensor, output: ClassifierOutput
) -> Iterator[tuple[str, _Measure]]:
    """Measures in standard deviations from the mean over these pictures."""
    points = judge.standardize(output)
    middle = points.mean(dim=0)
    # The axes of largest variance are the last ones; their signs are arbitrary.
    axes = torch.linalg.eigh((points - middle).T @ (points - middle)).eigenvectors.flip(1)
    measures: dict[str, _Measure] = {"brightness": _brightness, "warmth": _warmth}
    for number in range(COMPONENTS):
        measures[f"component {number + 1}"] = partial(_component, judge, axes[:, number])
    for name, measure in measures.items():
        deviation, mean = torch.std_mean(measure(pictures, output))
        yield name, partial(_standardized, measure, mean, deviation.clamp(min=1e-9))


def _component(judge: Judge, axis: Tensor, pictures: Tensor, output: ClassifierOutput) -> Tensor:
    projection: Tensor = judge.standardize(output) @ axis
    return projection.cpu()


def _standardized(
    measure: _Measure, mean: Tensor, deviation: Tensor, pictures: Tensor, output: ClassifierOutput
) -> Tensor:
    return (measure(pictures, output) - mean) / deviation


def _brightness(pictures: Tensor, output: ClassifierOutput) -> Tensor:
    return pictures.float().mean(dim=(1, 2, 3))


def _warmth(pictures: Tensor, output: ClassifierOutput) -> Tensor:
    """Red minus blue."""
    means = pictures.float().mean(dim=(2, 3))
    return means[:, 0] - means[:, 2]


def arithmetic(model: Model, judge: Judge) -> Image.Image:
    """A row for each trait: images of the mean latents with and without it, and one image whose
    latent is moved along their difference by OFFSETS.
    """
    condition = model.encode(model.labels(1))
    face = model.latents(1)
    rows, pictures = [], []
    for found in directions(model, judge, condition):
        moved = along(face, found.shows - found.lacks, torch.tensor(OFFSETS))[0]
        latents = torch.cat([torch.stack([found.shows, found.lacks]), moved])
        pictures.append(model.generate(latents, condition.expand(len(latents), -1)))
        rows.append(str(found))
    moves = [f"{offset:+g} sd" if offset else "a face" for offset in OFFSETS]
    columns = ["with", "without", *moves]
    return report.sheet(torch.cat(pictures), rows, columns)
