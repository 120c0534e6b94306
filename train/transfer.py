"""Adapts the weights of a model to data with other attributes, to start a training with them.

A condition enters a network through one linear layer, whose output is the sum of one column for
each attribute. Columns of known values are copied; a new value starts as the mean of its attribute,
and what the new data does not distinguish becomes a constant. So the network starts with the faces
that it knows.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from export.manifest import Attribute

EMBEDDING = "embedding.weight"
PROJECTION = "projection.weight"


def adapt(
    weights: Mapping[str, Tensor],
    initial: Mapping[str, Tensor],
    old: Sequence[Attribute],
    new: Sequence[Attribute],
) -> dict[str, Tensor]:
    """Weights of networks for the attributes `new`, from those of networks for `old`.

    `initial` are the initial weights of the new networks, which stay where nothing is known: those
    of classification heads of new values, and of networks that the model does not have.
    """
    result = {name: tensor.clone() for name, tensor in initial.items()}
    for name, tensor in weights.items():
        if ".heads." in name:  # under another name, if the new data has other attributes
            _copy_rows(tensor, result, name, old, new)
        elif name not in result:
            continue
        elif name.endswith((EMBEDDING, PROJECTION)):
            result[name] = _columns(tensor, old, new)
        elif tensor.shape == result[name].shape:
            result[name] = tensor
    for name, tensor in weights.items():  # after the biases are copied
        if name in result and tensor.ndim == 2 and _is_style(tensor, result[name], name):
            _copy_style(weights, result, name, old)
    return result


def new_layers(weights: Mapping[str, Tensor], initial: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors that `adapt` leaves at their initial weights: the model does not have
    them, or has them in another shape.
    """
    return [
        name
        for name, tensor in initial.items()
        if not name.endswith((EMBEDDING, PROJECTION))
        and ".heads." not in name
        and (name not in weights or not _fits(weights[name], tensor, name))
    ]


def _fits(tensor: Tensor, target: Tensor, name: str) -> bool:
    both_2d = tensor.ndim == target.ndim == 2
    return tensor.shape == target.shape or (both_2d and _is_style(tensor, target, name))


def _is_style(tensor: Tensor, target: Tensor, name: str) -> bool:
    """Whether only the inputs of a layer differ: the embedding behind the latent."""
    is_condition = name.endswith((EMBEDDING, PROJECTION)) or ".heads." in name
    return not is_condition and len(tensor) == len(target) and tensor.shape != target.shape


def _columns(tensor: Tensor, old: Sequence[Attribute], new: Sequence[Attribute]) -> Tensor:
    """Columns [N, C] of the old conditions to those of the new ones."""
    parts = torch.split(tensor, [len(a.values) for a in old], dim=1)
    blocks = {a.name: part for a, part in zip(old, parts, strict=True)}
    values = {a.name: a.values for a in old}
    means = {a.name: blocks[a.name] @ torch.tensor(a.frequencies, dtype=tensor.dtype) for a in old}
    # What the new data does not distinguish is shared out among its attributes, which are added.
    names = {a.name for a in new}
    constant = sum((means[n] for n in means if n not in names), torch.zeros(len(tensor)))
    columns = []
    for attribute in new:
        known = values.get(attribute.name, ())
        start = means.get(attribute.name, torch.zeros(len(tensor)))
        for value in attribute.values:
            column = blocks[attribute.name][:, known.index(value)] if value in known else start
            columns.append(column + constant / len(new))
    return torch.stack(columns, dim=1)


def _copy_rows(
    tensor: Tensor,
    result: dict[str, Tensor],
    name: str,
    old: Sequence[Attribute],
    new: Sequence[Attribute],
) -> None:
    """Copies rows of known values of a classification head; heads are numbered as attributes."""
    network, number, kind = name.rsplit(".", 2)
    attribute = old[int(number)]
    for i, other in enumerate(new):
        if other.name == attribute.name:
            target = result[f"{network}.{i}.{kind}"]
            for row, value in enumerate(other.values):
                if value in attribute.values:
                    target[row] = tensor[attribute.values.index(value)]


def _copy_style(
    weights: Mapping[str, Tensor], result: dict[str, Tensor], name: str, old: Sequence[Attribute]
) -> None:
    """Copies a layer whose input is the latent, with the embedding of the condition behind it or
    without: one of the networks is unconditional.
    """
    tensor, target = weights[name], result[name]
    shared = min(tensor.shape[1], target.shape[1])
    result[name] = torch.zeros_like(target)
    result[name][:, :shared] = tensor[:, :shared]
    if tensor.shape[1] > shared:  # the mean condition becomes a constant
        network = name.partition(".")[0]
        embedding = weights[f"{network}.{EMBEDDING}"]
        frequencies = torch.cat([torch.tensor(a.frequencies) for a in old]).to(embedding.dtype)
        bias = name.removesuffix("weight") + "bias"
        result[bias] = weights[bias] + tensor[:, shared:] @ (embedding @ frequencies)
