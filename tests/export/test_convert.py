import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from small_models import make_manifest, write_generator
from torch import Tensor, nn

import export.convert
from export.card import CARD, SAMPLES, WEAKEST
from export.convert import PixelGenerator, check, default_name, export_run
from export.graph import ExportError
from export.manifest import GENERATOR, SCORER, WEIGHTS, Manifest
from export.registry import Registry
from train.checkpoint import JUDGED_FILE, CheckpointError, RunInfo
from train.networks.irodori import IrodoriGenerator

# Operations of opset 18 with kernels in ONNX Runtime's CUDAExecutionProvider.
CUDA = """
    Add BatchNormalization Cast Clip Concat Conv ConvTranspose Gemm Mul Pad Relu Reshape Round Split
    Tanh Transpose Unsqueeze
""".split()  # noqa: SIM905


def open_session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def manifest_of(info: RunInfo) -> Manifest:
    return make_manifest(
        attributes=info.attributes, latent_dim=info.latent_dim, image_size=info.image_size
    )


@pytest.mark.parametrize("count", [1, 3, 64])
def test_generates_the_images_of_pytorch(
    generator: IrodoriGenerator, graph: onnx.ModelProto, count: int
) -> None:
    latents = torch.randn(count, 8, generator=torch.Generator().manual_seed(count))
    conditions = torch.eye(5)[torch.arange(count) % 3] + torch.eye(5)[3 + torch.arange(count) % 2]
    with torch.inference_mode():
        exact = ((generator(latents, conditions) + 1) * 127.5).permute(0, 2, 3, 1)
    feeds = {"latent": latents.numpy(), "condition": conditions.numpy()}
    image, unrounded = open_session(graph).run(["image", "unrounded"], feeds)
    assert (image.dtype, unrounded.dtype) == (np.uint8, np.float32)
    assert image.shape == unrounded.shape == (count, 32, 32, 3)
    assert np.abs(unrounded - exact.clamp(0, 255).numpy()).max() < 0.01
    assert (np.rint(unrounded) == image).all()
    assert image.std() > 30


def test_values_are_clamped_and_rounded() -> None:
    class Fixed(nn.Module):
        def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
            return latent.view(-1, 3, 1, 1)

    levels = torch.tensor([[-1.5, -1.0, 1.5], [1 / 127.5, 0.7 / 127.5 - 1, 0.3 / 127.5 - 1]])
    image, unrounded = PixelGenerator(Fixed())(levels, torch.zeros(2, 0))
    assert image.flatten(1).tolist() == [[0, 0, 255], [128, 1, 0]]
    expected = torch.tensor([[0, 0, 255], [128.5, 0.7, 0.3]])
    torch.testing.assert_close(unrounded.flatten(1), expected, rtol=0, atol=1e-4)


def test_graph_keeps_the_contract(graph: onnx.ModelProto) -> None:
    tensors = {
        value.name: (
            value.type.tensor_type.elem_type,
            [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim],
        )
        for value in (*graph.graph.input, *graph.graph.output)
    }
    assert tensors == {
        "latent": (onnx.TensorProto.FLOAT, ["N", 8]),
        "condition": (onnx.TensorProto.FLOAT, ["N", 5]),
        "image": (onnx.TensorProto.UINT8, ["N", 32, 32, 3]),
        "unrounded": (onnx.TensorProto.FLOAT, ["N", 32, 32, 3]),
    }
    assert graph.graph.output[0].name == "image"


def test_graph_runs_on_cuda_and_is_folded(graph: onnx.ModelProto) -> None:
    operations = [node.op_type for node in graph.graph.node]
    assert set(operations) <= set(CUDA)
    assert {node.domain for node in graph.graph.node} == {""}
    # Only the first batch norm is not folded, since it follows no convolution.
    assert operations.count("BatchNormalization") == 1


def test_graph_has_no_paths_of_this_machine(graph: onnx.ModelProto) -> None:
    content = graph.SerializeToString()
    assert b".py" not in content
    assert str(Path.cwd()).encode() not in content


def test_registers_a_run(exported: Registry) -> None:
    assert exported.names() == ["small"]
    assert exported.current() is None
    _, manifest = exported.load("small")
    assert set(manifest.files) == {GENERATOR, SCORER, WEIGHTS, SAMPLES, WEAKEST, CARD}
    assert manifest.candidates == 4
    assert manifest.attributes == make_manifest().attributes
    assert (manifest.latent_dim, manifest.image_size) == (8, 32)
    assert manifest.metrics["lite2_fd_ratio"] == 4.5
    judged = json.loads((exported.root.parent / "run" / JUDGED_FILE).read_text())
    kept_elsewhere = {"figures", "candidates"}
    assert manifest.training == {
        "run": "first",
        "images": 1_234_000,
        "fingerprint": "0123456789abcdef",
        "settings": {
            "data": "my faces.zip",
            "recipe": "mine",
            "network": {"width": 8, "latent_dim": 8, "resolution": 32},
        },
        "judged": {name: judged[name] for name in judged if name not in kept_elsewhere},
    }


