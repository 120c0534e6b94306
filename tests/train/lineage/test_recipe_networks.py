"""Networks, initial weights and updates of each recipe, compared with its text."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_recipes import VALUES, channels, faces, modules, networks, settings_of, small
from torch import Tensor, nn

from train.lineage.build import build_discriminator, build_generator
from train.lineage.networks.autoencoder import AutoencoderGenerator
from train.lineage.networks.blocks import ResidualBlock
from train.lineage.networks.dcgan import DCGANDiscriminator
from train.lineage.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from train.lineage.networks.srresnet import LeakyBlock
from train.models import build_trainer
from train.settings import LineageSettings


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
