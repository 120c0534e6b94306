"""The numbers that define each recipe, as in its text or its authors' code."""

import math
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_recipes import faces, modules, small
from torch import Tensor, nn

from train import recipes
from train.lineage.build import build_discriminator, build_generator
from train.lineage.networks.autoencoder import AutoencoderGenerator
from train.lineage.networks.base import LineageDiscriminator, LineageGenerator
from train.lineage.networks.blocks import ResidualBlock
from train.lineage.networks.dcgan import DCGANDiscriminator
from train.lineage.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from train.lineage.networks.srresnet import LeakyBlock
from train.lineage.networks.stackgan import StackGANDiscriminator, StackGANGenerator
from train.models import build_trainer
from train.settings import LineageSettings, TrainSettings

CLASSICAL = [name for name in recipes.NAMES if name != "irodori"]
VALUES = (12, 10)
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


# Networks


def test_settings_of_an_earlier_version_build_its_networks() -> None:
    """Without the newer keys: one width, biases, normal latents, heads of 256 units."""
    earlier = LineageSettings(conditioning="auxiliary", heads="deep")
    network = small("dcgan").network
    discriminator = build_discriminator(network, earlier, VALUES)
    assert modules(discriminator, nn.Conv2d)[0].bias is not None
    heads = modules(discriminator.score_head, nn.Linear)
    assert [layer.out_features for layer in heads] == [256, 256, 1]
    generator = build_generator(network, earlier, VALUES)
    latent = torch.randn(2, network.latent_dim)
    assert torch.equal(generator.shape_latent(latent), latent)
    assert not modules(generator, ResidualBlock)


def test_gan_has_the_layers_of_the_authors() -> None:
    generator, discriminator = networks("gan")
    linear = modules(generator, nn.Linear)
    assert [layer.out_features for layer in linear] == [1200, 1200, 3 * 64 * 64]
    maxout = modules(discriminator, nn.Linear)
    assert [layer.out_features for layer in maxout] == [240 * 5, 240 * 5, 1]
    assert [layer.in_features for layer in maxout] == [3 * 64 * 64, 240, 240]


def test_gan_has_the_initial_weights_of_the_authors() -> None:
    """`irange: .05` in the generator, and `.005` in the discriminator."""
    trainer = build_trainer(small("gan", width=40), faces())
    for network, bound in ((trainer.generator, 0.05), (trainer.discriminator, 0.005)):
        layers = modules(network, nn.Linear)
        weights = torch.cat([layer.weight.flatten() for layer in layers])
        assert weights.abs().max().item() == pytest.approx(bound, rel=0.01)
        assert weights.abs().max() <= bound
        assert weights.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02), "uniform"
        assert all(layer.bias.abs().max() == 0 for layer in layers)


@pytest.mark.parametrize(("name", "width"), [("dcgan", 128), ("dcgan-96", 64), ("wgan", 64)])
def test_convolutions_without_biases(name: str, width: int) -> None:
    generator, discriminator = networks(name)
    growing = [width, 2 * width, 4 * width, 8 * width]
    assert channels(generator, nn.ConvTranspose2d) == [*growing[::-1], 3]
    assert channels(discriminator, nn.Conv2d) == growing
    strided = modules(generator, nn.ConvTranspose2d) + modules(discriminator, nn.Conv2d)
    for layer in (*strided, discriminator.score_head):
        assert layer.bias is None
    kernels = [layer.kernel_size[0] for layer in strided]
    outer = 5 if name == "dcgan-96" else 4
    assert kernels == [4, 4, 4, 4, outer, outer, 4, 4, 4]


