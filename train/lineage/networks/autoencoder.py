"""Autoencoders: the discriminator of EBGAN (Zhao et al. 2017), and generators with an encoder."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from train.lineage.networks import base

WIDEST = 4
"""Channels of the code, relative to those at half the image size."""


class AutoencoderDiscriminator(base.LineageDiscriminator):
    """The score is the negative energy −‖Dec(Enc(x)) − x‖ (Zhao et al. 2017, eq. 13): higher for
    better reconstructions.
    """

    def __init__(
        self,
        image_size: int,
        values: Sequence[int] = (),
        width: int = 64,
        conditioning: base.Conditioning = "none",
        heads: base.Heads = "none",
        norm: base.Norm = "batch",
    ) -> None:
        """`width` is the number of channels at half the size. The encoder halves the size three
        times; the channels double up to 4 × width.
        """
        super().__init__(image_size, values, conditioning, heads)
        channels = [width, 2 * width, WIDEST * width]
        layers: list[nn.Module] = [nn.Conv2d(self.planes, width, 4, 2, 1)]
        for a, b in pairwise(channels):
            layers += [nn.LeakyReLU(0.2), nn.Conv2d(a, b, 4, 2, 1), base.norm(norm, b)]
        self.encoder = nn.Sequential(*layers)
        layers = []
        for a, b in pairwise(channels[::-1]):
            layers += [nn.LeakyReLU(0.2), nn.ConvTranspose2d(a, b, 4, 2, 1), base.norm(norm, b)]
        self.decoder = nn.Sequential(
            *layers, nn.LeakyReLU(0.2), nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Tanh()
        )
        features = WIDEST * width * (image_size // 8) ** 2
        self.add_heads(
            features,
            lambda: AutoencoderDiscriminator(
                image_size, values, width, "auxiliary", "linear", norm
            ),
        )
        self.score_head = nn.Identity()  # the score is the energy, without a layer
        self.apply(base.initialize_normal)

    def forward(self, image: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        code = self.encoder(self.join_condition(image, condition))
        energy = (self.decoder(code) - image).float().square().sum(dim=(1, 2, 3)).add(1e-8).sqrt()
        if self.classifier is not None:
            return -energy, self.classifier.classify(image)
        return -energy, [head(code.flatten(1)) for head in self.heads]

    def extract(self, planes: Tensor) -> Tensor:
        code: Tensor = self.encoder(planes)
        return code.flatten(1)


class AutoencoderGenerator(base.LineageGenerator):
    """A generator, used as the decoder, with an encoder from images to latents.

    A batch norm without weights gives each dimension of encoded latents the mean 0 and deviation 1
    of random latents.
    """

    def __init__(
        self,
        decoder: base.LineageGenerator,
        encoder_layers: Callable[[int], tuple[nn.Sequential, int]],
    ) -> None:
        """`encoder_layers` maps a number of planes to layers and the number of their features."""
        super().__init__(decoder.image_size, decoder.latent_dim)
        self.decoder = decoder
        layers, features = encoder_layers(3)
        self.encoder = nn.Sequential(
            layers,
            nn.Linear(features, decoder.latent_dim),
            nn.BatchNorm1d(decoder.latent_dim, affine=False),
        )
        self.encoder.apply(base.initialize_normal)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        image: Tensor = self.decoder(self.shape_latent(latent), condition)
        return image

    def encode(self, image: Tensor) -> Tensor:
        """Images [N, 3, S, S] in -1…1 to latents [N, Z]."""
        latents: Tensor = self.encoder(image)
        return latents

    def generate_and_reconstruct(
        self, latent: Tensor, condition: Tensor, image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Decodes random latents [N, Z] and encoded images [N, 3, S, S] as one batch.

        The dimensions of encoded latents are correlated, and the decoder's activations vary more
        than with random latents. If each kind were decoded in a batch of its own, the running
        statistics of batch norm would fit neither, and a trained generator would be pale.
        """
        latents = torch.cat([self.shape_latent(latent), self.encode(image) * self.training_scale])
        generated, reconstructed = self.decoder(latents, condition.repeat(2, 1)).chunk(2)
        return generated, reconstructed

    def reconstruct(self, image: Tensor, condition: Tensor) -> Tensor:
        """Encodes and decodes images [N, 3, S, S] in -1…1."""
        decoded: Tensor = self.decoder(self.encode(image) * self.training_scale, condition)
        return decoded
