"""`upscaler.onnx`: enlarges the images of a model four times in width and height.

It is exported from a run of an upscaler, or copied from another model.
"""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from export.graph import OPSET, TOLERANCE, ExportError, finished_model
from export.manifest import MANIFEST, UPSCALER, ModelError, read_manifest, verify
from export.registry import Registry
from train.upscaler.network import SCALE
from train.upscaler.run import FIGURES, load_upscaler

_PROBES = ((1, 64), (3, 32), (5, 48), (1, 96))
"""Batch sizes and image sizes for the comparison of graph and network."""


@dataclass(frozen=True)
class UpscalerGraph:
    """An exported upscaler."""

    content: bytes
    """The content of `upscaler.onnx`."""
    training: dict[str, Any]
    """Settings and figures of its training, stored in the manifest as `training["upscaler"]`."""


class PixelUpscaler(nn.Module):
    """An upscaler of values from 0 to 255, which it rounds only at the end."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """RGB float32 [N, S, S, 3] to uint8 [N, 4S, 4S, 3]."""
        enlarged: Tensor = self.network(image.permute(0, 3, 1, 2) / 255)
        return (enlarged * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def read_upscaler(source: Path) -> UpscalerGraph:
    """Exports the upscaler of a run, or copies that of a model folder.

    Raises ExportError if a model has none or the graph differs from the network, and
    CheckpointError if the run cannot be read.
    """
    if (source / MANIFEST).is_file():
        try:
            found = _of_model(source)
        except ModelError as error:
            raise ExportError(str(error)) from error
        if found is None:
            raise ExportError(f"model {source} has no {UPSCALER}")
        return found
    network, info = load_upscaler(source)
    try:
        figures = json.loads((source / FIGURES).read_text("utf-8"))
    except FileNotFoundError:
        raise ExportError(
            f"there is no {source / FIGURES}: it is written at the end of the training"
            f" (python -m train upscaler --resume {source})"
        ) from None
    except ValueError as error:
        raise ExportError(f"{source / FIGURES} is not valid JSON: {error}") from error
    content = to_onnx(network).SerializeToString()
    check(network, onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]))
    settings = info.settings.model_dump(mode="json", exclude={"runs"})
    if info.settings.data:  # only the name: models must not contain paths of this machine
        settings["data"] = info.settings.data.name
    training = {
        "run": info.run,
        "fingerprint": info.fingerprint,
        "settings": settings,
        "figures": figures,
    }
    return UpscalerGraph(content, training)


def upscaler_in_use(registry: Registry) -> UpscalerGraph | None:
    """Copies the upscaler of the model in use; None if there is no model, or no upscaler.

    A damaged model causes only a warning, so that the export of a long training does not fail.
    """
    name = registry.current()
    try:
        return _of_model(registry.folder(name)) if name else None
    except ModelError as error:
        print(f"warning: the upscaler of {name} is not copied: {error}")
        return None


def _of_model(folder: Path) -> UpscalerGraph | None:
    manifest = read_manifest(folder)
    if UPSCALER not in manifest.files:
        return None
    verify(folder, manifest)
    content = with_float_input((folder / UPSCALER).read_bytes())
    return UpscalerGraph(content, manifest.training.get("upscaler", {}))


def with_float_input(content: bytes) -> bytes:
    """An upscaler of an earlier version, whose input is uint8, with a float32 input; others are
    returned as they are.

    Earlier upscalers convert their input to float32 before they compute, which then has no effect.
    """
    model = onnx.load_from_string(content)
    image = model.graph.input[0].type.tensor_type
    if image.elem_type != onnx.TensorProto.UINT8:
        return content
    image.elem_type = onnx.TensorProto.FLOAT
    try:
        onnx.checker.check_model(model, full_check=True)
    except onnx.shape_inference.InferenceError:  # a graph of another kind computes with uint8
        return content
    return bytes(model.SerializeToString())


def to_onnx(network: nn.Module) -> onnx.ModelProto:
    """The ONNX graph from `image` float32 [N, S, S, 3], from 0 to 255, to `upscaled` uint8
    [N, 4S, 4S, 3], for any N and S.
    """
    network = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    free = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        PixelUpscaler(network).eval(),
        (torch.zeros(3, 24, 24, 3),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["image"],
        output_names=["upscaled"],
        dynamic_shapes={"image": {0: free, 1: free, 2: free}},
        verbose=False,
    )
    model = finished_model(program, "upscaler")
    for value, side in ((model.graph.input[0], "S"), (model.graph.output[0], f"{SCALE}S")):
        for dimension in value.type.tensor_type.shape.dim[1:3]:
            dimension.dim_param = side
    return model


def check(network: nn.Module, session: onnxruntime.InferenceSession) -> None:
    """Compares the outputs of PyTorch and ONNX Runtime for noise and uniform images.

    Raises ExportError if any value differs by more than TOLERANCE.
    """
    rng = np.random.RandomState(0)
    for count, side in _PROBES:
        pictures = rng.uniform(0, 255, (count, side, side, 3)).astype(np.float32)
        pictures[-1, :, side // 2 :] = rng.uniform(0, 255, 3)
        with torch.inference_mode():
            expected = PixelUpscaler(network)(torch.from_numpy(pictures)).numpy()
        [enlarged] = session.run(None, {"image": pictures})
        if enlarged.dtype != np.uint8 or enlarged.shape != expected.shape:
            raise ExportError(
                f"the exported upscaler returns {enlarged.dtype} {enlarged.shape},"
                f" not uint8 {expected.shape}"
            )
        difference = int(np.abs(enlarged.astype(int) - expected).max())
        if difference > TOLERANCE:
            raise ExportError(
                f"pictures of the exported upscaler, {count} of {side}×{side} at a time, differ"
                f" from PyTorch's by up to {difference} of 255, more than {TOLERANCE}:"
                " nothing is registered"
            )
