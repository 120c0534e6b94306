from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data
from small_models import make_manifest

from export.external_data import external_files
from export.manifest import GENERATOR, ModelError, file_entry, verify


def external_tensor(name: str, location: str) -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), name)
    set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    return tensor


def graph(nodes: list[onnx.NodeProto], *initializers: onnx.TensorProto) -> onnx.GraphProto:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [4])
    return helper.make_graph(nodes, "graph", [], [image], list(initializers))


@pytest.fixture
def model() -> onnx.ModelProto:
    """Tensors in every place: initializers, attributes, subgraphs, functions, sparse tensors."""
    constant = helper.make_node(
        "Constant", [], ["image"], value=external_tensor("", "constant.bin")
    )
    inner = graph([constant], external_tensor("weights", "inner.bin"))
    branch = helper.make_node("If", ["yes"], ["image"], then_branch=inner, else_branch=inner)
    values, indices = external_tensor("v", "values.bin"), external_tensor("i", "indices.bin")
    outer = graph([branch], external_tensor("weights", "outer.bin"))
    outer.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [9]))
    model = helper.make_model(outer)
    node = helper.make_node("Constant", [], ["y"], value=external_tensor("", "function.bin"))
    model.functions.append(
        helper.make_function("own", "f", [], ["y"], [node], [helper.make_opsetid("", 17)])
    )
    return model


LOCATIONS = {f"{n}.bin" for n in ("constant", "inner", "values", "indices", "outer", "function")}


def test_every_external_file_is_found(tmp_path: Path, model: onnx.ModelProto) -> None:
    file = tmp_path / GENERATOR
    file.write_bytes(model.SerializeToString())
    assert external_files(file) == LOCATIONS


def test_a_model_in_one_file_has_none(tmp_path: Path) -> None:
    file = tmp_path / GENERATOR
    weights = numpy_helper.from_array(np.ones(4, np.float32), "image")
    onnx.save(helper.make_model(graph([], weights)), file)
    assert external_files(file) == set()


@pytest.mark.parametrize("data", [b"", b"a generator", bytes(99), b"\xff" * 99, b"\x3a\x05ab"])
def test_an_invalid_file_has_none(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / GENERATOR
    file.write_bytes(data)
    assert external_files(file) == set()


def test_a_truncated_file_is_read_as_far_as_it_goes(tmp_path: Path, model: onnx.ModelProto) -> None:
    file = tmp_path / GENERATOR
    data = model.SerializeToString()
    for length in range(0, len(data), 7):
        file.write_bytes(data[:length])
        assert external_files(file) <= LOCATIONS


def test_external_data_must_be_in_the_manifest(tmp_path: Path) -> None:
    file = tmp_path / GENERATOR
    model = helper.make_model(graph([], external_tensor("image", "weights.bin")))
    file.write_bytes(model.SerializeToString())
    (tmp_path / "weights.bin").write_bytes(bytes(16))
    manifest = make_manifest(files={GENERATOR: file_entry(file)})
    with pytest.raises(ModelError, match=r"does not list: weights\.bin"):
        verify(tmp_path, manifest)
    listed = {**manifest.files, "weights.bin": file_entry(tmp_path / "weights.bin")}
    verify(tmp_path, make_manifest(files=listed))
