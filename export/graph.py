"""Common parts of the export of all ONNX graphs."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch.onnx import ONNXProgram

OPSET = 18
"""ONNX Runtime's CUDA provider has kernels for all operations of the networks in this version."""

TOLERANCE = 1
"""Tolerance in 8-bit steps between PyTorch and ONNX Runtime, and between batch sizes."""


ROUNDED = 1e-6
"""Relative error of weights that are rounded already."""
SMALLEST = 1e-12
"""Lower bound of scales, for rows of zeros."""


class ExportError(Exception):
    """A run cannot be exported."""


def finished_model(program: ONNXProgram | None, name: str) -> onnx.ModelProto:
    """The model of an exported program: its graph has this name, and its weights are small."""
    assert program is not None  # it is None only without dynamo
    model = program.model_proto
    _clean_graph(model, name)
    _store_weights(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def _clean_graph(model: onnx.ModelProto, name: str) -> None:
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


def _store_weights(model: onnx.ModelProto) -> None:
    """Stores the weights that `round_weights` has rounded as int8 and scales, and all others as
    float16, with nodes that ONNX Runtime folds at load time.
    """
    graph = model.graph
    scales, nodes = [], []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.ndim < 2:
            continue
        name = tensor.name
        # The scale is not that of `quantize` where the exporter has merged a batch norm.
        scale = np.abs(weights).max(axis=tuple(range(1, weights.ndim)), keepdims=True) / 127
        steps = np.rint(weights / np.maximum(scale, SMALLEST)).astype(np.int8)
        if np.abs(steps * scale - weights).max() > ROUNDED * np.abs(weights).max():
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_half"))
            nodes.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
            continue
        tensor.CopyFrom(numpy_helper.from_array(steps, f"{name}_steps"))
        scales.append(numpy_helper.from_array(scale, f"{name}_scale"))
        cast = helper.make_node("Cast", [tensor.name], [f"{name}_cast"], to=TensorProto.FLOAT)
        multiply = helper.make_node("Mul", [f"{name}_cast", scales[-1].name], [name])
        nodes.extend([cast, multiply])
    graph.initializer.extend(scales)
    nodes.extend(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
