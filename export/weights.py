"""The way back: the weights of a registered model, for a training to begin with.

In half precision, as the model keeps them; what else a run knows (moments, the generator that the
averaged one is the average of) is not in a model.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from export.graph import ExportError
from export.manifest import CRITIC, GENERATOR, Manifest
from train.networks import Discriminator, Generator

EPSILON = nn.BatchNorm2d(1).eps
"""What a batch norm adds to a variance."""


def read_weights(folder: Path, manifest: Manifest) -> dict[str, Tensor]:
    """Of the model in `folder`: the state of `generator` and `discriminator`, by name, float32.

    Raises ExportError where the model has no critic, or is of other networks than ours.
    """
    if CRITIC not in manifest.files:
        raise ExportError(
            f"model {manifest.name} has no {CRITIC}, which is the discriminator that a training "
            "needs beside the generator: it cannot begin with this model"
        )
    try:
        width = int(manifest.training["settings"]["width"])
        sizes = [len(attribute.values) for attribute in manifest.attributes]
        generator = Generator(manifest.image_size, manifest.latent_dim, sizes, width)
        discriminator = Discriminator(manifest.image_size, sizes, width)
        generator.load_state_dict(_generator(folder, generator))
        found = _constants(folder / CRITIC, "critic.discriminator.")
        discriminator.load_state_dict(_no_biases(discriminator) | found)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ExportError(
            f"model {manifest.name} is of other networks, so that a training cannot begin with "
            f"it: {error}"
        ) from None
    return {
        f"{name}.{key}": value
        for name, network in (("generator", generator), ("discriminator", discriminator))
        for key, value in network.state_dict().items()
    }


def _generator(folder: Path, fresh: Generator) -> dict[str, Tensor]:
    """Its state, with the batch norms taken out of the convolutions again.

    A folded convolution has W / deviation as its weight and −mean / deviation as its bias. A batch
    norm after it does not care for the scale of W, so that W / deviation is as good a weight: its
    deviation is 1 then.
    """
    found, state = _constants(folder / GENERATOR, "generator."), fresh.state_dict()
    state |= _no_biases(fresh)
    state |= {name: value for name, value in found.items() if name in state}
    for number in range(len(fresh.grow)):
        mean, variance = (f"norms.{number + 1}.norm.running_{of}" for of in ("mean", "var"))
        last = number == len(fresh.grow) - 1
        # The last norm comes after the fixed filter, and its deviation is in that.
        bias = found.get("smooth.kernel_bias" if last else f"grow.{number}.weight_bias")
        if bias is None:
            bias = torch.zeros_like(state[mean])
        deviation = torch.ones_like(bias)
        if last:
            deviation = fresh.smooth.kernel.sum(dim=(1, 2, 3)) / found["smooth.kernel"].sum(
                dim=(1, 2, 3)
            )
        state[mean] = -bias * deviation
        state[variance] = deviation.square() - EPSILON
    state["spread"] = torch.ones(())
    return state


def _no_biases(network: nn.Module) -> dict[str, Tensor]:
    """Its biases, all 0: those are left out of a graph where they are."""
    return {
        name: torch.zeros_like(value)
        for name, value in network.state_dict().items()
        if name.endswith(".bias")
    }


def _constants(file: Path, prefix: str) -> dict[str, Tensor]:
    """The graph's constants whose names start with `prefix`, without it and in full precision."""
    return {
        tensor.name.removeprefix(prefix).removesuffix("_half"): torch.from_numpy(
            numpy_helper.to_array(tensor).astype(np.float32)
        )
        for tensor in onnx.load(file).graph.initializer
        if tensor.name.startswith(prefix)
    }