def test_wgan_gp_has_no_normalization_in_its_critic_and_biases_instead() -> None:
    generator, critic = networks("wgan-gp")
    kinds = {type(module) for module in critic.modules()}
    layers = {nn.Conv2d, nn.Identity, nn.LeakyReLU, nn.Flatten, nn.Linear}
    assert kinds == layers | {nn.Sequential, nn.ModuleList, DCGANDiscriminator}
    assert channels(critic, nn.Conv2d) == [64, 128, 256, 512]
    for layer in (*modules(critic, nn.Conv2d), critic.score_head):
        assert layer.bias is not None
    assert len(modules(generator, nn.BatchNorm2d)) == 4
    assert all(layer.bias is None for layer in modules(generator, nn.ConvTranspose2d))


def test_dcgan_96_starts_with_the_weights_of_pytorch() -> None:
    def deviation(name: str) -> float:
        settings = small(name, width=16)
        assert settings.lineage is not None
        discriminator = build_discriminator(settings.network, settings.lineage, ())
        return modules(discriminator, nn.Conv2d)[-1].weight.std().item()

    inputs = 4 * 16 * 4 * 4
    assert deviation("dcgan-96") == pytest.approx(1 / math.sqrt(3 * inputs), rel=0.05)
    assert deviation("dcgan-tricks") == pytest.approx(0.02, rel=0.05)
    trainer = build_trainer(small("dcgan-96", width=16), faces(96))
    transposed = modules(trainer.generator, nn.ConvTranspose2d)
    for layer in transposed:
        bound = 1 / math.sqrt(layer.out_channels * layer.kernel_size[0] ** 2)
        assert layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert transposed[0].in_channels != transposed[0].out_channels
    for norm in modules(trainer.generator, nn.BatchNorm2d):
        assert norm.weight.tolist() == [1] * norm.num_features


def test_dcgan_96_updates_its_generator_at_the_first_of_five_batches() -> None:
    trainer = build_trainer(small("dcgan-96"), faces(96))
    weight = modules(trainer.generator, nn.ConvTranspose2d)[0].weight
    moved = []
    for _ in range(6):
        before = weight.detach().clone()
        trainer.train_step(0.0)
        moved.append(not torch.equal(before, weight))
    assert moved == [True, False, False, False, False, True]


def test_dcgan_96_forgets_the_moments_after_ten_epochs() -> None:
    data = faces(96).split()[0]
    trainer = build_trainer(small("dcgan-96", batch=64, width=2), data)
    per_epoch = len(data) / 64
    counts = []
    for step in (0, math.ceil(10 * per_epoch) - 1, math.ceil(10 * per_epoch)):
        trainer.step = step
        trainer.train_step(0.0)
        (state, *_) = trainer.optimizers["discriminator"].state.values()
        counts.append(int(state["step"]))
    assert counts == [1, 2, 1]


def test_stackgan_halves_the_learning_rate_after_a_hundred_epochs_of_each_stage() -> None:
    settings = small("stackgan", batch=4)
    trainer, resumed = (build_trainer(settings, faces(128)) for _ in range(2))

    def epochs(number: float) -> int:
        return math.ceil(number * trainer.data_size / 4)

    def rate_of_step(step: int, progress: float) -> float:
        trainer.step = step
        losses = trainer.train_step(progress)
        assert max(losses.values()) < 100, "larger ones would count as a divergence"
        (rate,) = {optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers.values()}
        return float(rate)

    shares = (0, 99.9, 100, 250)
    first = [rate_of_step(epochs(number), 0.4) for number in shares]
    assert first == pytest.approx([2e-4, 2e-4, 1e-4, 5e-5])
    start = epochs(1_000)
    second = [rate_of_step(start + epochs(number), 0.6) for number in shares]
    assert second == pytest.approx(first)
    saved = {name: tensor.clone() for name, tensor in trainer.state_dict().items()}
    resumed.load_state_dict(saved, start + epochs(100))
    assert resumed.learning_rate(0.6) == pytest.approx(1e-4)
    resumed.train_step(0.4)  # as if it was resumed with more images
    assert resumed.learning_rate(0.4) == pytest.approx(1e-4), "the second stage goes on"


