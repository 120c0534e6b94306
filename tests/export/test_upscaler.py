import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from small_models import make_manifest, write_generator
from tiny_model import build_upscaler, with_uint8_input
from torch import Tensor, nn

from export.__main__ import main
from export.convert import export_run
from export.graph import ExportError
from export.manifest import GENERATOR, UPSCALER
from export.registry import Registry
from export.upscaler import check, read_upscaler, to_onnx, upscaler_in_use
from train.checkpoint import CheckpointError, Progress, save
from train.settings import UpscalerSettings
from train.upscaler.network import Upscaler
from train.upscaler.run import FIGURES, UpscalerRun, write_run

SETTINGS = UpscalerSettings(data=Path("/home/somebody/sharp faces.zip"), width=16, blocks=2)
MEASURED = {
    "images": 1000,
    "pictures": 200,
    **{"psnr": 24.5, "psnr_bicubic": 22.0, "ssim": 0.81, "ssim_bicubic": 0.67},
    **{"clean_psnr": 26.0, "clean_psnr_bicubic": 23.3},
    **{"clean_ssim": 0.88, "clean_ssim_bicubic": 0.75},
}

# Operations of opset 18 with kernels in ONNX Runtime's CUDAExecutionProvider.
CUDA = "Add Cast Clip Conv DepthToSpace Div LeakyRelu Mul Resize Round Transpose".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def network() -> Upscaler:
    """An untrained network that differs from an interpolation."""
    torch.manual_seed(0)
    network = Upscaler(SETTINGS.width, SETTINGS.blocks)
    nn.init.normal_(network.to_rgb.weight, std=0.03)
    return network.eval()


@pytest.fixture(scope="module")
def graph(network: Upscaler) -> onnx.ModelProto:
    return to_onnx(network)


@pytest.fixture
def upscaler_run(tmp_path: Path, network: Upscaler) -> Path:
    """The folder of a run of an upscaler."""
    folder = tmp_path / "runs" / "upscaler"
    write_run(folder, UpscalerRun("upscaler", "0123456789abcdef", SETTINGS))
    averaged = {f"ema.{name}": tensor for name, tensor in network.state_dict().items()}
    save(folder, averaged, Progress(images=1000, step=125, seconds=60.0))
    (folder / FIGURES).write_text(json.dumps(MEASURED))
    return folder


def open_session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def add_model(registry: Registry, name: str, content: bytes) -> None:
    """A model with that upscaler, put in use."""

    def build(folder: Path) -> None:
        write_generator()(folder)
        (folder / UPSCALER).write_bytes(content)

    registry.add(make_manifest(name, training={"upscaler": {"figures": MEASURED}}), build)
    registry.use(name)


@pytest.mark.parametrize(("count", "side"), [(1, 64), (4, 32), (2, 96), (1, 7)])
def test_generates_the_images_of_pytorch(
    network: Upscaler, graph: onnx.ModelProto, count: int, side: int
) -> None:
    image = np.random.RandomState(1).uniform(0, 255, (count, side, side, 3)).astype(np.float32)
    with torch.inference_mode():
        exact = network(torch.from_numpy(image).permute(0, 3, 1, 2) / 255) * 255
    [upscaled] = open_session(graph).run(None, {"image": image})
    assert upscaled.dtype == np.uint8
    assert upscaled.shape == (count, 4 * side, 4 * side, 3)
    difference = upscaled - exact.clamp(0, 255).permute(0, 2, 3, 1).numpy()
    assert np.abs(difference).max() < 1
    assert upscaled.std() > 30


def test_graph_keeps_the_contract(graph: onnx.ModelProto) -> None:
    tensors = {
        value.name: (
            value.type.tensor_type.elem_type,
            [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim],
        )
        for value in (*graph.graph.input, *graph.graph.output)
    }
    assert tensors == {
        "image": (onnx.TensorProto.FLOAT, ["N", "S", "S", 3]),
        "upscaled": (onnx.TensorProto.UINT8, ["N", "4S", "4S", 3]),
    }
    assert {node.op_type for node in graph.graph.node} <= set(CUDA)
    assert {node.domain for node in graph.graph.node} == {""}
    assert str(Path.cwd()).encode() not in graph.SerializeToString()


