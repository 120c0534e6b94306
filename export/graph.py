"""What all exported graphs have in common."""

import onnx

OPSET = 18
"""Every operation of it that the networks take has a kernel in ONNX Runtime's CUDA provider."""

TOLERANCE = 1
"""The largest difference in 8-bit steps between PyTorch and ONNX Runtime, and between batches."""


class ExportError(Exception):
    """A run that cannot become a model, with the reason."""


def tidy(model: onnx.ModelProto, name: str) -> None:
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
