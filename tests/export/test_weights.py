from pathlib import Path

import pytest
import torch
from small_models import make_manifest, write_generator

from export.convert import export_run
from export.graph import ExportError
from export.manifest import WEIGHTS
from export.registry import Registry
from export.weights import DEFECTS, read_weights
from train import state
from train.checkpoint import RunInfo
from train.models import build_generator, load_discriminator
from train.networks.base import Generator
from train.scorer import DEFECTS_FILE, MarkedScorer, save_defects


def test_exported_weights_are_those_of_the_run_within_the_precision_of_int8(
    run: Path, generator: Generator, info: RunInfo, empty_registry: Registry
) -> None:
    folder, manifest = empty_registry.load(export_run(run, empty_registry))
    weights = read_weights(folder, manifest)

    restored = build_generator(info.train_settings, info.sizes)
    restored.load_state_dict(state.part(weights, "generator."))
    restored.eval()
    latents = torch.randn(16, info.latent_dim, generator=torch.Generator().manual_seed(0))
    conditions = torch.eye(5)[torch.arange(16) % 3] + torch.eye(5)[3 + torch.arange(16) % 2]
    with torch.inference_mode():
        images, others = generator(latents, conditions), restored(latents, conditions)
    assert (images - others).abs().mean() < 1 / 127.5

    for prefix, network in (("generator", generator), ("discriminator", load_discriminator(run))):
        for name, value in network.state_dict().items():
            error = (weights[f"{prefix}.{name}"] - value).float().square().mean().sqrt()
            assert error < 0.01 * value.float().square().mean().sqrt() + 1e-6, name


def test_weights_of_the_scorer_of_marked_images_are_exported(
    run: Path, empty_registry: Registry
) -> None:
    assert DEFECTS not in read_weights(*empty_registry.load(export_run(run, empty_registry)))
    weight = torch.randn(MarkedScorer(0).weight.shape).half()
    save_defects(run / DEFECTS_FILE, weight)
    weights = read_weights(*empty_registry.load(export_run(run, empty_registry)))
    assert torch.equal(weights[DEFECTS], weight.float())


def test_error_for_models_without_weights(empty_registry: Registry) -> None:
    empty_registry.add(make_manifest("plain", 1), write_generator())
    with pytest.raises(ExportError, match=rf"plain has no {WEIGHTS}.*no training can start"):
        read_weights(*empty_registry.load("plain"))


def test_error_for_damaged_weights(run: Path, empty_registry: Registry) -> None:
    folder, manifest = empty_registry.load(export_run(run, empty_registry))
    (folder / WEIGHTS).write_bytes(b"nonsense")
    with pytest.raises(ExportError, match=rf"{WEIGHTS} cannot be read"):
        read_weights(folder, manifest)
