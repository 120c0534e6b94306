"""How a condition reaches the classical networks, and how they classify."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from train.networks import base as networks

Conditioning = Literal["none", "input", "auxiliary", "projection"]
"""How labels condition the discriminator: not at all; joined to its input (Mirza & Osindero 2014);
by classification alone (Odena et al. 2017); by an inner product with its features (Miyato & Koyama
2018)."""
Heads = Literal["none", "linear", "deep", "network"]
"""Classification heads: none, one layer, three layers, a network of its own. With "deep" the score
has three layers, too."""
Norm = Literal["none", "batch", "layer"]

HIDDEN = 256
"""Units of the two hidden layers of a deep head."""


class LineageGenerator(networks.Generator):
    """A generator that learns from latents of a deviation that its recipe names."""

    def set_training_scale(self, deviation: float) -> None:
        """Learns from latents of this deviation from now on."""
        self.training_scale = deviation
        self.latent_scale.fill_(deviation)

    def concatenate(self, latent: Tensor, condition: Tensor) -> Tensor:
        """The scaled latent and the condition side by side, [N, Z + C]."""
        return torch.cat([latent * self.latent_scale, condition], dim=1)


class LineageDiscriminator(networks.Discriminator):
    """A subclass implements `extract`, and calls `add_heads` when its own layers are made."""

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
        """Classifies where a network of its own does."""
        self.planes = 3 + (sum(self.values) if conditioning == "input" else 0)

    def forward(self, image: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = self.extract(self.join_condition(image, condition))
        # Scores are subtracted from each other: in half precision little would be left of them.
        score = self.score_features(features, condition).float()
        if self.classifier is not None:
            return score, self.classifier.classify(image)
        return score, [head(features) for head in self.heads]

    def extract(self, planes: Tensor) -> Tensor:
        """Images, with the condition as planes where it is joined to them, to features [N, F]."""
        raise NotImplementedError

    def score_features(self, features: Tensor, condition: Tensor) -> Tensor:
        """Scores [N]."""
        score: Tensor = self.score_head(features).squeeze(1)
        return score if self.projection is None else score + self.project(features, condition)

    def classify(self, image: Tensor) -> list[Tensor]:
        """The classification logits alone."""
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

    def add_heads(self, features: int, another: Callable[[], "LineageDiscriminator"]) -> None:
        """Adds what follows `extract`; `another` builds the network that classifies."""
        self.score_head = head(features, 1, self.head_kind)
        self.projection = self.build_projection(features)
        self.heads = self.build_heads(features)
        if self.head_kind == "network" and self.values:
            self.classifier = another().without_score()

    def build_heads(self, features: int) -> nn.ModuleList:
        sizes = () if self.head_kind == "network" else self.class_sizes
        return nn.ModuleList(head(features, size, self.head_kind) for size in sizes)

    def without_score(self) -> "LineageDiscriminator":
        """Removes the layers that score, which would never be trained."""
        self.score_head = nn.Identity()
        return self


def head(features: int, outputs: int, kind: Heads) -> nn.Module:
    """[N, F] to [N, outputs], by three layers where `kind` is "deep", else by one."""
    if kind != "deep":
        return nn.Linear(features, outputs)
    return nn.Sequential(
        nn.Linear(features, HIDDEN),
        nn.LeakyReLU(0.2),
        nn.Linear(HIDDEN, HIDDEN),
        nn.LeakyReLU(0.2),
        nn.Linear(HIDDEN, outputs),
    )


def norm(kind: Norm, channels: int) -> nn.Module:
    """Over the batch, or over each image's own channels and pixels (Ba et al. 2016)."""
    assert kind in get_args(Norm)
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(1, channels) if kind == "layer" else nn.Identity()


def initialize_normal(module: nn.Module) -> None:
    """Weights from normal(0, 0.02), scales of norms about 1, no biases (Radford et al. 2016)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm) and module.weight is not None:
        nn.init.normal_(module.weight, 1.0, 0.02)
    bias = getattr(module, "bias", None)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)
