"""Builds the networks of a classical recipe."""

from collections.abc import Sequence
from functools import partial

from train.lineage.networks import autoencoder, base, dcgan, mlp, r3gan, srresnet, stackgan
from train.settings import LineageSettings, NetworkSettings


def build_generator(
    network: NetworkSettings, lineage: LineageSettings, values: Sequence[int]
) -> base.LineageGenerator:
    """With initial weights; `values` are the numbers of values of the attributes."""
    values = values if lineage.conditioning != "none" else ()
    shape = (network.resolution, network.latent_dim, values, network.width)
    generator: base.LineageGenerator
    match lineage.generator:
        case "mlp":
            generator = mlp.MLPGenerator(*shape)
        case "dcgan":
            generator = dcgan.DCGANGenerator(*shape)
        case "srresnet":
            generator = srresnet.SRResNetGenerator(*shape, blocks=lineage.blocks)
        case "r3gan":
            generator = r3gan.R3GANGenerator(*shape)
        case "stackgan":
            generator = stackgan.StackGANGenerator(*shape)
    if lineage.reconstruction_weight:
        family = srresnet if lineage.generator == "srresnet" else dcgan
        generator = autoencoder.AutoencoderGenerator(
            generator,
            partial(family.encoder_layers, network.resolution, width=network.width, norm="batch"),
        )
    generator.set_training_scale(lineage.latent_deviation)
    return generator


def build_discriminator(
    network: NetworkSettings, lineage: LineageSettings, values: Sequence[int]
) -> base.LineageDiscriminator:
    """With initial weights; `values` are the numbers of values of the attributes."""
    norm = lineage.discriminator_norm
    shape = (*(network.resolution, values, network.width, lineage.conditioning, lineage.heads),)
    match lineage.discriminator:
        case "mlp":
            return mlp.MLPDiscriminator(*shape)
        case "dcgan":
            return dcgan.DCGANDiscriminator(*shape, norm=norm)
        case "srresnet":
            return srresnet.SRResNetDiscriminator(*shape, norm=norm)
        case "r3gan":
            return r3gan.R3GANDiscriminator(*shape)
        case "autoencoder":
            return autoencoder.AutoencoderDiscriminator(*shape, norm=norm)
        case "stackgan":
            return stackgan.StackGANDiscriminator(*shape, norm=norm)
