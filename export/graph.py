"""What all exported graphs have in common."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
"""Every operation of it that the networks take has a kernel in ONNX Runtime's CUDA provider."""

TOLERANCE = 1
"""The largest difference in 8-bit steps between PyTorch and ONNX Runtime, and between batches."""


class ExportError(Exception):
    """A run that cannot become a model, with the reason."""


def clean_graph(model: onnx.ModelProto, name: str) -> None:
    """Names the number of pictures N, and drops traces of the machine that it was exported on."""
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
    """Stores weights as float16, half the size, with a Cast that is folded when they are loaded."""
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
