"""The default networks: a small DCGAN architecture with the condition in every block.

Chosen by quality per hour on two CPU cores: many updates of small networks are better than fewer
updates of residual networks (docs/experiments.md).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.networks import base
from train.settings import NetworkSettings


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose scale and shift are linear in a style vector (de Vries et al. 2017)."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=0.05)
        self.affine = nn.Linear(style_dim, 2 * channels)
        nn.init.normal_(self.affine.weight, 0.0, 0.02)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N, C, H, W] and [N, D] to [N, C, H, W]."""
        scale, shift = self.affine(style).unsqueeze(-1).unsqueeze(-1).chunk(2, dim=1)
        return torch.addcmul(shift, self.norm(x), 1 + scale)


class Blur(nn.Module):
    """A fixed binomial filter that removes the checkerboard pattern of a strided transposed
    convolution (Odena et al. 2016; the filter is that of StyleGAN, Karras et al. 2019).
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


class RefinementBlock(nn.Module):
    """A residual block at one size (He et al. 2016), modulated by the style vector.

    Its last convolution starts at zero (Goyal et al. 2017, section 5.1), so that a generator to
    which blocks are added paints the same images at first.
    """

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ConditionalBatchNorm(channels, style_dim) for _ in range(2))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2)
        )

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N, C, H, W] and [N, D] to [N, C, H, W]."""
        change = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            change = convolution(F.relu(norm(change, style)))
        return x + change


class IrodoriGenerator(base.Generator):
    """Every block is modulated by a style vector: the latent and a linear embedding of the
    condition. Since it is linear, mixtures of conditions are interpolated.
    """

    def __init__(
        self,
        image_size: int = 64,
        latent_dim: int = 96,
        values: Sequence[int] = (),
        width: int = 32,
        depth: int = 0,
        embedding: int = 32,
    ) -> None:
        """`values` are the numbers of values of the attributes; empty for unconditional images.

        `width` is the number of channels at half the image size; it doubles with each halving of
        the size, up to 8 × width. `depth` is the number of refinement blocks at each size between
        the smallest one and that of the image.
        """
        super().__init__(image_size, latent_dim)
        condition_dim = sum(values)
        self.embedding = nn.Linear(condition_dim, embedding, bias=False) if condition_dim else None
        style_dim = latent_dim + (embedding if condition_dim else 0)
        channels = [*_channels(image_size, width)[::-1], width // 2]
        self.side = image_size >> (len(channels) - 1)
        self.start = nn.Linear(style_dim, channels[0] * self.side**2)
        self.norms = nn.ModuleList(ConditionalBatchNorm(c, style_dim) for c in channels)
        self.upsample = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False)
            for a, b in pairwise(channels)
        )
        self.refine = nn.ModuleList(
            nn.ModuleList(RefinementBlock(c, style_dim) for _ in range(depth))
            for c in channels[1:-1]
        )
        # Only at the full size: at lower ones the filter reduces sharpness.
        self.blur = Blur(channels[-1])
        self.to_rgb = nn.Conv2d(channels[-1], 3, 3, padding=1)
        self.apply(_initialize)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        style = latent * self.latent_scale
        if self.embedding is not None:
            style = torch.cat([style, self.embedding(condition)], dim=1)
        x = self.start(style).view(latent.shape[0], -1, self.side, self.side)
        for step, upsample in enumerate(self.upsample):
            x = upsample(F.relu(self.norms[step](x, style)))
            if step < len(self.refine):
                for block in cast(nn.ModuleList, self.refine[step]):
                    x = block(x, style)
        x = F.relu(self.norms[-1](self.blur(x), style))
        return torch.tanh(self.to_rgb(x))


class IrodoriDiscriminator(base.Discriminator):
    """Scores images under a condition (projection, Miyato & Koyama 2018), and classifies them.

    Without normalization layers, so that the gradient penalty is defined for each image, except for
    the deviation of the features within `group` consecutive images of the same condition. It lets
    the discriminator detect a lack of diversity (as in Karras et al. 2018, section 3).
    """

    def __init__(
        self,
        image_size: int = 64,
        values: Sequence[int] = (),
        width: int = 32,
        features: int = 256,
        group: int = 2,
    ) -> None:
        super().__init__(image_size, values)
        self.group = group
        channels = [3, *_channels(image_size, width)]
        self.downsample = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(channels)
        )
        side = image_size >> (len(channels) - 1)
        self.features = nn.Linear(channels[-1] * side**2, features)
        self.score = nn.Linear(features, 1)
        self.deviation = nn.Linear(features, 1, bias=False)
        self.projection = nn.Linear(sum(values), features, bias=False) if values else None
        self.heads = nn.ModuleList(nn.Linear(features, size) for size in values)
        self.apply(_initialize)

    def forward(self, image: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        """N must be a multiple of `group`."""
        x = image
        for downsample in self.downsample:
            x = F.leaky_relu(downsample(x), 0.2)
        x = F.leaky_relu(self.features(x.flatten(1)), 0.2)
        grouped = x.view(-1, self.group, x.shape[1])
        deviation = (grouped.var(dim=1, unbiased=False) + 1e-8).sqrt()
        score = self.score(x).squeeze(1)
        score = score + self.deviation(deviation).repeat_interleave(self.group, dim=0).squeeze(1)
        if self.projection is not None:
            score = score + (self.projection(condition) * x).sum(dim=1) / x.shape[1] ** 0.5
        # float32, because the loss subtracts scores from each other.
        return score.float(), [head(x) for head in self.heads]


def build_networks(
    settings: NetworkSettings, values: Sequence[int], group: int
) -> dict[str, nn.Module]:
    """`generator` and `discriminator` with initial weights."""
    resolution, width = settings.resolution, settings.width
    return {
        "generator": IrodoriGenerator(
            resolution, settings.latent_dim, values, width, settings.depth
        ),
        "discriminator": IrodoriDiscriminator(resolution, values, width, group=group),
    }


def _channels(image_size: int, width: int) -> list[int]:
    """Channels from half the image size down to 4 or 6 pixels: width, doubled up to 8 × width."""
    steps = (image_size // 4).bit_length() - 1
    return [width * min(2**step, 8) for step in range(steps)]


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, RefinementBlock):  # after its convolutions
        nn.init.zeros_(module.convolutions[-1].get_parameter("weight"))
