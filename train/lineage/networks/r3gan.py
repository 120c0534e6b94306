"""The networks of R3GAN (Huang et al. 2024), without normalization.

Stages of inverted bottleneck blocks with grouped convolutions as in ResNeXt. The initialization
controls the variance of residual branches without normalization ("Fixup", Zhang et al. 2019). The
authors' code has 384 channels at the full size of 64 pixels, and 768 below.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.lineage.networks import base

EXPANSION = 2
"""Inner channels of a block, relative to its outer channels."""
PER_GROUP = 16
"""Channels per group of the 3×3 convolution."""
BLOCKS = 2
"""Blocks of a stage."""
GAIN = math.sqrt(2 / (1 + 0.2**2))
"""Keeps the variance through a leaky ReLU (He et al. 2015)."""


class BiasedLeakyReLU(nn.Module):
    """A bias and a leaky ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        return F.leaky_relu(x + self.bias.view(1, -1, 1, 1), 0.2)


class Block(nn.Module):
    def __init__(self, channels: int, all_blocks: int) -> None:
        super().__init__()
        inner = channels * EXPANSION
        groups = max(1, inner // PER_GROUP)
        gain = GAIN * all_blocks ** (-1 / 4)  # three layers: L^(-1 / (2·3 - 2))
        self.enter = _convolution(channels, inner, 1, gain)
        self.activate = BiasedLeakyReLU(inner)
        self.mix = _convolution(inner, inner, 3, gain, groups)
        self.activate_mixed = BiasedLeakyReLU(inner)
        self.leave = _convolution(inner, channels, 1, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        change: Tensor = self.leave(self.activate_mixed(self.mix(self.activate(self.enter(x)))))
        return x + change


class R3GANGenerator(base.LineageGenerator):
    def __init__(
        self,
        image_size: int,
        latent_dim: int,
        values: Sequence[int] = (),
        width: int = 384,
        embedding: int = 64,
    ) -> None:
        """`width` is the number of channels at the full size; twice as many at lower ones."""
        super().__init__(image_size, latent_dim)
        sides, channels = _stages(image_size, width)
        self.embed = None
        if values:
            self.embed = nn.Linear(sum(values), embedding, bias=False)
            _variance(self.embed.weight, 1.0, sum(values))
        self.basis = nn.Parameter(torch.randn(channels[0], sides[0], sides[0]))
        inputs = latent_dim + (embedding if values else 0)
        self.start = nn.Linear(inputs, channels[0], bias=False)
        _variance(self.start.weight, 1.0, inputs)
        self.stages, self.change = nn.ModuleList(), nn.ModuleList()
        before = channels[0]
        for number in channels:
            self.change.append(_change(before, number))
            self.stages.append(_stage(number, BLOCKS * len(channels)))
            before = number
        self.to_rgb = _convolution(before, 3, 1, 1.0)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """There is no tanh at the end: images may slightly exceed -1…1."""
        style = self.shape_latent(latent)
        if self.embed is not None:
            style = torch.cat([style, self.embed(condition)], dim=1)
        x: Tensor = self.basis * self.start(style)[:, :, None, None]
        for number, (change, stage) in enumerate(zip(self.change, self.stages, strict=True)):
            if number:
                x = F.interpolate(change(x), scale_factor=2.0, mode="bilinear")
            x = stage(x)
        image: Tensor = self.to_rgb(x)
        return image


class R3GANDiscriminator(base.LineageDiscriminator):
    filter: Tensor

    def __init__(
        self,
        image_size: int,
        values: Sequence[int] = (),
        width: int = 384,
        conditioning: base.Conditioning = "none",
        heads: base.Heads = "none",
    ) -> None:
        super().__init__(image_size, values, conditioning, heads)
        sides, channels = _stages(image_size, width)
        channels = channels[::-1]
        self.from_rgb = _convolution(self.planes, channels[0], 1, 1.0)
        self.stages, self.change = nn.ModuleList(), nn.ModuleList()
        for number, after in zip(channels, [*channels[1:], channels[-1]], strict=True):
            self.stages.append(_stage(number, BLOCKS * len(channels)))
            self.change.append(_change(number, after))
        self.basis = _convolution(channels[-1], channels[-1], sides[0], 1.0, channels[-1], 0)
        self.register_buffer("filter", _lowpass(), persistent=False)
        self.add_heads(
            channels[-1],
            lambda: R3GANDiscriminator(image_size, values, width, "auxiliary", "linear"),
        )
        # With a projection the score is the inner product alone, of a layer's outputs.
        if self.projection is not None:
            self.score_head = nn.Linear(channels[-1], channels[-1], bias=False)
        elif isinstance(self.score_head, nn.Linear):
            self.score_head.register_parameter("bias", None)
        for layer in (self.score_head, *self.heads):
            if isinstance(layer, nn.Linear):
                _variance(layer.weight, 1.0, layer.in_features)
        if self.projection is not None:  # so that the inner product has a variance of 1
            _variance(self.projection.weight, channels[-1] ** -0.5, self.projection.in_features)

    def extract(self, planes: Tensor) -> Tensor:
        x = self.from_rgb(planes)
        for number, (stage, change) in enumerate(zip(self.stages, self.change, strict=True)):
            x = stage(x)
            if number < len(self.stages) - 1:
                x = change(self.downsample(x))
        features: Tensor = self.basis(x)
        return features.flatten(1)

    def downsample(self, x: Tensor) -> Tensor:
        """Halves the size after a low-pass filter, with zeros around the maps."""
        weight = self.filter.to(x.dtype).expand(x.shape[1], 1, -1, -1)
        return F.conv2d(x, weight, stride=2, padding=1, groups=x.shape[1])

    def score_features(self, features: Tensor, condition: Tensor) -> Tensor:
        if self.projection is None:
            return super().score_features(features, condition)
        score: Tensor = (self.score_head(features) * self.projection(condition)).sum(dim=1)
        return score


def _lowpass() -> Tensor:
    """The authors' filter: [1, 2, 1] and [1, 1], one after the other, in both directions."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return (line[:, None] * line / line.sum() ** 2)[None, None]


def _stages(image_size: int, width: int) -> tuple[list[int], list[int]]:
    """Sides and channels, from the smallest maps to the full size."""
    doublings = (image_size // 4).bit_length() - 1
    sides = [image_size >> step for step in range(doublings, -1, -1)]
    return sides, [2 * width] * doublings + [width]


def _stage(channels: int, all_blocks: int) -> nn.Sequential:
    return nn.Sequential(*(Block(channels, all_blocks) for _ in range(BLOCKS)))


def _change(before: int, after: int) -> nn.Module:
    return nn.Identity() if before == after else _convolution(before, after, 1, 1.0)


def _convolution(
    before: int, after: int, kernel: int, gain: float, groups: int = 1, padding: int | None = None
) -> nn.Conv2d:
    around = kernel // 2 if padding is None else padding
    layer = nn.Conv2d(before, after, kernel, padding=around, groups=groups, bias=False)
    _variance(layer.weight, gain, before // groups * kernel**2)
    return layer


def _variance(weight: Tensor, gain: float, inputs: int) -> None:
    """Initializes normal weights that multiply the variance by gain²."""
    nn.init.normal_(weight, 0.0, gain / math.sqrt(inputs))
