from pathlib import Path

import pytest
import torch
from small_models import make_manifest, write_generator

from export.convert import export_run
from export.graph import TOLERANCE, ExportError
from export.registry import Registry
from export.weights import read_weights
from train.checkpoint import RunInfo, build_generator, load_discriminator
from train.networks import Generator


def test_what_comes_back_paints_the_same_and_judges_the_same(
    run: Path, generator: Generator, info: RunInfo, empty_registry: Registry
) -> None:
    folder, manifest = empty_registry.load(export_run(run, empty_registry))
    weights = read_weights(folder, manifest)

    back = build_generator(info)
    back.load_state_dict({k[10:]: v for k, v in weights.items() if k.startswith("generator.")})
    back.eval()
    latents = torch.randn(16, info.latent_dim, generator=torch.Generator().manual_seed(0))
    conditions = torch.eye(5)[torch.arange(16) % 3] + torch.eye(5)[3 + torch.arange(16) % 2]
    with torch.inference_mode():
        difference = (generator(latents, conditions) - back(latents, conditions)).abs().max()
    assert difference < (TOLERANCE + 1) / 127.5

    for name, value in load_discriminator(run).state_dict().items():
        assert torch.allclose(weights[f"discriminator.{name}"], value, atol=1e-3), name


def test_a_model_without_a_discriminator_is_no_beginning(empty_registry: Registry) -> None:
    empty_registry.add(make_manifest("plain", 1), write_generator())
    with pytest.raises(ExportError, match=r"plain has no critic\.onnx"):
        read_weights(*empty_registry.load("plain"))


def test_other_networks_are_no_beginning(run: Path, empty_registry: Registry) -> None:
    folder, manifest = empty_registry.load(export_run(run, empty_registry))
    for training in ({}, {"settings": {"width": 6}}):
        with pytest.raises(ExportError, match="is of other networks"):
            read_weights(folder, manifest.model_copy(update={"training": training}))
