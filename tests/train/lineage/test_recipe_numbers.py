"""The numbers that define each recipe, as in its text or its authors' code."""

import math
import tomllib
from typing import Any

import pytest
import torch
from small_recipes import faces, settings_of, small
from torch import Tensor

from train import recipes
from train.lineage.networks.base import LineageGenerator
from train.models import build_trainer

CLASSICAL = [name for name in recipes.NAMES if name != "irodori"]
"""Numbers of hair and eye colors of the data."""
OPTIMIZERS = {
    # Optimizer, batch, learning rate, β1, β2 (decay of RMSprop).
    "gan": ("adam", 100, 2e-4, 0.5, 0.999),  # the batch of the authors' mnist.yaml
    "dcgan": ("adam", 128, 2e-4, 0.5, 0.999),
    "dcgan-96": ("adam", 256, 2e-4, 0.5, 0.999),
    "dcgan-tricks": ("adam", 128, 2e-4, 0.5, 0.999),
    "cgan": ("adam", 128, 2e-4, 0.5, 0.999),
    "acgan-dcgan": ("adam", 128, 2e-4, 0.5, 0.999),
    "acgan-srresnet": ("adam", 64, 2e-4, 0.5, 0.999),
    "acgan-decoupled": ("adam", 64, 1e-4, 0.5, 0.9),
    "acgan-two-nets": ("adam", 64, 1e-4, 0.5, 0.9),
    "wgan": ("rmsprop", 64, 5e-5, 0.0, 0.99),
    "wgan-gp": ("adam", 64, 1e-4, 0.0, 0.9),
    "wgan-gp-report": ("rmsprop", 64, 2e-4, 0.0, 0.99),
    "ebgan": ("adam", 128, 2e-4, 0.5, 0.999),
    "aegan": ("adam", 64, 2e-4, 0.5, 0.999),
    "aegan-dcgan": ("adam", 64, 2e-4, 0.5, 0.999),
    "aegan-wgan-gp": ("adam", 64, 1e-4, 0.0, 0.9),
    "stackgan": ("adam", 64, 2e-4, 0.5, 0.999),
    "r3gan": ("adam", 64, 2e-4, 0.0, 0.9),
}
LOSSES = {
    # Loss; weight and kind of the gradient penalty; discriminator steps per generator step.
    "gan": ("nonsaturating", 0.0, "", 1),
    "dcgan": ("nonsaturating", 0.0, "", 1),
    "dcgan-96": ("nonsaturating", 0.0, "", 5),
    "dcgan-tricks": ("nonsaturating", 0.0, "", 1),
    "cgan": ("nonsaturating", 0.0, "", 1),
    "acgan-dcgan": ("nonsaturating", 0.0, "", 1),
    "acgan-srresnet": ("nonsaturating", 0.5, "dragan", 1),
    "acgan-decoupled": ("nonsaturating", 0.0, "", 2),
    "acgan-two-nets": ("nonsaturating", 0.0, "", 2),
    "wgan": ("wasserstein", 0.0, "", 5),
    "wgan-gp": ("wasserstein", 10.0, "wgan-gp", 5),
    "wgan-gp-report": ("wasserstein", 10.0, "wgan-gp-channels", 1),
    "ebgan": ("energy", 0.0, "", 1),
    "aegan": ("nonsaturating", 0.0, "", 1),
    "aegan-dcgan": ("nonsaturating", 0.0, "", 1),
    "aegan-wgan-gp": ("wasserstein", 10.0, "wgan-gp", 5),
    "stackgan": ("nonsaturating", 0.0, "", 1),
    "r3gan": ("relativistic", 2.0, "zero-centered", 1),
}
AUGMENTATIONS = {
    # Augmentation, largest rotation in degrees.
    "gan": ("none", 0),
    "dcgan": ("none", 0),
    "dcgan-96": ("none", 0),
    "dcgan-tricks": ("flip-and-rotate", 15),
    "cgan": ("none", 0),
    "acgan-dcgan": ("none", 0),
    "acgan-srresnet": ("none", 0),
    "acgan-decoupled": ("flip-and-rotate", 15),
    "acgan-two-nets": ("flip-and-rotate", 15),
    "wgan": ("none", 0),
    "wgan-gp": ("none", 0),
    "wgan-gp-report": ("none", 0),
    "ebgan": ("none", 0),
    "aegan": ("none", 0),
    "aegan-dcgan": ("none", 0),
    "aegan-wgan-gp": ("none", 0),
    "stackgan": ("none", 0),
    "r3gan": ("flip", 0),
}
LATENTS = {
    # Distribution, deviation, dimensions.
    "gan": ("uniform", 1.0, 100),  # ±√3
    "dcgan": ("uniform", 1 / math.sqrt(3), 100),  # ±1
    "dcgan-96": ("normal", 1.0, 100),
    "dcgan-tricks": ("normal", math.exp(-1 / math.pi), 100),
    "cgan": ("uniform", 1 / math.sqrt(3), 100),
    "acgan-dcgan": ("uniform", 1 / math.sqrt(3), 100),
    "acgan-srresnet": ("normal", 1.0, 128),
    "acgan-decoupled": ("normal", math.exp(-1 / math.pi), 64),
    "acgan-two-nets": ("normal", math.exp(-1 / math.pi), 64),
    "wgan": ("normal", 1.0, 100),
    "wgan-gp": ("normal", 1.0, 100),
    "wgan-gp-report": ("normal", 1.0, 100),
    "ebgan": ("uniform", 1 / math.sqrt(3), 100),
    "aegan": ("normal", 1.0, 128),
    "aegan-dcgan": ("normal", 1.0, 128),
    "aegan-wgan-gp": ("normal", 1.0, 128),
    "stackgan": ("normal", 1.0, 100 + 128),
    "r3gan": ("normal", 1.0, 64),
}


