"""The state of a training as named tensors, for checkpoints that resume exactly."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

RNG = "rng"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seeds PyTorch inside the context, and restores its random state afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def collect(
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    rng: torch.Generator,
    others: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """All tensors that `load` restores: networks, optimizers, random state, and others."""
    tensors = {RNG: rng.get_state(), **others, **weights(networks)}
    for name, optimizer in optimizers.items():
        for number, parameter in enumerate(optimizer.param_groups[0]["params"]):
            for key, value in optimizer.state[parameter].items():
                tensors[f"{name}_optimizer.{number}.{key}"] = value
    return tensors


def weights(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": value
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }


def load(
    tensors: Mapping[str, Tensor],
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    rng: torch.Generator,
    other_seed: int,
    others: Mapping[str, Tensor],
) -> None:
    """Restores the tensors that `collect` returned; exact on the same kind of device.

    The random state of another kind of device cannot be restored; `other_seed` replaces it. Raises
    KeyError or RuntimeError for tensors of other networks.
    """
    if tensors[RNG].shape == rng.get_state().shape:
        rng.set_state(tensors[RNG])
    else:
        rng.manual_seed(other_seed)
    for name, tensor in others.items():
        tensor.copy_(tensors[name])
    for name, network in networks.items():
        network.load_state_dict(part(tensors, f"{name}."))
    for name, optimizer in optimizers.items():
        for number, parameter in enumerate(optimizer.param_groups[0]["params"]):
            moments = part(tensors, f"{name}_optimizer.{number}.")
            optimizer.state[parameter] = {
                key: _like(parameter, value) for key, value in moments.items()
            }


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix`, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    """A moment in the memory format of its parameter, which the fused optimizer requires."""
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
