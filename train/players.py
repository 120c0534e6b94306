"""The two networks that settings name."""

from collections.abc import Sequence
from functools import partial

from train.networks import autoencoder, base, dcgan, irodori, mlp, r3gan, srresnet, stackgan
from train.settings import TrainSettings


def build_generator(settings: TrainSettings, values: Sequence[int]) -> base.Generator:
    """With fresh weights, for attributes with so many values each."""
    values = values if settings.conditioning != "none" else ()
    shape = (settings.resolution, settings.latent_dim, values, settings.width)
    generator: base.Generator
    match settings.generator:
        case "irodori":
            generator = irodori.Generator(*shape)
        case "mlp":
            generator = mlp.Generator(*shape)
        case "dcgan":
            generator = dcgan.Generator(*shape)
        case "srresnet":
            generator = srresnet.Generator(*shape, blocks=settings.blocks)
        case "r3gan":
            generator = r3gan.Generator(*shape)
        case "stackgan":
            generator = stackgan.Generator(*shape)
    if settings.reconstruction_weight:
        shrinking = srresnet.shrinking if settings.generator == "srresnet" else dcgan.shrinking
        generator = autoencoder.Generator(
            generator,
            partial(shrinking, settings.resolution, width=settings.width, norm="batch"),
        )
    generator.deviate(settings.latent_deviation)
    return generator


def build_discriminator(settings: TrainSettings, values: Sequence[int]) -> base.Discriminator:
    """With fresh weights, for attributes with so many values each."""
    conditioning, heads = settings.conditioning, settings.heads
    norm = settings.discriminator_norm
    shape = (settings.resolution, values, settings.width, conditioning, heads)
    match settings.discriminator:
        case "irodori":
            return irodori.Discriminator(
                settings.resolution,
                values,
                settings.width,
                group=settings.group,
                conditioning=conditioning,
                heads=heads,
            )
        case "mlp":
            return mlp.Discriminator(*shape)
        case "dcgan":
            return dcgan.Discriminator(*shape, norm=norm)
        case "srresnet":
            return srresnet.Discriminator(*shape, norm=norm)
        case "r3gan":
            return r3gan.Discriminator(*shape)
        case "autoencoder":
            return autoencoder.Discriminator(*shape, norm=norm)
        case "stackgan":
            return stackgan.Discriminator(*shape, norm=norm)