@pytest.mark.parametrize("name", CLASSICAL)
def test_each_recipe_says_why_it_differs(name: str) -> None:
    text = (recipes.FOLDER / f"{name}.toml").read_text("utf-8")
    assert {"about", "source", "extends"} >= tomllib.loads(text).keys() - {"train"}
    assert any(line.startswith("# ") for line in text.splitlines())


@pytest.mark.parametrize("table", [OPTIMIZERS, LOSSES, AUGMENTATIONS, LATENTS])
def test_tables_have_all_recipes(table: dict[str, Any]) -> None:
    assert [*table] == CLASSICAL


@pytest.mark.parametrize("name", CLASSICAL)
def test_optimizers(name: str) -> None:
    settings, lineage = settings_of(name)
    optimizer = settings.optimizer
    found = (optimizer.batch, optimizer.learning_rate, optimizer.beta1, optimizer.beta2)
    assert (lineage.optimizer, *found) == OPTIMIZERS[name]
    assert (optimizer.anneal, settings.objective.penalty_every) == (0, 1)
    assert optimizer.ema_images == (500_000 if name == "r3gan" else 0)
    assert lineage.halve_epochs == (100 if name == "stackgan" else 0)
    assert lineage.reset_epochs == (10 if name == "dcgan-96" else 0)


@pytest.mark.parametrize("name", CLASSICAL)
def test_losses_penalties_and_steps(name: str) -> None:
    settings, lineage = settings_of(name)
    loss, weight, kind, steps = LOSSES[name]
    assert (lineage.loss, settings.objective.penalty) == (loss, weight)
    if weight:
        assert lineage.penalty_kind == kind
    assert lineage.discriminator_steps == steps
    assert lineage.clip == (0.01 if name == "wgan" else 0)
    assert lineage.generator_first == (name == "dcgan-96")


@pytest.mark.parametrize("name", CLASSICAL)
def test_augmentations(name: str) -> None:
    _, lineage = settings_of(name)
    augmentation, degrees = AUGMENTATIONS[name]
    assert lineage.augmentation == augmentation
    if augmentation == "flip-and-rotate":
        assert lineage.rotation == degrees


@pytest.mark.parametrize("name", CLASSICAL)
def test_latents(name: str) -> None:
    settings, _ = settings_of(name)
    kind, deviation, dimensions = LATENTS[name]
    assert settings.network.latent_dim == dimensions
    generator = build_trainer(small(name), faces(small(name).network.resolution)).generator
    assert isinstance(generator, LineageGenerator)
    drawn = generator.shape_latent(torch.randn(2_000, dimensions))
    assert drawn.std().item() == pytest.approx(deviation, rel=0.01)
    largest = drawn.abs().max().item()
    if kind == "uniform":
        assert largest == pytest.approx(deviation * math.sqrt(3), rel=1e-3)
        quarter = drawn.flatten().quantile(0.25) if drawn.numel() < 1e7 else drawn.median()
        assert quarter.item() == pytest.approx(-largest / 2, rel=0.03)
    else:
        assert largest > 4 * deviation


WEIGHTS = {
    # Recipes with heads: weight of realness (λ), of the classes; whether fakes are classified, too.
    "acgan-dcgan": (1.0, 1.0, True),
    "acgan-srresnet": (2.0, 1.0, True),  # λ is the number of attributes
    "acgan-decoupled": (5.0, 1.0, False),
    "acgan-two-nets": (5.0, 1.0, False),
    "stackgan": (1.0, 1.0, True),
}


@pytest.mark.parametrize("name", CLASSICAL)
def test_weights_of_realness_and_classes(name: str) -> None:
    settings, lineage = settings_of(name)
    assert (name in WEIGHTS) == (lineage.heads != "none")
    found = (lineage.realness_weight, settings.objective.class_weight, lineage.classify_fakes)
    assert found == WEIGHTS.get(name, (1.0, 0.0, False))


def gradients(name: str, **changed: Any) -> dict[str, Tensor]:
    """Gradients of both networks' parameters after the first step."""
    settings = small(name, **changed)
    trainer = build_trainer(settings, faces(settings.network.resolution))
    trainer.rate_factor = 1e-12  # so that the generator's step has the same discriminator
    trainer.train_step(0.0)
    return {
        f"{network}.{key}": parameter.grad
        for network, module in trainer.networks.items()
        for key, parameter in module.named_parameters()
        if parameter.grad is not None
    }


def test_lambda_weighs_realness_for_both_networks() -> None:
    """The losses are linear in both weights: five times the gradient, without the classes."""
    given = {"class_weight": 0.0, "discriminator_steps": 1}
    one, five = (gradients("acgan-decoupled", realness_weight=w, **given) for w in (1.0, 5.0))
    assert {key.partition(".")[0] for key in one} == {"generator", "discriminator"}
    for key, gradient in one.items():
        assert torch.allclose(5 * gradient, five[key], rtol=1e-3, atol=1e-6), key


def test_fakes_are_classified_by_the_discriminator_of_acgan() -> None:
    real_only, both = (
        gradients("acgan-dcgan", classify_fakes=choice)["discriminator.heads.0.weight"]
        for choice in (False, True)
    )
    assert not torch.allclose(real_only, both, atol=1e-5)
