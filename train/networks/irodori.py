"""Our own networks, the default: a cheap DCGAN shape with the condition in every block.

Chosen by quality per hour on two CPU cores: many small updates of cheap networks beat fewer
updates of residual ones (see the README's "What we measured").
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import train.networks.base as base


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose scale and shift are linear in a style vector (de Vries et al. 2017)."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=0.05)
        self.affine = nn.Linear(style_dim, 2 * channels)
        nn.init.normal_(self.affine.weight, 0.0, 0.02)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N, C, H, W] and [N, S] to [N, C, H, W]."""
        scale, shift = self.affine(style).unsqueeze(-1).unsqueeze(-1).chunk(2, dim=1)
        return torch.addcmul(shift, self.norm(x), 1 + scale)


class Smooth(nn.Module):
    """A fixed binomial filter: takes out the chequered pattern that a strided transposed
    convolution leaves (Odena et al. 2016; the filter is that of StyleGAN, Karras et al. 2019).
    """

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        kernel = (line[:, None] * line).repeat(channels, 1, 1, 1)
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv2d(x, self.kernel, groups=x.shape[1])


class Generator(base.Generator):
    """Latent and condition enter every block: the style vector is the latent beside a linear
    embedding of the condition, so that a condition half pink and half blue is the middle between
    the two.
    """

    def __init__(
        self,
        image_size: int = 64,
        latent_dim: int = 96,
        values: Sequence[int] = (),
        width: int = 32,
        embedding: int = 32,
    ) -> None:
        """`values` is the number of values of each attribute; none for an unconditional one.

        `width` is the number of channels at half the picture's size; it doubles with each halving
        of the size, up to 8 × width.
        """
        super().__init__(image_size, latent_dim)
        condition_dim = sum(values)
        self.embed = nn.Linear(condition_dim, embedding, bias=False) if condition_dim else None
        style_dim = latent_dim + (embedding if condition_dim else 0)
        channels = [*_channels(image_size, width)[::-1], width // 2]
        self.side = image_size >> (len(channels) - 1)
        self.start = nn.Linear(style_dim, channels[0] * self.side**2)
        self.norms = nn.ModuleList(ConditionalBatchNorm(c, style_dim) for c in channels)
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False)
            for a, b in pairwise(channels)
        )
        # At the full size only, where the pattern shows; further down it costs sharpness.
        self.smooth = Smooth(channels[-1])
        self.to_rgb = nn.Conv2d(channels[-1], 3, 3, padding=1)
        self.apply(_initialise)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Latent [N, Z] and condition [N, C], both float32, to pictures [N, 3, S, S] in -1…1."""
        style = latent * self.spread
        if self.embed is not None:
            style = torch.cat([style, self.embed(condition)], dim=1)
        x = self.start(style).view(latent.shape[0], -1, self.side, self.side)
        for norm, grow in zip(self.norms, self.grow, strict=False):
            x = grow(F.relu(norm(x, style)))
        x = self.norms[-1](self.smooth(x), style)
        return torch.tanh(self.to_rgb(F.relu(x)))


class Discriminator(base.Discriminator):
    """Judges realness under a condition, and names the values.

    No normalisation, so that a gradient penalty sees each picture alone but for one thing: the
    deviation of the features within a group of `group` neighbours, which all have one condition
    (the idea of Karras et al. 2018, section 3): a generator that repeats itself is found out.
    """

    def __init__(
        self,
        image_size: int = 64,
        values: Sequence[int] = (),
        width: int = 32,
        features: int = 256,
        group: int = 2,
        conditioning: base.Conditioning = "projection",
        heads: base.Heads = "linear",
    ) -> None:
        super().__init__(image_size, values, conditioning, heads)
        self.group = group
        channels = [self.planes, *_channels(image_size, width)]
        self.shrink = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(channels)
        )
        side = image_size >> (len(channels) - 1)
        self.features = nn.Linear(channels[-1] * side**2, features)
        self.realness = base.head(features, 1, heads)
        self.deviation: nn.Module = nn.Linear(features, 1, bias=False)
        self.project = self.projection(features)
        self.heads = self.naming_heads(features)
        if heads == "network" and self.values:
            another = Discriminator(
                image_size, values, width, features, conditioning="auxiliary", heads="linear"
            )
            another.deviation = nn.Identity()
            self.namer = another.only_naming()
        self.apply(_initialise)

    def look(self, planes: Tensor) -> Tensor:
        x = planes
        for shrink in self.shrink:
            x = F.leaky_relu(shrink(x), 0.2)
        return F.leaky_relu(self.features(x.flatten(1)), 0.2)

    def score(self, features: Tensor, condition: Tensor) -> Tensor:
        """N must be a multiple of `group`."""
        grouped = features.view(-1, self.group, features.shape[1])
        deviation = (grouped.var(dim=1, unbiased=False) + 1e-8).sqrt()
        score = self.realness(features).squeeze(1)
        score = score + self.deviation(deviation).repeat_interleave(self.group, dim=0).squeeze(1)
        if self.project is not None:
            score = score + self.agreement(features, condition)
        return score


def _channels(image_size: int, width: int) -> list[int]:
    """Channels from half the picture's size down to 4 or 6: width, doubled up to 8 × width."""
    steps = (image_size // 4).bit_length() - 1
    return [width * min(2**step, 8) for step in range(steps)]


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