def test_samples_are_generated_by_the_exported_graph(exported: Registry) -> None:
    folder, manifest = exported.load("small")
    session = onnxruntime.InferenceSession(folder / GENERATOR, providers=["CPUExecutionProvider"])
    latent = np.random.RandomState(0).standard_normal((1, 8)).astype(np.float32)
    condition = manifest.encode({"hair": "aqua", "eyes": "blue"})[None]
    [image] = session.run(["image"], {"latent": latent, "condition": condition})
    sheet = np.asarray(Image.open(folder / SAMPLES).convert("RGB"))
    first = sheet[-3 * 32 : -2 * 32, -2 * 32 : -32]
    assert np.abs(first.astype(int) - image[0]).mean() < 6  # 256 colors


def test_names_a_model_after_its_data_and_images(empty_registry: Registry, info: RunInfo) -> None:
    for expected in ("my-faces-1234k", "my-faces-1234k-2", "my-faces-1234k-3"):
        name = default_name(empty_registry, replace(info, images=1_234_400))
        assert name == expected
        empty_registry.add(make_manifest(name), write_generator())
    assert default_name(empty_registry, replace(info, settings={"data": None})) == "first-0k"
    for data in ("faces.v2", "some/faces.v2.zip", "faces.v2.tar.gz"):
        named = default_name(empty_registry, replace(info, settings={"data": data}))
        assert named == "faces-v2-0k"


class DependsOnTheBatch(nn.Module):
    """Subtracts the mean of the batch, as a batch norm left in training mode does."""

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        pixels = (latent[:, :3] - latent[:, :3].mean(dim=0, keepdim=True)).view(-1, 3, 1, 1)
        return torch.tanh(pixels).repeat(1, 1, 32, 32)


class OfAnotherSize(nn.Module):
    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        return latent[:, :3].view(-1, 3, 1, 1).repeat(1, 1, 16, 16)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (DependsOnTheBatch(), r"1 at a time, differ from PyTorch's by up to \d+ of 255"),
        (OfAnotherSize(), r"uint8 \(1, 16, 16, 3\), not uint8 \(1, 32, 32, 3\)"),
    ],
)
def test_refuses_a_generator_that_breaks_the_contract(
    run: Path,
    empty_registry: Registry,
    info: RunInfo,
    monkeypatch: pytest.MonkeyPatch,
    wrong: nn.Module,
    message: str,
) -> None:
    monkeypatch.setattr(export.convert, "load_generator", lambda run: (wrong, info))
    with pytest.raises(ExportError, match=message):
        export_run(run, empty_registry)
    assert list(empty_registry.root.iterdir()) == []


def test_check_finds_a_small_difference(
    generator: IrodoriGenerator, graph: onnx.ModelProto, info: RunInfo
) -> None:
    session, manifest = open_session(graph), manifest_of(info)
    check(generator, session, manifest)

    class Brighter(nn.Module):
        def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
            images: Tensor = generator(latent, condition) + 2.5 / 127.5
            return images

    with pytest.raises(ExportError, match=r"by up to [34] of 255, more than 1"):
        check(Brighter(), session, manifest)


def test_refuses_a_run_that_was_not_judged(run: Path, empty_registry: Registry) -> None:
    (run / JUDGED_FILE).unlink()
    with pytest.raises(ExportError, match=r"judge\.json: the run is not judged"):
        export_run(run, empty_registry)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ('{"figures": {"q": NaN}, "candidates": 1}', "metrics.q: .*finite"),
        ('{"figures": {"q": "good"}, "candidates": 1}', "metrics.q: .*valid number"),
        ('{"figures": {}, "candidates": 0}', "candidates: .*greater than or equal to 1"),
        ('{"q": 2.8}', r"earlier version: judge the run again \(python -m train judge "),
        ("{", "not valid JSON"),
    ],
)
def test_error_for_invalid_figures(
    run: Path, empty_registry: Registry, figures: str, message: str
) -> None:
    (run / JUDGED_FILE).write_text(figures)
    with pytest.raises(ExportError, match=message):
        export_run(run, empty_registry)


def test_refuses_a_taken_or_unsafe_name(run: Path, registry: Registry) -> None:
    with pytest.raises(ExportError, match="a exists already"):
        export_run(run, registry, "a")
    with pytest.raises(ExportError, match=r"'\.\./a' is not a valid name of a model"):
        export_run(run, registry, "../a")
    assert registry.names() == ["b", "a", "c"]


def test_error_for_a_folder_that_is_not_a_run(tmp_path: Path, empty_registry: Registry) -> None:
    with pytest.raises(CheckpointError, match="is not a run"):
        export_run(tmp_path, empty_registry)
