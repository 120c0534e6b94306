"""What all networks have in common: how a generator and a discriminator are called, and how a
condition reaches them.
"""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

SIZES = (32, 64, 96, 128)
"""Picture sizes in pixels that the networks are built for."""

Conditioning = Literal["none", "input", "auxiliary", "projection"]
"""How the discriminator hears of the condition: not at all, since there is none; joined to its
input (Mirza & Osindero 2014); not at all, it has to name the values (Odena et al. 2017); by an
inner product with its features (Miyato & Koyama 2018)."""
Heads = Literal["none", "linear", "deep", "network"]
"""What names the values: nobody, a layer, three layers, a network of its own. With "deep",
realness is judged by three layers, too."""
Norm = Literal["none", "batch", "layer"]

HIDDEN = 256
"""Units of the two hidden layers of a deep head."""


def check_size(image_size: int) -> None:
    """Raises ValueError for a size that the networks cannot be built for."""
    if image_size not in SIZES:
        raise ValueError(f"the networks draw {SIZES} pixels, not {image_size}")


class Generator(nn.Module):
    """Latent and condition to a picture: latent float32 [N, Z], standard normal, and condition
    float32 [N, C], whose blocks may be mixtures, to [N, 3, S, S] in -1…1.

    `spread` is what the latent is multiplied with: `deviation` while training, set anew when it
    has ended.
    """

    spread: Tensor
    deviation: float = 1.0
    """Of the latents that it learns from."""

    def __init__(self, image_size: int, latent_dim: int) -> None:
        super().__init__()
        check_size(image_size)
        self.image_size, self.latent_dim = image_size, latent_dim
        self.register_buffer("spread", torch.ones(()))

    def deviate(self, deviation: float) -> None:
        """Learns from latents of this deviation from now on."""
        self.deviation = deviation
        self.spread.fill_(deviation)

    def joined(self, latent: Tensor, condition: Tensor) -> Tensor:
        """The spread latent and the condition side by side, [N, Z + C]."""
        return torch.cat([latent * self.spread, condition], dim=1)


class Discriminator(nn.Module):
    """Pictures [N, 3, S, S] in -1…1 and conditions [N, C] to realness [N], a logit that is higher
    for real ones, and the logits of each attribute's values, `sizes` of them; none where no heads
    name them.

    A subclass has `look`, and calls `add_heads` when its own layers are made.
    """

    group: int = 1
    """Neighbours in a batch that are compared with each other."""
    realness: nn.Module
    project: nn.Linear | None
    heads: nn.ModuleList

    def __init__(
        self, image_size: int, values: Sequence[int], conditioning: Conditioning, heads: Heads
    ) -> None:
        super().__init__()
        check_size(image_size)
        self.conditioning, self.kind = conditioning, heads
        self.values = tuple(values) if conditioning != "none" else ()
        self.sizes = self.values if heads != "none" else ()
        self.namer: Discriminator | None = None
        """Names the values where a network of its own does."""
        self.planes = 3 + (sum(self.values) if conditioning == "input" else 0)

    def forward(self, image: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = self.look(self.joined(image, condition))
        # Scores are subtracted from each other: in half precision little would be left of them.
        score = self.score(features, condition).float()
        if self.namer is not None:
            return score, self.namer.names(image)
        return score, [head(features) for head in self.heads]

    def look(self, planes: Tensor) -> Tensor:
        """Pictures, with the condition as planes where it is joined to them, to features [N, F]."""
        raise NotImplementedError

    def score(self, features: Tensor, condition: Tensor) -> Tensor:
        """Realness [N]."""
        score = self.realness(features).squeeze(1)
        return score if self.project is None else score + self.agreement(features, condition)

    def names(self, image: Tensor) -> list[Tensor]:
        """The logits alone."""
        features = self.look(image)
        return [head(features) for head in self.heads]

    def agreement(self, features: Tensor, condition: Tensor) -> Tensor:
        """Of features with a condition, [N] (Miyato & Koyama 2018, eq. 3)."""
        assert self.project is not None
        return (self.project(condition) * features).sum(dim=1) / features.shape[1] ** 0.5

    def joined(self, image: Tensor, condition: Tensor) -> Tensor:
        if self.conditioning != "input" or not self.values:
            return image
        planes = condition[:, :, None, None].expand(-1, -1, *image.shape[2:])
        return torch.cat([image, planes], dim=1)

    def projection(self, features: int) -> nn.Linear | None:
        if self.conditioning != "projection" or not self.values:
            return None
        return nn.Linear(sum(self.values), features, bias=False)

    def add_heads(self, features: int, another: Callable[[], "Discriminator"]) -> None:
        """What comes after `look`; `another` makes the network that names the values."""
        self.realness = head(features, 1, self.kind)
        self.project = self.projection(features)
        self.heads = self.naming_heads(features)
        if self.kind == "network" and self.values:
            self.namer = another().only_naming()

    def naming_heads(self, features: int) -> nn.ModuleList:
        sizes = () if self.kind == "network" else self.sizes
        return nn.ModuleList(head(features, size, self.kind) for size in sizes)

    def only_naming(self) -> "Discriminator":
        """Without the parts that judge realness, which would never be trained."""
        self.realness = nn.Identity()
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
    """Over the batch, or over each picture's own channels and pixels (Ba et al. 2016)."""
    assert kind in get_args(Norm)
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(1, channels) if kind == "layer" else nn.Identity()


def normal(module: nn.Module) -> None:
    """Weights from normal(0, 0.02), scales of norms about 1, no biases (Radford et al. 2016)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm) and module.weight is not None:
        nn.init.normal_(module.weight, 1.0, 0.02)
    bias = getattr(module, "bias", None)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)
