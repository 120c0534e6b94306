"""`upscaler-int8.onnx`: the upscaler with int8 weights and uint8 activations.

Static quantization in QDQ format (quantize and dequantize nodes around each operation), calibrated
with images of the model's own generator.
"""

import math
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from export.graph import ExportError
from export.manifest import GENERATOR, MAX_INT8_ERROR, UPSCALER, UPSCALER_INT8, Manifest
from export.registry import Registry

CALIBRATION_IMAGES = 64

_BATCH = 8


@dataclass(frozen=True)
class QuantizedUpscaler:
    """A quantized upscaler, with its difference from the float one."""

    content: bytes
    """The content of `upscaler-int8.onnx`."""
    psnr: float
    """PSNR in dB of its images against those of the float upscaler."""
    mean_error: float
    """Mean difference in 8-bit steps."""

    def __str__(self) -> str:
        return (
            f"{self.psnr:.1f} dB against the float upscaler,"
            f" mean difference {self.mean_error:.2f} of 255"
        )


class _Inputs(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, batches: Iterable[Mapping[str, np.ndarray]]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> Mapping[str, np.ndarray] | None:
        return next(self._batches, None)


def add_to_model(registry: Registry, name: str) -> QuantizedUpscaler:
    """Adds `upscaler-int8.onnx` to a model of the registry.

    Raises ModelError, and ExportError if the model has no upscaler, has the file already, or the
    quantized upscaler differs too much.
    """
    folder, manifest = registry.load(name)
    if UPSCALER not in manifest.files:
        raise ExportError(f"model {name} has no {UPSCALER}")
    if UPSCALER_INT8 in manifest.files:
        raise ExportError(f"model {name} has {UPSCALER_INT8} already")
    session = onnxruntime.InferenceSession(folder / GENERATOR, providers=["CPUExecutionProvider"])
    quantized = quantize_upscaler(
        (folder / UPSCALER).read_bytes(), generate_images(session, manifest)
    )
    registry.add_file(name, UPSCALER_INT8, quantized.content)
    return quantized


def generate_images(session: onnxruntime.InferenceSession, manifest: Manifest) -> np.ndarray:
    """Images uint8 [N, S, S, 3] for `quantize_upscaler`, with random latents and conditions."""
    rng = np.random.RandomState(0)
    images = []
    for _ in range(2 * CALIBRATION_IMAGES // _BATCH):
        wishes = [
            {a.name: rng.choice(a.values) for a in manifest.attributes} for _ in range(_BATCH)
        ]
        latents = rng.standard_normal((_BATCH, manifest.latent_dim)).astype(np.float32)
        conditions = np.stack([manifest.encode(wish) for wish in wishes])
        [batch] = session.run(["image"], {"latent": latents, "condition": conditions})
        images.append(batch)
    return np.concatenate(images)


def quantize_upscaler(content: bytes, images: np.ndarray) -> QuantizedUpscaler:
    """Quantizes the content of an `upscaler.onnx`. `images` uint8 [N, S, S, 3]: the first half
    calibrates, the second half is for the comparison with the float upscaler.

    Raises ExportError if the mean difference is larger than MAX_INT8_ERROR.
    """
    model = onnx.load_from_string(content)
    taken = model.graph.input[0].type.tensor_type.elem_type  # uint8 in earlier versions
    images = images.astype(helper.tensor_dtype_to_np_dtype(taken))
    calibration, test = np.array_split(images, 2)
    parts = np.array_split(calibration, -(-len(calibration) // _BATCH))
    quantized = quantize_convolutions(model, [{"image": part} for part in parts])
    quantized_content = quantized.SerializeToString()
    psnr, mean_error = compare(content, quantized_content, test)
    if not mean_error <= MAX_INT8_ERROR:
        raise ExportError(
            f"images of the quantized upscaler differ from those of the float one by"
            f" {mean_error:.2f} of 255 on average ({psnr:.1f} dB), more than {MAX_INT8_ERROR:g}"
        )
    return QuantizedUpscaler(quantized_content, psnr, mean_error)


def quantize_convolutions(
    model: onnx.ModelProto,
    calibration: Iterable[Mapping[str, np.ndarray]],
    *,
    with_ends: bool = False,
) -> onnx.ModelProto:
    """Quantizes the convolutions of a graph. `calibration` are batches of inputs by name.

    The first and the last one stay float unless `with_ends`: they are fast, and most of the error
    is theirs. On processors without VNNI their sums saturate.
    """
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    _store_as_float32(model)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "quantized.onnx"
        quantize_static(
            model,
            target,
            _Inputs(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[] if with_ends else [*convolutions[:1], *convolutions[-1:]],
        )
        quantized = onnx.load(target)
    del quantized.metadata_props[:], quantized.graph.value_info[:]
    return quantized


def compare(reference: bytes, quantized: bytes, images: np.ndarray) -> tuple[float, float]:
    """PSNR in dB and mean difference in 8-bit steps between the outputs of two upscalers for
    `images`, of the dtype that both take.
    """
    absolute = squared = 0.0
    sessions = [
        onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        for content in (reference, quantized)
    ]
    batches = np.array_split(images, -(-len(images) // _BATCH))
    for batch in batches:
        expected, output = (s.run(None, {"image": batch})[0].astype(float) for s in sessions)
        absolute += np.abs(output - expected).mean() / len(batches)
        squared += ((output - expected) ** 2).mean() / len(batches)
    return (10 * math.log10(255**2 / squared) if squared else math.inf), absolute


def _store_as_float32(model: onnx.ModelProto) -> None:
    """Replaces float16 initializers and their Cast nodes by float32 initializers."""
    graph = model.graph
    halves = {
        tensor.name: tensor
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT16
    }
    for node in [n for n in graph.node if n.op_type == "Cast" and n.input[0] in halves]:
        tensor = halves[node.input[0]]
        weights = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(weights, node.output[0]))
        graph.node.remove(node)
