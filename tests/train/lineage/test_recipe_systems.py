"""The defining properties of the system of each recipe."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_recipes import change, faces, modules, small, steps
from torch import Tensor, nn

from train import recipes
from train.lineage.networks.autoencoder import AutoencoderDiscriminator, AutoencoderGenerator
from train.lineage.networks.blocks import ResidualUpscaling
from train.lineage.networks.r3gan import R3GANDiscriminator
from train.lineage.networks.srresnet import SRResNetDiscriminator, SRResNetGenerator
from train.lineage.networks.stackgan import StackGANGenerator
from train.models import build_trainer
from train.trainer import Trainer


def updates(trainer: Trainer) -> dict[str, int]:
    """Number of optimizer steps of each network."""
    return {
        network: max(int(state["step"]) for state in optimizer.state.values())
        for network, optimizer in trainer.optimizers.items()
    }


@pytest.mark.parametrize(
    ("name", "generator"),
    [("dcgan", 10), ("wgan", 2), ("wgan-gp", 2), ("dcgan-96", 2), ("acgan-decoupled", 5)],
)
def test_numbers_of_generator_and_discriminator_steps(name: str, generator: int) -> None:
    trainer = steps(name, 10)
    assert updates(trainer) == {"generator": generator, "discriminator": 10}
    assert trainer.images == 40


def test_gan_with_the_settings_of_its_authors() -> None:
    trainer = steps("gan", 4, optimizer="sgd", learning_rate=0.1, discriminator_steps=2)
    sgd = trainer.optimizers["discriminator"]
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.param_groups[0]["momentum"] == 0.5
    before = [p.clone() for p in trainer.discriminator.parameters()]
    trainer.train_step(0.0)
    after = trainer.discriminator.parameters()
    assert any(not torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_wgan_clips_every_weight() -> None:
    trainer = steps("wgan", 2)
    largest = [p.abs().max().item() for p in trainer.discriminator.parameters()]
    assert max(largest) == pytest.approx(0.01)
    assert isinstance(trainer.optimizers["discriminator"], torch.optim.RMSprop)
    assert max(p.abs().max().item() for p in trainer.generator.parameters()) > 0.02


def test_dcgan_has_the_architecture_of_the_paper() -> None:
    settings = recipes.read("dcgan").settings
    trainer = build_trainer(change(settings, width=32), faces(64))
    generator, discriminator = trainer.generator, trainer.discriminator
    strided = modules(generator, nn.ConvTranspose2d)
    assert [layer.out_channels for layer in strided] == [256, 128, 64, 32, 3]
    assert [layer.stride for layer in strided] == [(1, 1), *[(2, 2)] * 4]
    assert len(modules(generator, nn.BatchNorm2d)) == 4, "none at the end"
    assert len(modules(discriminator, nn.Conv2d)) == 4
    assert len(modules(discriminator, nn.BatchNorm2d)) == 3, "none at the start"
    assert not modules(generator, nn.Linear, nn.MaxPool2d, nn.AvgPool2d)
    weights = torch.cat([layer.weight.flatten() for layer in strided])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert weights.mean().abs() < 1e-3
    adam = trainer.optimizers["generator"].param_groups[0]
    assert (adam["lr"], adam["betas"]) == (2e-4, (0.5, 0.999))
    assert settings["network"]["width"] * 8 == 1024


def test_dcgan_96_has_kernel_5_and_stride_3_in_outer_layers() -> None:
    trainer = build_trainer(small("dcgan-96"), faces(96))
    end = modules(trainer.generator, nn.ConvTranspose2d)[-1]
    start = modules(trainer.discriminator, nn.Conv2d)[0]
    for layer in (end, start):
        assert (layer.kernel_size, layer.stride) == ((5, 5), (3, 3))
    assert recipes.read("dcgan-96").settings["optimizer"]["batch"] == 256
    sides: list[int] = []
    for layer in modules(trainer.generator, nn.ConvTranspose2d):
        layer.register_forward_hook(lambda _m, _i, output: sides.append(output.shape[-1]))
    trainer.generator(torch.randn(2, 100), torch.zeros(2, 0))
    assert sides == [4, 8, 16, 32, 96]


def test_tricks_narrow_the_latents_and_rotate_the_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = recipes.read("dcgan-tricks").settings["lineage"]
    sigma = math.exp(-1 / math.pi)
    assert settings["latent_deviation"] == pytest.approx(sigma, abs=1e-6)
    trainer = build_trainer(small("dcgan-tricks", batch=64), faces())
    seen: list[Tensor] = []
    first = modules(trainer.generator, nn.ConvTranspose2d)[0]
    first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    trainer.train_step(0.0)
    assert torch.cat(seen).std().item() == pytest.approx(sigma, rel=0.03)
    assert trainer.ema.latent_scale.item() == pytest.approx(sigma), "same scale as in training"
    assert settings["augmentation"] == "flip-and-rotate"


def test_cgan_concatenates_the_condition_with_both_inputs() -> None:
    trainer = build_trainer(small("cgan"), faces())
    assert modules(trainer.generator, nn.ConvTranspose2d)[0].in_channels == 100 + 7
    assert modules(trainer.discriminator, nn.Conv2d)[0].in_channels == 3 + 7
    image = torch.randn(2, 3, 32, 32)
    discriminator = trainer.discriminator.eval()
    scores = [discriminator(image, torch.eye(7)[[n, n]])[0] for n in (0, 1)]
    assert not torch.allclose(*scores)


@pytest.mark.parametrize("name", [n for n in recipes.NAMES if "acgan" in n or n == "stackgan"])
def test_acgan_discriminator_classifies_and_scores_without_the_condition(name: str) -> None:
    trainer = build_trainer(small(name), faces(small(name).network.resolution))
    image = torch.randn(2, 3, small(name).network.resolution, small(name).network.resolution)
    reported = [trainer.discriminator.eval()(image, torch.eye(7)[[n, n]])[0] for n in (0, 1)]
    assert torch.equal(*reported), "images are scored without the condition"
    _, logits = trainer.discriminator(image, torch.eye(7)[:2])
    assert [head.shape for head in logits] == [(2, 4), (2, 3)]
    trainer.rate_factor = 1e-9
    loss = trainer.train_step(0.0)["discriminator_classes"].item()  # of real images
    assert loss == pytest.approx(math.log(4) + math.log(3), rel=0.25), "by chance, at first"


def test_heads_of_the_acgan_recipes() -> None:
    coupled, decoupled, two = (
        build_trainer(small(name), faces()).discriminator
        for name in ("acgan-srresnet", "acgan-decoupled", "acgan-two-nets")
    )
    assert isinstance(coupled, SRResNetDiscriminator)
    assert isinstance(decoupled, SRResNetDiscriminator)
    assert [type(head) for head in coupled.heads] == [nn.Linear] * 2
    for head in (decoupled.score_head, *decoupled.heads):
        assert len(modules(head, nn.Linear)) == 3

    def reached(discriminator: nn.Module, what: Callable[[Any], Tensor]) -> set[str]:
        """Convolutions that a loss reaches."""
        discriminator.zero_grad()
        what(discriminator(torch.randn(2, 3, 32, 32), torch.eye(7)[:2])).sum().backward()  # type: ignore[no-untyped-call]
        return {
            name
            for name, parameter in discriminator.named_parameters()
            if parameter.grad is not None and parameter.dim() == 4
        }

    for discriminator, shared in ((coupled, True), (decoupled, True), (two, False)):
        realness = reached(discriminator, lambda given: given[0])
        classes = reached(discriminator, lambda given: given[1][0])
        assert (realness == classes) == shared
        assert bool(realness & classes) == shared


def test_makegirlsmoe_has_16_blocks_pixel_shuffles_and_no_batch_norm_in_its_discriminator() -> None:
    settings = recipes.read("acgan-srresnet").settings
    trainer = build_trainer(change(settings, width=8), faces(64))
    settings = settings["lineage"]
    assert isinstance(trainer.generator, SRResNetGenerator)
    assert len(trainer.generator.blocks) == 16
    assert len(modules(trainer.generator, nn.PixelShuffle)) == 2
    assert not modules(trainer.discriminator, nn.BatchNorm2d, nn.GroupNorm)
    assert (settings["penalty_kind"], settings["loss"]) == ("dragan", "nonsaturating")


def test_r3gan_has_no_normalization() -> None:
    trainer = build_trainer(small("r3gan"), faces())
    for network in (trainer.generator, trainer.discriminator):
        assert not modules(network, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
    x = torch.randn(8, 16, 8, 8)
    assert isinstance(trainer.discriminator, R3GANDiscriminator)
    stage = trainer.discriminator.stages[-1]
    assert torch.equal(stage(x), x), "a block adds nothing at first"


def test_ebgan_energy_is_its_reconstruction_error() -> None:
    discriminator = build_trainer(small("ebgan"), faces()).discriminator.eval()
    assert isinstance(discriminator, AutoencoderDiscriminator)
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    score, _ = discriminator(image, torch.zeros(2, 0))
    again = discriminator.decoder(discriminator.encoder(image))
    assert again.shape == image.shape
    expected = -torch.linalg.vector_norm((again - image).flatten(1), dim=1)
    assert torch.allclose(score, expected, atol=1e-4)


def test_a_residual_generator_has_no_single_convolution_between_first_and_last() -> None:
    trainer = build_trainer(small("dcgan", width=16, residual=True), faces())
    generator = trainer.generator
    assert len(modules(generator, nn.ConvTranspose2d)) == 2, "the first and the last"
    blocks = modules(generator, ResidualUpscaling)
    assert [block.layers[-1].out_channels for block in blocks] == [32, 16]
    maps = torch.randn(2, 64, 4, 4)
    with torch.no_grad():
        for parameter in blocks[0].layers.parameters():
            parameter.zero_()
        passed = blocks[0](maps)
        enlarged = nn.functional.interpolate(maps, scale_factor=2.0)
        expected = nn.functional.conv2d(enlarged, blocks[0].shortcut[0].get_parameter("weight"))
    assert torch.allclose(passed, expected, atol=1e-6), "a block adds to its enlarged input"
    assert all(value.isfinite() for value in trainer.train_step(0.0).values())


@pytest.mark.parametrize("name", ["aegan", "aegan-dcgan", "aegan-wgan-gp"])
def test_aegan_generates_and_reconstructs(name: str) -> None:
    few = faces()
    settings = small(name, batch=8, learning_rate=2e-3, discriminator_steps=1)
    trainer = build_trainer(settings, few)
    none = torch.zeros(8, 0)
    real = few.images[:8].float() / 127.5 - 1
    generator = trainer.generator
    assert isinstance(generator, AutoencoderGenerator)
    first = (generator.reconstruct(real, none) - real).abs().mean().item()
    for _ in range(20):
        figures = trainer.train_step(0.0)
    last = (generator.reconstruct(real, none) - real).abs().mean().item()
    assert last < 0.95 * first
    assert figures["reconstruction"] > 0
    code = generator.encode(real)
    assert code.mean(dim=0).abs().max() < 1e-4, "the mean of random latents"
    assert abs(code.square().mean().item() - 1) < 0.05, "the deviation of random latents"
    assert generator(torch.randn(2, settings.network.latent_dim), none[:2]).shape == (2, 3, 32, 32)


def test_aegan_generates_with_the_contrasts_of_its_training() -> None:
    """Random and encoded latents, decoded in batches of their own, would have other statistics in
    training than the running ones of batch norm.
    """
    trainer = build_trainer(small("aegan-dcgan", batch=64, learning_rate=1e-9), faces())
    generator = trainer.generator
    assert isinstance(generator, AutoencoderGenerator)
    # Encoded latents are correlated, and the decoder reacts to it, as after some training.
    to_latents = modules(generator.encoder, nn.Linear)[0].weight.data
    to_latents[:] = to_latents[0]
    modules(generator.decoder, nn.ConvTranspose2d)[0].weight.data.abs_()
    for norm in modules(generator, nn.BatchNorm1d, nn.BatchNorm2d):
        norm.momentum = 1.0  # the running statistics are those of the last batch
    scored: list[Tensor] = []
    trainer.discriminator.register_forward_pre_hook(lambda _, given: scored.append(given[0]))
    trainer.train_step(0.0)
    generator.eval()
    with torch.no_grad():
        images = generator(torch.randn(64, generator.latent_dim), torch.zeros(64, 0))
    found, expected = (batch.std(dim=0).mean().item() for batch in (images, scored[-1]))
    assert found == pytest.approx(expected, rel=0.4)


def test_stackgan_refines_its_first_stage() -> None:
    settings = small("stackgan")
    trainer = build_trainer(settings, faces(128))
    generator = trainer.generator
    assert isinstance(generator, StackGANGenerator)
    latent, condition = torch.randn(2, settings.network.latent_dim), torch.eye(7)[:2]
    trainer.train_step(0.0)
    assert generator.second.to_rgb.weight.abs().max() == 0, "the first stage alone"
    generator.eval()
    rough, whole = generator.first(latent, condition), generator(latent, condition)
    enlarged = nn.functional.interpolate(rough, scale_factor=2.0, mode="bilinear")
    assert (whole - enlarged).abs().mean() < 0.05
    generator.train()
    first = generator.first.network.layers[0].get_parameter("weight").clone()
    trainer.train_step(0.6)
    assert torch.equal(first, generator.first.network.layers[0].get_parameter("weight"))
    assert generator.second.to_rgb.weight.abs().max() > 0
    trainer.train_step(0.1)  # as if the run was resumed with more images
    assert torch.equal(first, generator.first.network.layers[0].get_parameter("weight")), (
        "there is no way back"
    )
