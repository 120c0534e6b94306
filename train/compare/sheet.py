"""The contact sheet: what each run paints when it is asked for the same."""

from collections.abc import Sequence

import torch
from torch import Tensor

from export.manifest import Attribute
from train import report
from train.show.model import Model

CELL = 96
"""Pixels that pictures are scaled to."""
COLUMNS = 10


def wishes(attributes: tuple[Attribute, ...]) -> list[dict[str, str]]:
    """A condition for each column: values by turns, so that as many as can be come."""
    sizes = [len(attribute.values) for attribute in attributes]
    return [
        {
            a.name: a.values[(column * (1 + position) * max(1, size // COLUMNS) + position) % size]
            for position, (a, size) in enumerate(zip(attributes, sizes, strict=True))
        }
        for column in range(COLUMNS)
    ]


def strip(model: Model, wished: Sequence[dict[str, str]]) -> Tensor:
    """A picture for each wish, uint8 [COLUMNS, 3, CELL, CELL]; values that the model does not know
    are drawn as they come in its data. None is picked.
    """
    labels = model.labels(len(wished))
    for row, wish in zip(labels, wished, strict=True):
        for column, attribute in enumerate(model.attributes):
            if wish.get(attribute.name) in attribute.values:
                row[column] = attribute.values.index(wish[attribute.name])
    pictures = model.paint(model.latents(len(wished)), model.encode(labels))
    return report.scaled(pictures, CELL)


def blank() -> Tensor:
    """In place of a run that has nothing to show."""
    return torch.full((COLUMNS, 3, CELL, CELL), 224, dtype=torch.uint8)


def headings(wished: Sequence[dict[str, str]]) -> list[str]:
    return ["\n".join(f"{value} {name}" for name, value in wish.items()) for wish in wished]
