"""Common parts of the export of all ONNX graphs."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
"""ONNX Runtime's CUDA provider has kernels for all operations of the networks in this version."""

TOLERANCE = 1
"""Tolerance in 8-bit steps between PyTorch and ONNX Runtime, and between batch sizes."""


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