def test_stackgan_that_returns_to_its_first_stage_trains_it_again() -> None:
    trainer = build_trainer(small("stackgan"), faces(128))
    assert isinstance(trainer.generator, StackGANGenerator)
    trainer.train_step(0.4)
    saved = {name: tensor.clone() for name, tensor in trainer.state_dict().items()}
    trainer.train_step(0.6)
    trainer.load_state_dict(saved, 1)  # as after a divergence
    before = next(trainer.generator.first.parameters()).clone()
    trainer.train_step(0.4)
    assert not torch.equal(next(trainer.generator.first.parameters()), before)


def test_stackgan_has_the_widths_that_its_comment_names() -> None:
    """64 as in the authors' code in the first discriminator; half of theirs in the others."""
    generator, discriminator = networks("stackgan")
    assert isinstance(generator, StackGANGenerator)
    assert isinstance(discriminator, StackGANDiscriminator)
    assert channels(generator.first, nn.ConvTranspose2d) == [512, 256, 128, 64, 3]
    entering, growing = [64, 128, 256, 256], [128, 64, 32, 3]
    blocks = modules(generator.second, ResidualBlock)
    assert len(blocks) == 2
    assert channels(generator.second, nn.Conv2d) == [*entering, *[256] * 4, *growing]
    assert channels(discriminator.first, nn.Conv2d) == [64, 128, 256, 512]
    assert channels(discriminator.second, nn.Conv2d) == [32, 64, 128, 256, 512]
    settings, lineage = settings_of("stackgan")
    assert (settings.network.resolution, lineage.first_stage) == (128, 0.5)


def test_stackgan_embeds_the_condition_with_noise() -> None:
    """ĉ = μ + σ ε, whose divergence from N(0, 1) is 0 for μ = 0 and σ = 1."""
    generator = build_trainer(small("stackgan"), faces(128)).generator
    assert isinstance(generator, StackGANGenerator)
    embedding = generator.first.embed
    assert embedding is not None
    assert embedding.size == 128
    weight = modules(embedding, nn.Linear)[0].weight
    assert weight.std().item() == pytest.approx(0.02 * math.sqrt(1024 / 7), rel=0.1)
    nn.init.zeros_(weight)
    condition, noise = torch.eye(7)[:3], torch.randn(3, 128)
    assert torch.equal(embedding(condition, noise), noise)
    assert embedding.divergence(condition).item() == pytest.approx(0, abs=1e-6)
    bias = modules(embedding, nn.Linear)[0].bias
    assert bias is not None
    nn.init.constant_(bias, 0.5)  # μ = 0.5, log σ = 0.5
    expected = (math.e + 0.25) / 2 - 0.5 - 0.5
    assert embedding.divergence(condition).item() == pytest.approx(expected, rel=1e-5)
    _, lineage = settings_of("stackgan")
    assert lineage.embedding_weight == 2


def test_a_stackgan_of_an_earlier_version_is_read() -> None:
    old = small("stackgan", condition_embedding=0, embedding_weight=0, latent_dim=100)
    generator = build_trainer(old, faces(128)).generator
    state = {
        name.replace("first.network.layers", "first.layers"): tensor
        for name, tensor in generator.state_dict().items()
        if name != "first.network.latent_scale"
    }
    again = build_trainer(old, faces(128)).generator
    again.load_state_dict(state)
    latent, condition = torch.randn(2, 100), torch.eye(7)[:2]
    assert torch.equal(again.eval()(latent, condition), generator.eval()(latent, condition))