def test_the_file_holds_weights_in_half_precision(
    network: Upscaler, graph: onnx.ModelProto
) -> None:
    weights = sum(parameter.numel() for parameter in network.parameters())
    assert graph.ByteSize() < 2 * weights + 20_000


def test_check_finds_a_small_difference(network: Upscaler, graph: onnx.ModelProto) -> None:
    class Brighter(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            upscaled: Tensor = network(image) + 2.5 / 255
            return upscaled

    check(network, open_session(graph))
    with pytest.raises(ExportError, match=r"by up to [34] of 255, more than 1"):
        check(Brighter(), open_session(graph))


def test_later_models_copy_the_upscaler(
    run: Path,
    upscaler_run: Path,
    empty_registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(run), "--name", "first", "--upscaler", str(upscaler_run)]) == 0
    folder, manifest = empty_registry.load("first")
    trained = manifest.training["upscaler"]
    assert trained["run"] == "upscaler"
    assert trained["fingerprint"] == "0123456789abcdef"
    assert trained["figures"] == MEASURED
    assert (trained["settings"]["data"], trained["settings"]["width"]) == ("sharp faces.zip", 16)
    assert "runs" not in trained["settings"]

    empty_registry.use("first")
    export_run(run, empty_registry, "second")
    later, manifest = empty_registry.load("second")
    assert (later / UPSCALER).read_bytes() == (folder / UPSCALER).read_bytes()
    assert manifest.training["upscaler"] == trained


def test_an_upscaler_is_copied_from_a_model(registry: Registry, graph: onnx.ModelProto) -> None:
    add_model(registry, "enlarging", graph.SerializeToString())
    taken = read_upscaler(registry.folder("enlarging"))
    assert taken.content == graph.SerializeToString()
    assert taken.training == {"figures": MEASURED}
    assert upscaler_in_use(registry) == taken
    registry.use("a")
    assert upscaler_in_use(registry) is None


def test_a_copied_upscaler_of_an_earlier_version_takes_floats(
    registry: Registry, network: Upscaler, graph: onnx.ModelProto
) -> None:
    earlier = with_uint8_input(graph)
    add_model(registry, "earlier", earlier.SerializeToString())
    taken = onnx.load_from_string(read_upscaler(registry.folder("earlier")).content)
    check(network, open_session(taken))
    image = np.random.RandomState(1).randint(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    [expected] = open_session(earlier).run(None, {"image": image})
    [upscaled] = open_session(taken).run(None, {"image": image.astype(np.float32)})
    np.testing.assert_array_equal(upscaled, expected)


def test_an_upscaler_that_computes_with_uint8_is_copied_unchanged(registry: Registry) -> None:
    upscaler = build_upscaler()
    del upscaler.graph.node[1:]
    upscaler.graph.node[0].output[0] = "upscaled"
    upscaler.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    add_model(registry, "handmade", upscaler.SerializeToString())
    copied = read_upscaler(registry.folder("handmade")).content
    assert copied == upscaler.SerializeToString()


def test_damaged_models_are_not_copied_from(
    registry: Registry, graph: onnx.ModelProto, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model(registry, "enlarging", graph.SerializeToString())
    folder = registry.folder("enlarging")
    (folder / GENERATOR).write_text("tampered with")
    assert upscaler_in_use(registry) is None
    assert "the upscaler of enlarging is not copied" in capsys.readouterr().out
    with pytest.raises(ExportError, match="copy the model again"):
        read_upscaler(folder)


def test_error_for_a_folder_without_an_upscaler(
    run: Path, upscaler_run: Path, registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=r"has no upscaler\.onnx"):
        read_upscaler(registry.folder("a"))
    with pytest.raises(CheckpointError, match="trains a generator, not an upscaler"):
        read_upscaler(run)
    with pytest.raises(CheckpointError, match="is not a run"):
        read_upscaler(tmp_path)
    (upscaler_run / FIGURES).unlink()
    with pytest.raises(
        ExportError, match=r"figures\.json: it is written at the end of the training"
    ):
        read_upscaler(upscaler_run)


def test_errors_of_the_command(
    run: Path,
    upscaler_run: Path,
    empty_registry: Registry,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(upscaler_run)]) == 1
    assert "trains an upscaler, not a generator" in capsys.readouterr().err
    assert main([str(run), "--upscaler", "nowhere"]) == 1
    assert "nowhere is not a run" in capsys.readouterr().err
    assert empty_registry.names() == []
