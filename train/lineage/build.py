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
            generator = dcgan.DCGANGenerator(*shape, residual=lineage.residual)
        case "srresnet":
            blocks, upscalings = lineage.blocks, lineage.upscalings
            generator = srresnet.SRResNetGenerator(*shape, blocks=blocks, upscalings=upscalings)
        case "r3gan":
            generator = r3gan.R3GANGenerator(*shape)
        case "stackgan":
            embedding = lineage.condition_embedding if values else 0
            generator = stackgan.StackGANGenerator(*shape, embedding=embedding)
    if lineage.reconstruction_weight:
        layers = (
            srresnet.encoder_layers
            if lineage.generator == "srresnet"
            else partial(dcgan.encoder_layers, blocks=lineage.encoder_blocks)
        )
        generator = autoencoder.AutoencoderGenerator(
            generator, partial(layers, network.resolution, width=network.width, norm="batch")
        )
    if lineage.initialization == "pytorch":
        generator.apply(base.initialize_as_pytorch)
    generator.set_latents(lineage.latents, lineage.latent_deviation)
    return generator


def build_discriminator(
    network: NetworkSettings, lineage: LineageSettings, values: Sequence[int]
) -> base.LineageDiscriminator:
    """With initial weights; `values` are the numbers of values of the attributes."""
    discriminator = _discriminator(network, lineage, values)
    discriminator.replace_deep_heads(lineage.head_units)
    if lineage.initialization == "pytorch":
        discriminator.apply(base.initialize_as_pytorch)
    elif lineage.discriminator_deviation != base.DEVIATION:
        deviation = lineage.discriminator_deviation
        discriminator.apply(partial(base.initialize_normal, deviation=deviation))
    if lineage.discriminator_norm == "spectral":
        base.normalize_spectrally(discriminator)
    return discriminator


def _discriminator(
    network: NetworkSettings, lineage: LineageSettings, values: Sequence[int]
) -> base.LineageDiscriminator:
    norm, width = lineage.discriminator_norm, lineage.discriminator_width or network.width
    shape = (*(network.resolution, values, width, lineage.conditioning, lineage.heads),)
    match lineage.discriminator:
        case "mlp":
            return mlp.MLPDiscriminator(*shape)
        case "dcgan":
            found = dcgan.DCGANDiscriminator(*shape, norm=norm)
            return found if lineage.outer_biases else found.without_outer_biases()
        case "srresnet":
            return srresnet.SRResNetDiscriminator(*shape, norm=norm)
        case "r3gan":
            return r3gan.R3GANDiscriminator(*shape)
        case "autoencoder":
            return autoencoder.AutoencoderDiscriminator(*shape, norm=norm)
        case "stackgan":
            return stackgan.StackGANDiscriminator(*shape, norm=norm)
