"""StackGAN: stages, learning rate, widths and the embedding of the condition."""

import math

import pytest
import torch
from small_recipes import channels, faces, modules, networks, settings_of, small
from torch import nn

from train.lineage.networks.blocks import ResidualBlock
from train.lineage.networks.stackgan import StackGANDiscriminator, StackGANGenerator
from train.models import build_trainer


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
