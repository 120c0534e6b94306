"""Two stages (StackGAN, Zhang et al. 2017): a DCGAN that generates 64 pixels, and a
second, conditional stage that refines its images to 128. The second is trained after the first.

The second stage adds a correction to the enlarged image. It is initialized to zero, so that the
whole network generates 128 pixels from the beginning.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.lineage.networks import base, dcgan
from train.lineage.networks.blocks import ResidualBlock

SIZE, FIRST = 128, 64
BLOCKS = 2
"""Number of residual blocks, as in the paper for images of 128 pixels."""
TEXT_DIM = 1024
"""Size of the paper's embeddings of sentences, which have labels in their place here."""


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


class ConditionEmbedding(nn.Module):
    """Conditioning augmentation: a random embedding ĉ = μ + σ ε of the condition (Zhang et al.
    2017, section 3.2), which smooths the conditions between those of the data.

    Initial weights are larger than those of the authors, in proportion to their number of inputs.
    With N(0, 0.02²) and a condition of few ones, μ would be about 0.03, and lost in the noise.
    """

    def __init__(self, condition_dim: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.layers = nn.Sequential(nn.Linear(condition_dim, 2 * size), nn.LeakyReLU(0.2))
        base.initialize_normal(self.layers[0], base.DEVIATION * (TEXT_DIM / condition_dim) ** 0.5)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        """Conditions [N, C] and noise [N, E] to embeddings [N, E]."""
        mean, log_deviation = self.moments(condition)
        return mean + log_deviation.exp() * noise

    def divergence(self, condition: Tensor) -> Tensor:
        """Kullback-Leibler divergence from the standard normal distribution, the mean over
        dimensions, as in the authors' code (eq. 2).
        """
        mean, log_deviation = self.moments(condition)
        squares = (2 * log_deviation).exp() + mean.square()
        return (squares / 2 - log_deviation - 0.5).mean()

    def moments(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ, [N, E] each."""
        mean, log_deviation = torch.chunk(self.layers(condition), 2, dim=1)
        return mean, log_deviation


class FirstStage(base.LineageGenerator):
    """A DCGAN of 64 pixels, whose condition may be embedded."""

    def __init__(self, latent_dim: int, values: Sequence[int], width: int, embedding: int) -> None:
        super().__init__(FIRST, latent_dim)
        self.embed = ConditionEmbedding(sum(values), embedding) if embedding else None
        inputs = (embedding,) if embedding else tuple(values)
        self.network = dcgan.DCGANGenerator(FIRST, latent_dim - embedding, inputs, width)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        return torch.tanh(self.before_tanh(self.shape_latent(latent), condition))

    def before_tanh(self, shaped: Tensor, condition: Tensor) -> Tensor:
        """Shaped latents to the output before the tanh, [N, 3, 64, 64]."""
        latent, embedded = embed(self.embed, shaped, condition)
        return self.network.before_tanh(torch.cat([latent, embedded], dim=1))


def embed(
    embedding: ConditionEmbedding | None, shaped: Tensor, condition: Tensor
) -> tuple[Tensor, Tensor]:
    """The latent without the embedding's noise, its last part, and the embedded condition."""
    if embedding is None:
        return shaped, condition
    latent, noise = shaped[:, : -embedding.size], shaped[:, -embedding.size :]
    return latent, embedding(condition, noise)


class StackGANGenerator(base.LineageGenerator):
    refining: Tensor

    def __init__(
        self,
        image_size: int,
        latent_dim: int,
        values: Sequence[int] = (),
        width: int = 64,
        embedding: int = 0,
    ) -> None:
        """`embedding` is the size of the random embedding of the condition, whose noise is the last
        part of the latent; 0 = the condition itself. Raises ValueError for sizes other than 128.
        """
        if image_size != SIZE:
            raise ValueError(f"stackgan generates {SIZE} pixels, not {image_size}")
        super().__init__(image_size, latent_dim)
        self.first = FirstStage(latent_dim, values, width, embedding)
        self.embed = ConditionEmbedding(sum(values), embedding) if embedding else None
        self.second = Refiner(embedding or sum(values), width)
        self.register_buffer("refining", torch.zeros((), dtype=torch.bool))

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        shaped = self.shape_latent(latent)
        coarse = self.first.before_tanh(shaped, condition)
        large = F.interpolate(coarse, scale_factor=2.0, mode="bilinear")
        _, embedded = embed(self.embed, shaped, condition)
        return torch.tanh(large + self.second(torch.tanh(coarse), embedded))

    def set_latents(self, latents: base.Latents, deviation: float) -> None:
        super().set_latents(latents, deviation)
        self.first.set_latents(latents, deviation)

    def divergence(self, condition: Tensor) -> Tensor:
        """Of the embedding of the stage that is trained, 0 without one."""
        embedding = self.embed if self.refining else self.first.embed
        return condition.new_zeros(()) if embedding is None else embedding.divergence(condition)

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *others: Any) -> None:
        """Also reads checkpoints whose first stage was a DCGAN without an embedding."""
        old, new = f"{prefix}first.", f"{prefix}first.network."
        for name in [name for name in state if name.startswith(f"{old}layers.")]:
            state[new + name.removeprefix(old)] = state.pop(name)
            state[f"{new}latent_scale"] = torch.ones(())
        super()._load_from_state_dict(state, prefix, *others)

    def trainable_stage(self, refine: bool) -> base.LineageGenerator:
        """The part to train: the first stage, or the whole with a frozen first stage.

        Once the second stage has begun, the first one stays frozen.
        """
        self.refining.logical_or_(torch.tensor(refine))
        # Also back to trainable: a diverged training may return to a checkpoint of the first stage.
        self.first.requires_grad_(not self.refining)
        return self if self.refining else self.first


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