def test_makegirlsmoe_and_the_report_have_their_networks() -> None:
    generator, discriminator = networks("acgan-srresnet")
    blocks = modules(generator, ResidualBlock)
    assert len(blocks) == 16
    assert set(channels(blocks[0], nn.Conv2d)) == {64}
    assert modules(generator, nn.Conv2d)[-1].kernel_size == (9, 9)
    strided = [layer for layer in modules(discriminator, nn.Conv2d) if layer.stride == (2, 2)]
    assert [layer.out_channels for layer in strided] == [32, 64, 128, 256, 512]
    assert [layer.kernel_size[0] for layer in strided] == [4, 4, 4, 3, 3]
    assert len(modules(discriminator, LeakyBlock)) == 8, "two at each size but the last"
    trained = build_trainer(small("acgan-srresnet", width=32), faces())
    for network in (trained.generator, trained.discriminator):
        layers: list[nn.Conv2d | nn.Linear] = [*modules(network, nn.Conv2d)[:3]]
        for layer in (*layers, *modules(network, nn.Linear)[:1]):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
    generator, discriminator = networks("acgan-decoupled")
    assert len(modules(generator, nn.PixelShuffle)) == 3
    for head in (discriminator.score_head, *discriminator.heads):
        assert [layer.out_features for layer in modules(head, nn.Linear)][:2] == [512, 256]
    names = [name for name, _ in discriminator.named_parameters() if "original" in name]
    assert len(names) == len(modules(discriminator, nn.Conv2d)), "all have spectral norms"


def test_spectral_norms_are_about_one() -> None:
    trainer = build_trainer(small("acgan-decoupled"), faces())
    for _ in range(20):  # power iterations
        trainer.discriminator(torch.randn(2, 3, 32, 32), torch.zeros(2, 7))
    for layer in modules(trainer.discriminator.eval(), nn.Conv2d):
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item()
        assert norm == pytest.approx(1, abs=0.15)


def test_ebgan_has_the_widths_and_initial_weights_of_the_appendix() -> None:
    generator, discriminator = networks("ebgan")
    assert channels(generator, nn.ConvTranspose2d) == [1024, 512, 256, 128, 3]
    assert channels(discriminator, nn.Conv2d) == [64, 128, 256]
    assert channels(discriminator, nn.ConvTranspose2d) == [128, 64, 3]
    trainer = build_trainer(small("ebgan", width=16), faces())
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    for network, deviation in ((trainer.generator, 0.02), (trainer.discriminator, 0.002)):
        last = modules(network, *kinds)[-2]
        assert last.weight.std().item() == pytest.approx(deviation, rel=0.1)
    _, lineage = settings_of("ebgan")
    assert (lineage.margin, lineage.pulling_away) == (20, 0.1)


def test_aegan_has_residual_blocks_and_the_maxout_units_of_gan() -> None:
    _, discriminator = networks("aegan")
    assert [layer.out_features for layer in modules(discriminator, nn.Linear)] == [1200, 1200, 1]
    for name in ("aegan", "aegan-dcgan", "aegan-wgan-gp"):
        generator, _ = networks(name)
        assert isinstance(generator, AutoencoderGenerator)
        part = generator.decoder if name == "aegan" else generator.encoder
        assert len(modules(part, ResidualBlock)) == len(modules(generator, ResidualBlock)) == 6
        assert settings_of(name)[1].reconstruction_weight == 10


def test_r3gan_filters_before_it_halves_the_size() -> None:
    """With [1, 3, 3, 1] in both directions, as the authors' [1, 2, 1] and [1, 1]."""
    discriminator = build_trainer(small("r3gan"), faces()).discriminator
    assert isinstance(discriminator, R3GANDiscriminator)
    spike = torch.zeros(1, 2, 8, 8)
    spike[0, 0, 3, 3] = 64.0
    halved = discriminator.downsample(spike)
    assert halved.shape == (1, 2, 4, 4)
    assert halved[0, 0, 1:3, 1:3].tolist() == [[9.0, 3.0], [3.0, 1.0]]
    assert halved[0, 1].abs().max() == 0, "channels are filtered one by one"
    assert halved.sum() == 16


