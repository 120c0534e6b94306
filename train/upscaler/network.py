"""The network of the upscaler: SRResNet (Ledig et al. 2017) without batch norm, reduced for CPUs.

All convolutions except the last one operate at the input size.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SCALE = 4


class Block(nn.Module):
    """A residual block without normalization (Lim et al. 2017, EDSR)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        change: Tensor = self.second(F.leaky_relu(self.first(x), 0.1))
        return x + change


class Upscaler(nn.Module):
    """Enlarges images four times in width and height.

    The network learns the difference to bilinear interpolation.
    """

    def __init__(self, width: int = 48, blocks: int = 8) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.trunk = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.grow = nn.Conv2d(width, 4 * (width // 2), 3, padding=1)
        self.to_rgb = nn.Conv2d(width // 2, 4 * 3, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, 0.1)
                nn.init.zeros_(cast(Tensor, module.bias))
        # Small initial weights stabilize deep residual networks (Wang et al. 2018, ESRGAN, 3.1).
        # The last layer is zero, so that the network starts as an interpolation.
        with torch.no_grad():
            for name, parameter in self.trunk.named_parameters():
                if name.endswith("second.weight"):
                    parameter.mul_(0.1)
            self.to_rgb.weight.zero_()

    def forward(self, image: Tensor) -> Tensor:
        """RGB pictures [N, 3, H, W] in 0…1 to [N, 3, 4H, 4W], about in 0…1."""
        x = self.head(image)
        x = x + self.trunk(x)
        x = F.leaky_relu(F.pixel_shuffle(self.grow(x), 2), 0.1)
        x = F.pixel_shuffle(self.to_rgb(x), 2)
        return x + F.interpolate(image, scale_factor=SCALE, mode="bilinear")
