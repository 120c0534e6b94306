import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from quick_exports import quick_exports
from small_models import make_manifest, write_generator
from torch import Tensor, nn
from torch.onnx import ONNXProgram

from export.convert import export_run
from export.manifest import GENERATOR, Attribute
from export.registry import Registry
from export.rounding import round_weights
from train.checkpoint import JUDGED_FILE, Progress, RunInfo, save, write_run
from train.models import build_discriminator, build_generator
from train.networks.base import Generator
from train.networks.irodori import IrodoriDiscriminator, IrodoriGenerator
from train.scorer import UnusualScorer, save_scorer

FIGURES = {
    "hair_as_asked": 0.991,
    "hair_as_asked_real": 0.995,
    "eyes_as_asked": 0.98,
    "eyes_as_asked_real": 0.985,
    "lite2_fd_ratio": 4.5,
    "lite2_fd_ratio_real": 1.0,
    "near_duplicates": 0.08,
    "near_duplicates_real": 0.01,
    "all_as_asked": 0.9725,
    "lite2_precision": 0.61,
    "lite2_density": 0.5,
    "dropped_conditions": 0.025,
    "lite2_fd_stride4": 0.02,
    "lite2_fd_stride4_real": 0.005,
}
JUDGED = {
    "figures": FIGURES,
    "candidates": 4,
    "fakes": 100,
    "learnt": 70,
    "held_out": 10,
    "values": {
        "eyes": [
            {"value": "blue", "painted": 75, "as_asked": 0.99, "real": 8, "as_asked_real": 1.0},
            {"value": "orange", "painted": 25, "as_asked": 0.97, "real": 0, "as_asked_real": None},
        ],
    },
    "unseen": [
        {"conditions": {"hair": "red", "eyes": "blue"}, "as_asked": {"hair": 0.98, "eyes": 0.96}}
    ],
    "dropped": [{"conditions": {"hair": "aqua", "eyes": "blue"}, "real": 0.031, "painted": 0.001}],
    "best_of": [
        {"candidates": 1, "hair_as_asked": 0.97, "lite2_fd_ratio": 4.9, "near_duplicates": 0.09},
        {"candidates": 4, "hair_as_asked": 0.991, "lite2_fd_ratio": 4.5, "near_duplicates": 0.08},
    ],
}


@pytest.fixture(scope="session", autouse=True)
def traced_once() -> Iterator[None]:
    """Traces each network once: it takes seconds, and most tests export the same ones."""
    export = torch.onnx.export
    programs: dict[object, ONNXProgram | None] = {}

    def export_once(
        network: nn.Module, arguments: tuple[Tensor, ...], **options: Any
    ) -> ONNXProgram | None:
        weights = {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}
        shapes = [argument.shape for argument in arguments]
        key = (str(network), str(shapes), str(options), tuple(weights.items()))
        if key not in programs:
            programs[key] = export(network, arguments, **options)
        return programs[key]

    with quick_exports(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.onnx, "export", export_once)
        yield


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Three models, b the oldest; nothing is in use."""
    registry = Registry(tmp_path / "models")
    for day, name in enumerate(("b", "a", "c"), start=1):
        registry.add(make_manifest(name, day), write_generator())
    return registry


@pytest.fixture
def empty_registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


@pytest.fixture(scope="session")
def info() -> RunInfo:
    return run_info(make_manifest().attributes)


@pytest.fixture(scope="session")
def generator(info: RunInfo) -> IrodoriGenerator:
    return make_generator(info)


@pytest.fixture
def run(tmp_path: Path, generator: Generator, info: RunInfo) -> Path:
    """The folder of a judged run."""
    return write_whole_run(tmp_path / "runs" / "first", generator, info)


@pytest.fixture(scope="session")
def exported(
    tmp_path_factory: pytest.TempPathFactory, generator: Generator, info: RunInfo
) -> Registry:
    """One exported model, "small"; read-only."""
    root = tmp_path_factory.mktemp("exported")
    registry = Registry(root / "models")
    export_run(write_whole_run(root / "run", generator, info), registry, "small")
    return registry


@pytest.fixture(scope="session")
def graph(exported: Registry) -> onnx.ModelProto:
    return onnx.load(exported.folder("small") / GENERATOR)


@pytest.fixture
def unconditional_run(tmp_path: Path) -> Path:
    info = run_info(())
    return write_whole_run(tmp_path / "runs" / "free", make_generator(info), info)


def run_info(attributes: tuple[Attribute, ...]) -> RunInfo:
    return RunInfo(
        run="first",
        attributes=attributes,
        latent_dim=8,
        image_size=32,
        fingerprint="0123456789abcdef",
        settings={
            "data": "/home/somebody/my faces.zip",
            "runs": "/home/somebody",
            "recipe": "/home/somebody/mine.toml",
            "network": {"width": 8, "latent_dim": 8, "resolution": 32},
        },
    )


def make_generator(info: RunInfo) -> IrodoriGenerator:
    """An untrained generator with strong contrasts and non-trivial batch statistics."""
    torch.manual_seed(0)
    generator = build_generator(info.train_settings, info.sizes)
    assert isinstance(generator, IrodoriGenerator)
    with torch.no_grad():
        for norm in generator.norms:
            norm.get_buffer("norm.running_mean").normal_(0, 0.1)
            norm.get_buffer("norm.running_var").uniform_(0.1, 0.3)
        generator.to_rgb.weight.mul_(24)
    round_weights(generator)  # as in an export
    return generator.eval()


def make_discriminator(info: RunInfo) -> IrodoriDiscriminator:
    torch.manual_seed(1)
    discriminator = build_discriminator(info.train_settings, info.sizes)
    assert isinstance(discriminator, IrodoriDiscriminator)
    with torch.no_grad():
        for downsample in discriminator.downsample:
            downsample.get_parameter("weight").mul_(4)
    return discriminator.eval()


def write_whole_run(folder: Path, generator: Generator, info: RunInfo) -> Path:
    write_run(folder, info)
    averaged = {f"ema.{name}": tensor for name, tensor in generator.state_dict().items()}
    discriminator = {
        f"discriminator.{n}": t for n, t in make_discriminator(info).state_dict().items()
    }
    save(folder, averaged | discriminator, Progress(images=1_234_000, step=77_125, seconds=3600.0))
    (folder / JUDGED_FILE).write_text(json.dumps(JUDGED))
    scorer = UnusualScorer(sum(len(a.values) for a in info.attributes))
    scorer.whitening.mul_(0.1)  # distances as large as those of a fitted scorer
    save_scorer(folder, scorer)
    return folder
