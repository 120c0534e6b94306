"""DCGAN (Radford et al. 2016): strided and transposed convolutions, batch norm except at the
generator's end and the discriminator's start, ReLU and leaky ReLU, weights from normal(0, 0.02).

At 96 pixels the layers between 32 and 96 pixels have kernel 5 and stride 3, as in the AnimeGAN of
the book.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from train.lineage.networks import base
from train.lineage.networks.blocks import ResidualBlock, ResidualUpscaling

SIDE = 4
"""Side of the smallest maps in pixels."""


class DCGANGenerator(base.LineageGenerator):
    def __init__(
        self,
        image_size: int,
        latent_dim: int,
        values: Sequence[int] = (),
        width: int = 64,
        residual: bool = False,
    ) -> None:
        """`width` is the number of channels of the largest maps; it doubles with each halving.
        `residual` replaces the transposed convolutions between the first and the last by residual
        blocks.
        """
        super().__init__(image_size, latent_dim)
        channels = _channels(image_size, width)[::-1]
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(latent_dim + sum(values), channels[0], SIDE, bias=False)
        ]
        for a, b in pairwise(channels):
            if residual:
                layers.append(ResidualUpscaling(a, b))
            else:
                layers += [*_norm_and_relu(a), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)]
        end = (5, 3, 1) if image_size == 96 else (4, 2, 1)
        layers += [
            *_norm_and_relu(channels[-1]),
            nn.ConvTranspose2d(channels[-1], 3, *end, bias=False),
        ]
        self.layers = nn.Sequential(*layers)
        self.apply(base.initialize_normal)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        return torch.tanh(self.before_tanh(self.concatenate(latent, condition)))

    def before_tanh(self, inputs: Tensor) -> Tensor:
        """Shaped latents and conditions [N, Z + C] to the output before the tanh, [N, 3, S, S]."""
        x: Tensor = self.layers(inputs[:, :, None, None])
        return x


class DCGANDiscriminator(base.LineageDiscriminator):
    def __init__(
        self,
        image_size: int,
        values: Sequence[int] = (),
        width: int = 64,
        conditioning: base.Conditioning = "none",
        heads: base.Heads = "none",
        norm: base.Norm = "batch",
    ) -> None:
        super().__init__(image_size, values, conditioning, heads)
        self.encoder_layers, features = encoder_layers(image_size, self.planes, width, norm)
        self.add_heads(
            features,
            lambda: DCGANDiscriminator(image_size, values, width, "auxiliary", "linear", norm),
        )
        self.apply(base.initialize_normal)

    def without_outer_biases(self) -> "DCGANDiscriminator":
        """Removes the biases of the first convolution and of the score."""
        for layer in (self.encoder_layers[0], self.score_head):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.register_parameter("bias", None)
        return self

    def extract(self, planes: Tensor) -> Tensor:
        features: Tensor = self.encoder_layers(planes)
        return features


def encoder_layers(
    image_size: int, planes: int, width: int, norm: base.Norm, blocks: int = 0
) -> tuple[nn.Sequential, int]:
    """Layers from images [N, planes, S, S] to features [N, F], and F. `blocks` is the number of
    residual blocks on the smallest maps.
    """
    channels = _channels(image_size, width)
    start = (5, 3, 1) if image_size == 96 else (4, 2, 1)
    layers: list[nn.Module] = [nn.Conv2d(planes, width, *start), nn.LeakyReLU(0.2)]
    for a, b in pairwise(channels):
        layers += [
            nn.Conv2d(a, b, 4, 2, 1, bias=norm in ("none", "spectral")),
            base.norm(norm, b),
            nn.LeakyReLU(0.2),
        ]
    residual = (ResidualBlock(channels[-1]) for _ in range(blocks))
    return nn.Sequential(*layers, *residual, nn.Flatten()), channels[-1] * SIDE**2


def _norm_and_relu(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU()]


def _channels(image_size: int, width: int) -> list[int]:
    """Channels from the largest maps down to those of 4 pixels."""
    largest = image_size // 3 if image_size == 96 else image_size // 2
    return [width << step for step in range((largest // SIDE).bit_length())]
