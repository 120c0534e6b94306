"""Common parts of the export of all ONNX graphs."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from export.rounding import dequantize, quantize

OPSET = 18
"""ONNX Runtime's CUDA provider has kernels for all operations of the networks in this version."""

TOLERANCE = 1
"""Tolerance in 8-bit steps between PyTorch and ONNX Runtime, and between batch sizes."""


ROUNDED = 1e-6
"""Relative error of weights that are rounded already."""


class ExportError(Exception):
    """A run cannot be exported."""


def clean_graph(model: onnx.ModelProto, name: str) -> None:
    """Names the batch dimension N, and removes metadata of the machine that exported the graph."""
    graph = model.graph
    del graph.value_info[:], graph.metadata_props[:], model.metadata_props[:]
    graph.name = name
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for tensor in graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]
    for value in (*graph.input, *graph.output):
        del value.metadata_props[:]
        value.type.tensor_type.shape.dim[0].dim_param = "N"


def store_as_int8(model: onnx.ModelProto) -> None:
    """Stores the convolutions that `round_convolutions` has rounded as int8 and scales, with nodes
    that ONNX Runtime folds at load time. All other weights stay.
    """
    graph = model.graph
    scales, nodes = [], []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.ndim != 4:
            continue
        steps, scale = quantize(torch.from_numpy(weights.copy()))
        error = np.abs(dequantize(steps, scale).numpy() - weights).max()
        if error > ROUNDED * np.abs(weights).max():
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(steps.numpy(), f"{name}_steps"))
        scales.append(numpy_helper.from_array(scale.float().numpy(), f"{name}_scale"))
        cast = helper.make_node("Cast", [tensor.name], [f"{name}_cast"], to=TensorProto.FLOAT)
        multiply = helper.make_node("Mul", [f"{name}_cast", scales[-1].name], [name])
        nodes.extend([cast, multiply])
    graph.initializer.extend(scales)
    nodes.extend(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def store_as_float16(model: onnx.ModelProto) -> None:
    """Stores weights as float16, with Cast nodes that ONNX Runtime folds at load time."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype == np.float32 and weights.ndim > 1:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
