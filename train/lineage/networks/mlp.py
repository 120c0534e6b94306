"""The networks of the first GAN (Goodfellow et al. 2014): fully connected, with maxout in the
discriminator. Sizes are those of the authors' code for MNIST.

The discriminator has no dropout, which algorithm 1 does without. The authors' code keeps inputs
with a probability of 0.8 and hidden units with 0.5.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from train.lineage.networks import base

PIECES = 5
"""Number of inputs of a maxout unit (Goodfellow et al. 2013)."""


class MLPGenerator(base.LineageGenerator):
    def __init__(
        self, image_size: int, latent_dim: int, values: Sequence[int] = (), width: int = 1200
    ) -> None:
        """`width` is the number of units of the two hidden layers."""
        super().__init__(image_size, latent_dim)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim + sum(values), width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, 3 * image_size**2),
        )
        _uniform(self, 0.05)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        pixels = torch.tanh(self.layers(self.concatenate(latent, condition)))
        return pixels.view(-1, 3, self.image_size, self.image_size)


class MLPDiscriminator(base.LineageDiscriminator):
    def __init__(
        self,
        image_size: int,
        values: Sequence[int] = (),
        width: int = 1200,
        conditioning: base.Conditioning = "none",
        heads: base.Heads = "none",
    ) -> None:
        """`width` is the number of pieces of a layer, which has width / PIECES units."""
        super().__init__(image_size, values, conditioning, heads)
        pieces = max(1, width // PIECES) * PIECES
        self.first = nn.Linear(self.planes * image_size**2, pieces)
        self.second = nn.Linear(pieces // PIECES, pieces)
        self.add_heads(
            pieces // PIECES,
            lambda: MLPDiscriminator(image_size, values, width, "auxiliary", "linear"),
        )
        _uniform(self, 0.005)

    def extract(self, planes: Tensor) -> Tensor:
        return _maxout(self.second(_maxout(self.first(planes.flatten(1)))))


def _maxout(pieces: Tensor) -> Tensor:
    return torch.unflatten(pieces, 1, (-1, PIECES)).amax(dim=2)


def _uniform(network: nn.Module, bound: float) -> None:
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.uniform_(module.weight, -bound, bound)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
