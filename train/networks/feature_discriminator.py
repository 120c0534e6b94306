"""Discriminators on the features of a frozen network (Projected GAN, Sauer et al. 2021)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.data import Faces
from train.networks.features import FeatureNetwork
from train.settings import FeatureSettings

SIDE = 8
"""Upper limit of the side of a map after the strided convolutions."""
STANDARDIZED_ON = 1024
"""Number of images from which means and deviations of the features are computed."""


class MapDiscriminator(nn.Module):
    """Maps a standardized feature map [N, C, H, W] and a condition to logits [N, L], one for each
    position of a coarse grid.

    A fixed random orthogonal 1×1 convolution mixes the channels, so that none can be ignored
    (Sauer et al. 2021, section 3.2). The condition is used by projection.
    """

    mixing: Tensor

    def __init__(self, channels: int, side: int, condition_dim: int, width: int) -> None:
        super().__init__()
        mixed = max(width, channels)
        mixing = nn.init.orthogonal_(torch.empty(mixed, channels)) * (mixed / channels) ** 0.5
        self.register_buffer("mixing", mixing[:, :, None, None])
        layers: list[nn.Module] = []
        before = mixed
        while side > SIDE:
            layers += [nn.Conv2d(before, 2 * width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            before, side = 2 * width, side // 2
        layers += [nn.Conv2d(before, 2 * width, 3, padding=1), nn.LeakyReLU(0.2)]
        layers += [nn.Conv2d(2 * width, width, min(side, 3)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.logits = nn.Conv2d(width, 1, 1)
        self.projection = nn.Linear(condition_dim, width, bias=False) if condition_dim else None
        if self.projection is not None:
            nn.init.normal_(self.projection.weight, 0.0, 0.2)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        x = self.layers(F.conv2d(features, self.mixing))
        logits: Tensor = self.logits(x)
        if self.projection is not None:
            projected = self.projection(condition)[:, :, None, None]
            logits = logits + (x * projected).sum(dim=1, keepdim=True) / x.shape[1] ** 0.5
        return logits.flatten(1).float()


class FeatureDiscriminators(nn.Module):
    """One discriminator for each feature map."""

    def __init__(
        self, channels: Sequence[int], sides: Sequence[int], condition_dim: int, width: int
    ) -> None:
        """`channels` and `sides` are those of the feature maps."""
        super().__init__()
        self.maps = nn.ModuleList(
            MapDiscriminator(c, side, condition_dim, width)
            for c, side in zip(channels, sides, strict=True)
        )

    def forward(self, maps: Sequence[Tensor], condition: Tensor) -> list[Tensor]:
        """Standardized maps to logits [N, L] for each map."""
        return [network(x, condition) for network, x in zip(self.maps, maps, strict=True)]


class StandardizedFeatures(nn.Module):
    """A frozen feature network; its channels have mean 0 and deviation 1 on real images."""

    def __init__(self, network: FeatureNetwork, real: Tensor) -> None:
        """`real` are uint8 images [N, 3, S, S]."""
        super().__init__()
        self.network = network.to(real.device)
        with torch.inference_mode():
            batches = [network(batch.float() / 127.5 - 1) for batch in torch.split(real, 64)]
        for number, maps in enumerate(zip(*batches, strict=True)):
            deviation, mean = torch.std_mean(torch.cat(maps), dim=(0, 2, 3), keepdim=True)
            self.register_buffer(f"mean{number}", mean.clone())
            self.register_buffer(f"deviation{number}", deviation.clamp(min=1e-3))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Images [N, 3, S, S] in -1…1 to standardized maps, float32 [N, C, H, W] each."""
        return [
            (features.float() - self.get_buffer(f"mean{number}"))
            / self.get_buffer(f"deviation{number}")
            for number, features in enumerate(self.network(images))
        ]


def build_feature_discriminators(
    settings: FeatureSettings, faces: Faces
) -> tuple[StandardizedFeatures, FeatureDiscriminators]:
    """The frozen network, and discriminators with initial weights. Raises FeatureNetworkError."""
    network = FeatureNetwork(settings.network, settings.input_size, settings.strides)
    sides = [settings.input_size // stride for stride in settings.strides]
    condition_dim, width = sum(faces.sizes), settings.channels
    discriminators = FeatureDiscriminators(network.channels, sides, condition_dim, width)
    # At random, since files are often in the order of their classes.
    order = torch.randperm(len(faces), generator=torch.Generator().manual_seed(0))
    rows = order[:STANDARDIZED_ON].sort().values.to(faces.images.device)
    return StandardizedFeatures(network, faces.images[rows]), discriminators
