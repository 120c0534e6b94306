"""Base classes of the classical networks: conditioning and classification heads."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from train.networks import base as networks

Conditioning = Literal["none", "input", "auxiliary", "projection"]
"""How labels condition the discriminator: not at all; concatenated with its input (Mirza &
Osindero 2014); by classification only (Odena et al. 2017); by an inner product with its
features (Miyato & Koyama 2018)."""
Heads = Literal["none", "linear", "deep", "network"]
"""Classification heads: none, one layer, three layers, a separate network. With "deep" the score
also has three layers."""
Norm = Literal["none", "batch", "layer", "spectral"]
Latents = Literal["normal", "uniform"]

HIDDEN = (256, 256)
"""Units of the two hidden layers of a deep head."""
DEVIATION = 0.02
"""Deviation of initial weights (Radford et al. 2016)."""


class LineageGenerator(networks.Generator):
    """A generator whose recipe sets the distribution of the latents."""

    latents: Latents = "normal"

    def set_latents(self, latents: Latents, deviation: float) -> None:
        """Sets the distribution of the latents in training and its deviation."""
        self.latents, self.training_scale = latents, deviation
        self.latent_scale.fill_(deviation)

    def shape_latent(self, latent: Tensor) -> Tensor:
        """Standard normal latents [N, Z] to latents of the recipe's distribution.

        Φ(z) is uniform for a standard normal z, and 2 Φ(z) − 1 = erf(z / √2) is so in ±1; times √3
        its deviation is 1.
        """
        if self.latents == "uniform":
            latent = torch.erf(latent / math.sqrt(2)) * math.sqrt(3)
        return latent * self.latent_scale

    def concatenate(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Concatenates the latent, shaped, and the condition, [N, Z + C]."""
        return torch.cat([self.shape_latent(latent), condition], dim=1)


class LineageDiscriminator(networks.Discriminator):
    """Subclasses implement `extract`, and call `add_heads` after creating their layers."""

    score_head: nn.Module
    projection: nn.Linear | None
    heads: nn.ModuleList

    def __init__(
        self, image_size: int, values: Sequence[int], conditioning: Conditioning, heads: Heads
    ) -> None:
        values = tuple(values) if conditioning != "none" else ()
        super().__init__(image_size, values if heads != "none" else ())
        self.values, self.conditioning, self.head_kind = values, conditioning, heads
        self.classifier: LineageDiscriminator | None = None
        """The separate network that classifies, if any."""
        self.planes = 3 + (sum(self.values) if conditioning == "input" else 0)

    def forward(self, image: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = self.extract(self.join_condition(image, condition))
        # float32, because losses subtract scores from each other.
        score = self.score_features(features, condition).float()
        if self.classifier is not None:
            return score, self.classifier.classify(image)
        return score, [head(features) for head in self.heads]

    def replace_deep_heads(self, units: tuple[int, int]) -> None:
        """Gives deep heads hidden layers of other sizes."""

        def resized(layers: nn.Module) -> nn.Module:
            assert isinstance(layers, nn.Sequential)
            first, last = layers[0], layers[-1]
            assert isinstance(first, nn.Linear)
            assert isinstance(last, nn.Linear)
            return head(first.in_features, last.out_features, "deep", units)

        if self.head_kind == "deep" and units != HIDDEN:
            self.score_head = resized(self.score_head)
            self.heads = nn.ModuleList(resized(layers) for layers in self.heads)

    def extract(self, planes: Tensor) -> Tensor:
        """Images, with the condition as additional planes for "input", to features [N, F]."""
        raise NotImplementedError

    def score_features(self, features: Tensor, condition: Tensor) -> Tensor:
        """Features [N, F] to scores [N]."""
        score: Tensor = self.score_head(features).squeeze(1)
        return score if self.projection is None else score + self.project(features, condition)

    def classify(self, image: Tensor) -> list[Tensor]:
        """Returns only the classification logits."""
        features = self.extract(image)
        return [head(features) for head in self.heads]

    def project(self, features: Tensor, condition: Tensor) -> Tensor:
        """Inner product of features and condition, [N] (Miyato & Koyama 2018, eq. 3)."""
        assert self.projection is not None
        projected = self.projection(condition)
        product: Tensor = (projected * features).sum(dim=1) / features.shape[1] ** 0.5
        return product

    def join_condition(self, image: Tensor, condition: Tensor) -> Tensor:
        if self.conditioning != "input" or not self.values:
            return image
        planes = condition[:, :, None, None].expand(-1, -1, *image.shape[2:])
        return torch.cat([image, planes], dim=1)

    def build_projection(self, features: int) -> nn.Linear | None:
        if self.conditioning != "projection" or not self.values:
            return None
        return nn.Linear(sum(self.values), features, bias=False)

    def add_heads(
        self, features: int, build_classifier: Callable[[], "LineageDiscriminator"]
    ) -> None:
        """Adds the layers after `extract`; `build_classifier` builds the separate network."""
        self.score_head = head(features, 1, self.head_kind)
        self.projection = self.build_projection(features)
        self.heads = self.build_heads(features)
        if self.head_kind == "network" and self.values:
            self.classifier = build_classifier().without_score()

    def build_heads(self, features: int) -> nn.ModuleList:
        sizes = () if self.head_kind == "network" else self.class_sizes
        return nn.ModuleList(head(features, size, self.head_kind) for size in sizes)

    def without_score(self) -> "LineageDiscriminator":
        """Removes the layers of the score, which would not be trained."""
        self.score_head = nn.Identity()
        return self


def head(features: int, outputs: int, kind: Heads, units: tuple[int, int] = HIDDEN) -> nn.Module:
    """Layers from [N, F] to [N, outputs]: three if `kind` is "deep", else one."""
    if kind != "deep":
        return nn.Linear(features, outputs)
    return nn.Sequential(
        nn.Linear(features, units[0]),
        nn.LeakyReLU(0.2),
        nn.Linear(units[0], units[1]),
        nn.LeakyReLU(0.2),
        nn.Linear(units[1], outputs),
    )


def norm(kind: Norm, channels: int) -> nn.Module:
    """Normalization over the batch, or over channels and pixels of each image (Ba et al. 2016).

    "spectral" normalizes weights and has no layers, see `normalize_spectrally`.
    """
    assert kind in get_args(Norm)
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(1, channels) if kind == "layer" else nn.Identity()


def normalize_spectrally(network: nn.Module) -> None:
    """Divides the weights of convolutions by their largest singular value (Miyato et al. 2018)."""
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            parametrizations.spectral_norm(module)


def initialize_normal(module: nn.Module, deviation: float = DEVIATION) -> None:
    """Weights from N(0, 0.02²), scales of norms from N(1, 0.02²) (Radford et al. 2016)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, deviation)
    elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm) and module.weight is not None:
        nn.init.normal_(module.weight, 1.0, deviation)
    bias = getattr(module, "bias", None)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)


def initialize_as_pytorch(module: nn.Module) -> None:
    """PyTorch's default weights: uniform in ±1/√n, and 1 for the scales of batch norm.

    For a kernel of k×k, n is k² times the number of input channels; of output channels for a
    transposed convolution.
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.BatchNorm2d):
        module.reset_parameters()
