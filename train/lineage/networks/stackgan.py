"""Two stages (StackGAN, Zhang et al. 2017): a DCGAN that generates 64 pixels, and a
second, conditional stage that refines its images to 128. The second is trained after the first.

The second stage adds a correction to the enlarged image. It is initialized to zero, so that the
whole network generates 128 pixels from the beginning.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.lineage.networks import base, dcgan
from train.lineage.networks.srresnet import ResidualBlock

SIZE, FIRST = 128, 64
BLOCKS = 2
"""Number of residual blocks, as in the paper for images of 128 pixels."""


class Refiner(nn.Module):
    """From 64 pixels down to 16, where the condition is concatenated, and up to 128."""

    def __init__(self, condition_dim: int, width: int) -> None:
        super().__init__()
        channels = 4 * width
        self.enter = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            *(nn.BatchNorm2d(2 * width), nn.ReLU()),
            nn.Conv2d(2 * width, channels, 4, 2, 1, bias=False),
            *(nn.BatchNorm2d(channels), nn.ReLU()),
        )
        self.join = nn.Sequential(
            nn.Conv2d(channels + condition_dim, channels, 3, padding=1, bias=False),
            *(nn.BatchNorm2d(channels), nn.ReLU()),
        )
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(BLOCKS)))
        grow: list[nn.Module] = []
        for _ in range(3):
            grow += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(channels, channels // 2, 3, padding=1, bias=False),
                *(nn.BatchNorm2d(channels // 2), nn.ReLU()),
            ]
            channels //= 2
        self.grow = nn.Sequential(*grow)
        self.to_rgb = nn.Conv2d(channels, 3, 3, padding=1)
        self.apply(base.initialize_normal)
        nn.init.zeros_(self.to_rgb.weight)

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """Images [N, 3, 64, 64] to corrections [N, 3, 128, 128], before the tanh."""
        x = self.enter(image)
        planes = condition[:, :, None, None].expand(-1, -1, *x.shape[2:])
        x = self.blocks(self.join(torch.cat([x, planes], dim=1)))
        correction: Tensor = self.to_rgb(self.grow(x))
        return correction


class StackGANGenerator(base.LineageGenerator):
    refining: Tensor

    def __init__(
        self, image_size: int, latent_dim: int, values: Sequence[int] = (), width: int = 64
    ) -> None:
        """Raises ValueError for sizes other than 128."""
        if image_size != SIZE:
            raise ValueError(f"stackgan generates {SIZE} pixels, not {image_size}")
        super().__init__(image_size, latent_dim)
        self.first = dcgan.DCGANGenerator(FIRST, latent_dim, values, width)
        self.second = Refiner(sum(values), width)
        self.register_buffer("refining", torch.zeros((), dtype=torch.bool))

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        # The first stage multiplies by its own latent scale.
        coarse = self.first.before_tanh(
            latent * (self.latent_scale / self.first.latent_scale), condition
        )
        large = F.interpolate(coarse, scale_factor=2.0, mode="bilinear")
        return torch.tanh(large + self.second(torch.tanh(coarse), condition))

    def set_training_scale(self, deviation: float) -> None:
        super().set_training_scale(deviation)
        self.first.set_training_scale(deviation)

    def trainable_stage(self, refine: bool) -> base.LineageGenerator:
        """The part to train: the first stage, or the whole with a frozen first stage.

        Once the second stage has begun, the first one stays frozen.
        """
        self.refining.logical_or_(torch.tensor(refine))
        if not self.refining:
            return self.first
        self.first.requires_grad_(False)
        return self


class StackGANDiscriminator(base.LineageDiscriminator):
    """A discriminator for the images of each stage."""

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
        self.first, self.second = (
            dcgan.DCGANDiscriminator(
                size, values, width // (size // FIRST), conditioning, heads, norm
            )
            for size in (FIRST, image_size)
        )

    def forward(self, image: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        stage = self.first if image.shape[-1] == FIRST else self.second
        scores: tuple[Tensor, list[Tensor]] = stage(image, condition)
        return scores
