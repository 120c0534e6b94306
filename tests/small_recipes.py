"""Small versions of the recipes, and a few steps of them, for tests."""

from dataclasses import replace
from typing import Any, TypeVar

import shared_training
import torch
from torch import nn

from train import recipes
from train.data import Faces
from train.lineage.build import build_discriminator, build_generator
from train.lineage.networks.base import LineageDiscriminator, LineageGenerator
from train.models import build_trainer
from train.settings import LineageSettings, TrainSettings, deep_update, nested_section
from train.trainer import Trainer

M = TypeVar("M", bound=nn.Module)
VALUES = (12, 10)
"""Numbers of values of the attributes of `networks`."""


def change(settings: dict[str, Any], **changed: Any) -> TrainSettings:
    """A recipe's settings with some changed, whatever their section; later sections win."""
    for key, value in changed.items():
        for section, field in TrainSettings.model_fields.items():
            nested = nested_section(field.annotation)
            if nested is not None and key in nested.model_fields and section in settings:
                settings = deep_update(settings, {section: {key: value}})
    return TrainSettings(**settings)


def small(name: str, **changed: Any) -> TrainSettings:
    """A recipe with small networks and batches; those that are about a size keep theirs."""
    settings = recipes.read(name).settings | {"precision": "float32"}  # the same on every CPU
    size = {"resolution": 32} if settings["network"]["resolution"] == 64 else {}
    if name == "irodori":  # a feature network has a width and weight of its own
        settings = deep_update(settings, {"features": {"weight": 0.0}})
    else:
        changed = {"blocks": 2, "discriminator_width": 0} | changed
    return change(settings, **{"batch": 4, "width": 8} | size | changed)


def faces(size: int = 32) -> Faces:
    noise = shared_training.faces()
    images = nn.functional.interpolate(noise.images.float(), size=size).to(torch.uint8)
    return replace(noise, images=images)


def steps(name: str, count: int, **changed: Any) -> Trainer:
    settings = small(name, **changed)
    trainer = build_trainer(settings, faces(settings.network.resolution))
    for step in range(count):
        figures = trainer.train_step(step / count)
        assert all(value.isfinite() for value in figures.values()), figures
    return trainer


def modules(network: nn.Module, *kinds: type[M]) -> list[M]:
    return [module for module in network.modules() if isinstance(module, kinds)]


def settings_of(name: str) -> tuple[TrainSettings, LineageSettings]:
    settings = TrainSettings(**recipes.read(name).settings)
    assert settings.lineage is not None
    return settings, settings.lineage


def networks(name: str) -> tuple[LineageGenerator, LineageDiscriminator]:
    """The networks of a recipe at full width, without memory for their weights."""
    settings, lineage = settings_of(name)
    values = VALUES if lineage.conditioning != "none" else ()
    with torch.device("meta"):
        generator = build_generator(settings.network, lineage, values)
        discriminator = build_discriminator(settings.network, lineage, values)
    return generator, discriminator


def channels(network: nn.Module, *kinds: type[nn.Conv2d] | type[nn.ConvTranspose2d]) -> list[int]:
    return [layer.out_channels for layer in modules(network, *kinds)]
