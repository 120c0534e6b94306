"""The networks of MakeGirlsMoe (Jin et al. 2017): a generator after SRResNet (Ledig et al. 2017),
and a residual discriminator without batch norm.

The original networks generate 128 pixels, from maps of 16. At 64 they have one stage less, or, as
in the report that used them, as many stages from maps of 8.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.lineage.networks import base
from train.lineage.networks.blocks import ResidualBlock


class SRResNetGenerator(base.LineageGenerator):
    """A fully connected layer, residual blocks at a low resolution with a skip connection around
    all of them, and sub-pixel convolutions (Shi et al. 2016) up to the full resolution.
    """

    def __init__(
        self,
        image_size: int,
        latent_dim: int,
        values: Sequence[int] = (),
        width: int = 64,
        blocks: int = 16,
        upscalings: int = 0,
    ) -> None:
        """`width` is the number of channels of all blocks, `upscalings` the number of sub-pixel
        convolutions; 0 = 3 at 128 pixels, else 2.
        """
        super().__init__(image_size, latent_dim)
        doublings = upscalings or (3 if image_size == 128 else 2)
        self.side = image_size >> doublings
        self.start = nn.Linear(latent_dim + sum(values), width * self.side**2)
        self.activate = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.after_blocks = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
        grow: list[nn.Module] = []
        for _ in range(doublings):
            grow += [nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2)]
            grow += [nn.BatchNorm2d(width), nn.ReLU()]
        self.grow = nn.Sequential(*grow)
        self.to_rgb = nn.Conv2d(width, 3, 9, padding=4)
        self.apply(base.initialize_normal)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        x = self.start(self.concatenate(latent, condition))
        x = torch.unflatten(x, 1, (-1, self.side, self.side))
        x = self.activate(x)
        x = x + self.after_blocks(self.blocks(x))
        return torch.tanh(self.to_rgb(self.grow(x)))


class LeakyBlock(nn.Module):
    """A residual block of the discriminator, with leaky ReLU and optional normalization."""

    def __init__(self, channels: int, norm: base.Norm) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            base.norm(norm, channels),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, channels, 3, padding=1),
            base.norm(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        return F.leaky_relu(x + self.layers(x), 0.2)


class SRResNetDiscriminator(base.LineageDiscriminator):
    def __init__(
        self,
        image_size: int,
        values: Sequence[int] = (),
        width: int = 64,
        conditioning: base.Conditioning = "none",
        heads: base.Heads = "none",
        norm: base.Norm = "none",
    ) -> None:
        """Half of `width` is the number of channels at half the size; it doubles with each halving
        of the size.
        """
        super().__init__(image_size, values, conditioning, heads)
        self.encoder_layers, features = encoder_layers(image_size, self.planes, width, norm)
        self.add_heads(
            features,
            lambda: SRResNetDiscriminator(image_size, values, width, "auxiliary", "linear", norm),
        )
        self.apply(base.initialize_normal)

    def extract(self, planes: Tensor) -> Tensor:
        features: Tensor = self.encoder_layers(planes)
        return features


def encoder_layers(
    image_size: int, planes: int, width: int, norm: base.Norm
) -> tuple[nn.Sequential, int]:
    """Layers from images [N, planes, S, S] to features [N, F], and F.

    There are two residual blocks after each halving except the last, which ends at 2 or 3 pixels.
    """
    halvings = (image_size // 2).bit_length() - 1
    channels = [planes, *(width // 2 << step for step in range(halvings))]
    layers: list[nn.Module] = []
    for step, (a, b) in enumerate(pairwise(channels)):
        kernel = 4 if step < 3 else 3
        layers += [nn.Conv2d(a, b, kernel, stride=2, padding=1), nn.LeakyReLU(0.2)]
        if step < halvings - 1:
            layers += [LeakyBlock(b, norm), LeakyBlock(b, norm)]
    return nn.Sequential(*layers, nn.Flatten()), channels[-1] * (image_size >> halvings) ** 2
