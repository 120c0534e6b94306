"""The contact sheet: images of each run for the same conditions."""

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
    """A wish for each column, covering as many values as possible."""
    sizes = [len(attribute.values) for attribute in attributes]
    return [
        {
            a.name: a.values[(column * (1 + position) * max(1, size // COLUMNS) + position) % size]
            for position, (a, size) in enumerate(zip(attributes, sizes, strict=True))
        }
        for column in range(COLUMNS)
    ]


def row(model: Model, wishes: Sequence[dict[str, str]]) -> Tensor:
    """An image for each wish, uint8 [COLUMNS, 3, CELL, CELL], not selected. Values that the model
    does not have are random, with the frequencies of its data.
    """
    labels = model.labels(len(wishes))
    for values, wish in zip(labels, wishes, strict=True):
        for column, attribute in enumerate(model.attributes):
            if wish.get(attribute.name) in attribute.values:
                values[column] = attribute.values.index(wish[attribute.name])
    pictures = model.generate(model.latents(len(wishes)), model.encode(labels))
    return report.scaled(pictures, CELL)


def blank_row() -> Tensor:
    """A gray row for a run without a checkpoint."""
    return torch.full((COLUMNS, 3, CELL, CELL), 224, dtype=torch.uint8)


def headings(wishes: Sequence[dict[str, str]]) -> list[str]:
    return ["\n".join(f"{value} {name}" for name, value in wish.items()) for wish in wishes]
