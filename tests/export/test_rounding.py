import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from torch import nn

from export.convert import to_onnx
from export.rounding import dequantize, quantize, round_weights
from train.networks.irodori import IrodoriGenerator


def test_quantized_weights_differ_by_at_most_half_a_step() -> None:
    weights = torch.randn(8, 3, 4, 4) * torch.logspace(-3, 1, 8)[:, None, None, None]
    weights[3] = 0
    steps, scale = quantize(weights)
    assert (steps.dtype, scale.shape) == (torch.int8, (8, 1, 1, 1))
    assert ((dequantize(steps, scale) - weights).abs() <= 0.51 * scale.float() + 1e-7).all()


def test_rounded_weights_are_quantized_without_an_error() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 4, 4), nn.Linear(4, 4))
    round_weights(network)
    for number in range(3):
        weights = network.get_parameter(f"{number}.weight")
        assert torch.equal(dequantize(*quantize(weights)), weights)


def test_the_graph_has_rounded_weights_in_int8_and_all_others_in_float16() -> None:
    def types(generator: IrodoriGenerator) -> set[int]:
        model: onnx.ModelProto = to_onnx(generator, 8, 4)
        weights = (t for t in model.graph.initializer if len(t.dims) > 1 and min(t.dims) > 1)
        return {tensor.data_type for tensor in weights if np.prod(tensor.dims) > 100}

    generator = IrodoriGenerator(32, 8, (2, 2), width=4).eval()
    assert types(generator) == {TensorProto.FLOAT16}
    round_weights(generator)
    assert types(generator) == {TensorProto.INT8}


def test_int8_in_the_graph_means_the_weights_of_the_generator() -> None:
    generator = IrodoriGenerator(32, 8, (2, 2), width=4, depth=1).eval()
    round_weights(generator)
    model: onnx.ModelProto = to_onnx(generator, 8, 4)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name in ("start.weight", "upsample.0.weight"):
        weights = generator.get_parameter(name).detach().numpy()
        scale = tensors[f"generator.{name}_scale"]
        found = tensors[f"generator.{name}_steps"].astype(np.float32) * scale
        np.testing.assert_allclose(found, weights, rtol=1e-6)
