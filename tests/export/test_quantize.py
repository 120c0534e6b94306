from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from small_models import make_manifest, write_generator
from tiny_model import with_uint8_input
from torch import nn

from export import quantize
from export.__main__ import main
from export.convert import export_run
from export.graph import ExportError
from export.manifest import FORMAT_VERSION, GENERATOR, UPSCALER, UPSCALER_INT8, ModelError
from export.quantize import compare, quantize_upscaler
from export.registry import Registry
from export.upscaler import to_onnx
from train.upscaler.network import Upscaler


@pytest.fixture(scope="module")
def content() -> bytes:
    """The `upscaler.onnx` of an untrained network that differs from an interpolation."""
    torch.manual_seed(0)
    network = Upscaler(16, 2)
    nn.init.normal_(network.to_rgb.weight, std=0.004)
    return bytes(to_onnx(network.eval()).SerializeToString())


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (8, 16, 16, 3)).astype(np.uint8)


def add_upscaled(registry: Registry, run: Path, content: bytes) -> None:
    """The model "float", in use, has an upscaler and no quantized one."""
    export_run(run, registry, "generator")

    def build(folder: Path) -> None:
        source = registry.folder("generator") / GENERATOR
        (folder / GENERATOR).write_bytes(source.read_bytes())
        (folder / UPSCALER).write_bytes(content)

    _, manifest = registry.load("generator")
    registry.add(manifest.model_copy(update={"name": "float", "files": {}}), build)
    registry.use("float")


def test_quantized_upscaler_is_smaller_and_close(content: bytes, images: np.ndarray) -> None:
    quantized = quantize_upscaler(content, images)
    assert quantized.mean_error <= 1
    assert quantized.psnr > 40
    test = images[4:].astype(np.float32)
    assert (quantized.psnr, quantized.mean_error) == compare(content, quantized.content, test)
    model = onnx.load_from_string(quantized.content)
    types = [tensor.data_type for tensor in model.graph.initializer if len(tensor.dims) == 4]
    assert types.count(onnx.TensorProto.INT8) == len(types) - 2, "all but the first and last"
    assert str(Path.cwd()).encode() not in quantized.content


def test_quantized_upscaler_of_an_earlier_version_takes_the_same_images(
    content: bytes, images: np.ndarray
) -> None:
    earlier = with_uint8_input(onnx.load_from_string(content)).SerializeToString()
    quantized = quantize_upscaler(earlier, images)
    assert compare(earlier, quantized.content, images[4:])[1] == quantized.mean_error <= 1


def test_a_large_error_is_refused(
    content: bytes, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantize, "compare", lambda *_: (30.0, 2.5))
    with pytest.raises(ExportError, match=r"differ from those of the float one by 2\.50 of 255"):
        quantize_upscaler(content, images)


def test_export_adds_the_quantized_upscaler(
    run: Path, empty_registry: Registry, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    add_upscaled(empty_registry, run, content)
    export_run(run, empty_registry, "later")
    folder, manifest = empty_registry.load("later")
    assert UPSCALER_INT8 in manifest.files
    assert (folder / UPSCALER).read_bytes() == content
    assert f"{UPSCALER_INT8}: " in capsys.readouterr().out


def test_a_model_is_exported_without_a_quantized_upscaler_that_differs_too_much(
    run: Path,
    empty_registry: Registry,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(quantize, "compare", lambda *_: (30.0, 2.5))
    add_upscaled(empty_registry, run, content)
    export_run(run, empty_registry, "later")
    _, manifest = empty_registry.load("later")
    assert UPSCALER in manifest.files
    assert UPSCALER_INT8 not in manifest.files
    assert f"there is no {UPSCALER_INT8}: images of the" in capsys.readouterr().out


def test_the_command_adds_the_file_to_a_model(
    run: Path,
    empty_registry: Registry,
    content: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    add_upscaled(empty_registry, run, content)
    models = ["--models", str(empty_registry.root)]
    before = empty_registry.load("float")[1]
    assert main(["quantize", "float", *models]) == 0
    folder, manifest = empty_registry.load("float")
    assert manifest.files.keys() - before.files.keys() == {UPSCALER_INT8}
    assert manifest.format == FORMAT_VERSION
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*manifest.files, "manifest.json"]
    )
    assert main(["quantize", "float", *models]) == 1
    assert f"has {UPSCALER_INT8} already" in capsys.readouterr().err
    assert main(["quantize", "generator", *models]) == 1
    assert f"has no {UPSCALER}" in capsys.readouterr().err
    assert main(["quantize", "unknown", *models]) == 1


def test_add_file_refuses_a_file_of_the_manifest(empty_registry: Registry) -> None:
    empty_registry.add(make_manifest("a"), write_generator())
    with pytest.raises(ModelError, match="exists already"):
        empty_registry.add_file("a", GENERATOR, b"")
    empty_registry.load("a")