def test_r3gan_has_the_channels_of_the_authors_and_no_other_score_than_the_projection() -> None:
    settings, lineage = settings_of("r3gan")
    assert settings.network.width == 384 / 6
    wide = settings.model_copy(update={"network": settings.network.model_copy()})
    wide.network.width = 384
    with torch.device("meta"):
        discriminator = build_discriminator(wide.network, lineage, VALUES)
    assert isinstance(discriminator, R3GANDiscriminator)
    grouped = [layer for layer in modules(discriminator, nn.Conv2d) if layer.kernel_size == (3, 3)]
    assert [layer.in_channels for layer in grouped] == [768] * 2 + [1536] * 8
    assert [layer.groups for layer in grouped] == [48] * 2 + [96] * 8
    with torch.device("meta"):
        generator = build_generator(wide.network, lineage, VALUES)
    assert isinstance(generator, R3GANGenerator)
    assert [len(stage) for stage in (*generator.stages, *discriminator.stages)] == [2] * 10
    grouped = [layer for layer in modules(generator, nn.Conv2d) if layer.kernel_size == (3, 3)]
    assert [layer.in_channels for layer in grouped] == [1536] * 8 + [768] * 2
    assert [layer.groups for layer in grouped] == [96] * 8 + [48] * 2
    assert generator.start.in_features == 64 + 64, "latent and embedding"
    small_one = build_trainer(small("r3gan"), faces()).discriminator
    image = torch.randn(2, 3, 32, 32)
    score, _ = small_one(image, torch.zeros(2, 7))
    assert score.abs().max() == 0, "an inner product with the condition, and nothing else"
    assert isinstance(discriminator.projection, nn.Linear)
    embedding = build_trainer(small("r3gan", width=128), faces()).discriminator.projection
    assert isinstance(embedding, nn.Linear)
    expected = (2 * 128) ** -0.5 * embedding.in_features**-0.5
    assert embedding.weight.std().item() == pytest.approx(expected, rel=0.1)


def test_r3gan_penalizes_gradients_at_real_images_and_at_fakes() -> None:
    """γ/2 (R1 + R2), and the relativistic loss of the same scores."""
    trainer = build_trainer(small("r3gan"), faces())
    squares, scores = [], []

    def measure(_: nn.Module, given: tuple[Tensor, ...], output: tuple[Tensor, Any]) -> None:
        image, score = given[0], output[0]
        if image.is_leaf and image.requires_grad:  # in the discriminator's step
            (gradient,) = torch.autograd.grad(score.sum(), image, retain_graph=True)
            squares.append(gradient.square().sum(dim=(1, 2, 3)).mean().item())
            scores.append(score.detach())

    trainer.discriminator.register_forward_hook(measure)
    losses = trainer.train_step(0.0)
    assert len(squares) == 2
    assert min(squares) > 0
    assert losses["penalty"].item() == pytest.approx(2 / 2 * sum(squares), rel=1e-4)
    real, fake = scores
    expected = nn.functional.softplus(fake - real).mean().item()
    assert losses["discriminator"].item() == pytest.approx(expected, rel=1e-5)


def test_the_critic_of_the_report_keeps_its_batch_norm() -> None:
    generator, discriminator = networks("wgan-gp-report")
    assert len(modules(discriminator, nn.BatchNorm2d)) == 3
    assert len(modules(generator, nn.BatchNorm2d)) == 4


def test_rotations_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    angles: list[float] = []
    real: Callable[..., Tensor] = nn.functional.affine_grid

    def record(theta: Tensor, *others: Any, **named: Any) -> Tensor:
        angles.extend(torch.rad2deg(torch.acos(theta[:, 0, 0].clamp(-1, 1))).tolist())
        return real(theta, *others, **named)

    monkeypatch.setattr("train.augment.F.affine_grid", record)
    build_trainer(small("dcgan-tricks", batch=128), faces()).train_step(0.0)
    assert 12 < max(angles) <= 15.01
