"""Rows of images of one condition each."""

import re
from collections.abc import Sequence

import torch
from PIL import Image

from config import nearest
from export.manifest import Attribute
from train import report
from train.show.model import Model, ShowError

COLUMNS = 8


def wishes(model: Model, texts: Sequence[str]) -> Image.Image:
    """A row for each wish, such as "hair:aqua eyes:orange". Its images differ in their latents, and
    in the attributes that the wish leaves open; all rows have the same latents.

    Raises ShowError for a wish that the model cannot have.
    """
    if not texts:
        example = " ".join(f"{a.name}:{a.values[0]}" for a in model.attributes)
        raise ShowError(f'name one or more wishes, as --wish "{example}"')
    chosen = [read(text, model.attributes) for text in texts]
    labels = model.labels(COLUMNS).repeat(len(texts), 1, 1)
    for row, wish in zip(labels, chosen, strict=True):
        for column, value in wish.items():
            row[:, column] = value
    latents = model.latents(COLUMNS).repeat(len(texts), 1)
    conditions = model.encode(labels.flatten(0, 1))
    pictures: torch.Tensor = model.generate(latents, conditions)
    return report.sheet(pictures, texts, [""] * COLUMNS)


def read(text: str, attributes: Sequence[Attribute]) -> dict[int, int]:
    """The numbers of attributes and of their values. Values that contain spaces are separated by
    commas. Raises ShowError.
    """
    if not attributes:
        raise ShowError(f"--wish {text!r}: the model was trained without attributes")
    names = [attribute.name for attribute in attributes]
    found = {}
    for part in filter(None, re.split(r"\s*,\s*" if "," in text else r"\s+", text.strip())):
        name, _, value = (word.strip() for word in part.partition(":"))
        if name not in names:
            known = f"the attributes are {', '.join(names)}"
            raise ShowError(f"--wish {text!r}: there is no attribute {name!r}; {known}")
        values = attributes[names.index(name)].values
        if value not in values:
            near = nearest(value, values) or f"; there are: {', '.join(values)}"
            raise ShowError(f"--wish {text!r}: {name} has no value {value!r}{near}")
        found[names.index(name)] = values.index(value)
    return found
