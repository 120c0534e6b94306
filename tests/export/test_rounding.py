import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from torch import nn

from export.convert import to_onnx
from export.rounding import dequantize, quantize, round_convolutions
from train.networks.irodori import IrodoriGenerator


def test_quantized_weights_differ_by_at_most_half_a_step() -> None:
    weights = torch.randn(8, 3, 4, 4) * torch.logspace(-3, 1, 8)[:, None, None, None]
    weights[3] = 0
    steps, scale = quantize(weights)
    assert (steps.dtype, scale.shape) == (torch.int8, (8, 1, 1, 1))
    assert ((dequantize(steps, scale) - weights).abs() <= 0.51 * scale.float() + 1e-7).all()


def test_rounded_convolutions_are_quantized_without_an_error() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 4, 4), nn.Linear(4, 4))
    first, second, linear = (network.get_parameter(f"{i}.weight") for i in range(3))
    before = linear.clone()
    round_convolutions(network)
    for weights in (first, second):
        assert torch.equal(dequantize(*quantize(weights)), weights)
    assert torch.equal(linear, before)


def test_the_graph_has_rounded_convolutions_in_int8_and_all_others_in_float16() -> None:
    def types(generator: IrodoriGenerator) -> set[int]:
        graph = to_onnx(generator, 8, 4).graph
        return {tensor.data_type for tensor in graph.initializer if len(tensor.dims) == 4}

    generator = IrodoriGenerator(32, 8, (2, 2), width=4).eval()
    assert TensorProto.INT8 not in types(generator)
    round_convolutions(generator)
    assert TensorProto.INT8 in types(generator)


def test_int8_in_the_graph_means_the_weights_of_the_generator() -> None:
    generator = IrodoriGenerator(32, 8, (2, 2), width=4, depth=1).eval()
    round_convolutions(generator)
    model: onnx.ModelProto = to_onnx(generator, 8, 4)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = generator.get_parameter("upsample.0.weight")
    name = "generator.upsample.0.weight"
    scale = tensors[f"{name}_scale_half"].astype(np.float32)
    found = tensors[f"{name}_steps"].astype(np.float32) * scale
    assert np.array_equal(found, weights.detach().numpy())
