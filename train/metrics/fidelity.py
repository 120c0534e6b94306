"""Fidelity: how near pictures come to real ones in the features of a pretrained network.

The network is EfficientNet-Lite2, trained on ImageNet; no training of this project uses it. Each
figure stands beside its floor: the same figure of held-out real images.
"""

import math
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from export.figures import FD_LAYERS, FD_POOLED, FD_RATIO, FD_RATIO_POOLED
from train.data import Faces
from train.metrics.cache import Tensors, cached
from train.metrics.frechet import Normal
from train.metrics.neighbors import neighbor_figures
from train.networks.features import FeatureNetwork, FeatureNetworkName
from train.progress import Tell, ignore

NETWORK: FeatureNetworkName = "lite2"
INPUT_SIZE = 128
STRIDES = (4, 8, 16, 32)
BATCH = 64
VERSION = 1
"""Increased when the features change, so that no cached file of others is read."""

FD_NAMES = (*FD_LAYERS, FD_POOLED)
SMALLEST_FLOOR = 1e-6
"""Real images that are all the same have no distance at all."""


class Fidelity:
    """Compares pictures with the images that were learned from."""

    def __init__(self, faces: Faces, folder: Path | None = None) -> None:
        """`folder` is where what is known of the real images is cached.

        Raises FeatureNetworkError.
        """
        self.faces, self.folder = faces, folder
        self.learnt, self.held_out = faces.split()
        network = FeatureNetwork(NETWORK, INPUT_SIZE, STRIDES, pooled=True)
        self.network = network.to(faces.images.device)
        self._real: Tensors = {}

    def prepare(self, tell: Tell = ignore) -> None:
        """Looks at the real images, or reads from the cache what is known of them. Without this
        the first figures take as much longer.
        """
        key = {
            "images": self.faces.without_attributes().fingerprint,
            "network": NETWORK,
            "input_size": INPUT_SIZE,
            "strides": STRIDES,
            "version": VERSION,
        }
        self._real = self._real or cached(self.folder, "features", key, lambda: self._look(tell))

    @torch.inference_mode()
    def features(self, images: Tensor, tell: Tell = ignore) -> list[Tensor]:
        """Pictures uint8 [N, 3, S, S] to float32 [N, F]: means and deviations of the channels at
        each stride, and the pooled features. `tell` hears how much is done, 0…1.
        """
        found: list[list[Tensor]] = [[] for _ in FD_NAMES]
        done = 0
        for batch in torch.split(images, BATCH):
            x = batch.to(self.faces.images.device).float() / 127.5 - 1
            if x.shape[-1] > INPUT_SIZE:  # the network's own resizing does not smooth
                x = F.interpolate(x, size=INPUT_SIZE, mode="bilinear", antialias=True)
            *maps, pooled = self.network(x)
            for layer, parts in zip(maps, found, strict=False):
                deviation, mean = torch.std_mean(layer.flatten(2), dim=2)
                parts.append(torch.cat([mean, deviation], dim=1))
            found[-1].append(pooled)
            done += len(batch)
            tell(done / len(images))
        return [torch.cat(parts) for parts in found]

    def figures(self, images: Tensor) -> dict[str, float]:
        """Of as many pictures uint8 [N, 3, S, S] as are held out, see `floor`.

        - `lite2_fd_…`: Fréchet distance to the images that were learned from, at each layer
        - `lite2_precision`, `lite2_recall`, `lite2_density`, `lite2_coverage`: as
          `neighbor_figures` has them, in the pooled features
        """
        return self._figures(self.features(images))

    def ratios(self, figures: dict[str, float]) -> dict[str, float]:
        """Distances in units of their floors: the geometric mean, and the pooled features' own."""
        ratios = {
            name: max(figures[name], SMALLEST_FLOOR) / max(self.floor[name], SMALLEST_FLOOR)
            for name in FD_NAMES
        }
        mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
        return {FD_RATIO: mean, FD_RATIO_POOLED: ratios[FD_POOLED]}

    @cached_property
    def floor(self) -> dict[str, float]:
        """The figures of the held-out images: no generator should come nearer."""
        real = self.real
        return self._figures([real[f"held_out.{number}"] for number in range(len(FD_NAMES))])

    @property
    def real(self) -> Tensors:
        """What is known of the real images."""
        self.prepare()
        return self._real

    @cached_property
    def _reference(self) -> list[Normal]:
        return [
            Normal(self.real[f"mean.{number}"], self.real[f"root.{number}"])
            for number in range(len(FD_NAMES))
        ]

    def _figures(self, features: list[Tensor]) -> dict[str, float]:
        figures = {
            name: reference.distance(layer)
            for name, reference, layer in zip(FD_NAMES, self._reference, features, strict=True)
        }
        neighbors = neighbor_figures(self.real["crowd"], features[-1].cpu())
        return figures | {f"{NETWORK}_{name}": value for name, value in neighbors.items()}

    def _look(self, tell: Tell) -> Tensors:
        held = len(self.held_out)
        images = torch.cat([self.held_out.images, self.learnt.images])
        tensors: Tensors = {}
        for number, layer in enumerate(self.features(images, tell)):
            held_out, learnt = layer[:held].cpu(), layer[held:].cpu()
            normal = Normal.of(learnt)
            tensors |= {f"mean.{number}": normal.mean, f"root.{number}": normal.root}
            tensors[f"held_out.{number}"] = held_out
        # In a larger crowd a neighbor is nearer: as many as are held out.
        order = torch.randperm(len(learnt), generator=torch.Generator().manual_seed(0))
        return tensors | {"crowd": learnt[order[:held]]}
