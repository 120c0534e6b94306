"""Fidelity: distances between generated and real images in the features of a pretrained network.

The network is EfficientNet-Lite2, trained on ImageNet; it is not used to train any model. The floor
of each figure is the same figure of held-out real images.
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
from train.progress import ProgressCallback, no_progress

NETWORK: FeatureNetworkName = "lite2"
INPUT_SIZE = 128
STRIDES = (4, 8, 16, 32)
BATCH = 64
VERSION = 1
"""To be increased when the features change, so that older cache files are not used."""

FD_NAMES = (*FD_LAYERS, FD_POOLED)
SMALLEST_FLOOR = 1e-6
"""Lower bound of the divisor: identical real images have a distance of 0."""


class Fidelity:
    """Compares images with the training images."""

    def __init__(self, faces: Faces, folder: Path | None = None) -> None:
        """`folder` caches the features of the real images. Raises FeatureNetworkError."""
        self.faces, self.folder = faces, folder
        self.training_set, self.held_out = faces.split()
        network = FeatureNetwork(NETWORK, INPUT_SIZE, STRIDES, pooled=True)
        self.network = network.to(faces.images.device)
        self._real: Tensors = {}

    def prepare(self, report_progress: ProgressCallback = no_progress) -> None:
        """Computes the features of the real images, or reads them from the cache.

        Optional: otherwise the first figures do it, without a progress report.
        """
        key = {
            "images": self.faces.without_attributes().fingerprint,
            "network": NETWORK,
            "input_size": INPUT_SIZE,
            "strides": STRIDES,
            "version": VERSION,
        }
        self._real = self._real or cached(
            self.folder, "features", key, lambda: self._real_features(report_progress)
        )

    @torch.inference_mode()
    def features(
        self, images: Tensor, report_progress: ProgressCallback = no_progress
    ) -> list[Tensor]:
        """Images uint8 [N, 3, S, S] to float32 [N, F] for each layer: means and deviations of the
        channels at each stride, and the pooled features.
        """
        found: list[list[Tensor]] = [[] for _ in FD_NAMES]
        done = 0
        for batch in torch.split(images, BATCH):
            x = batch.to(self.faces.images.device).float() / 127.5 - 1
            if x.shape[-1] > INPUT_SIZE:  # with antialiasing, unlike the network's resizing
                x = F.interpolate(x, size=INPUT_SIZE, mode="bilinear", antialias=True)
            *maps, pooled = self.network(x)
            for layer, parts in zip(maps, found, strict=False):
                deviation, mean = torch.std_mean(layer.flatten(2), dim=2)
                parts.append(torch.cat([mean, deviation], dim=1))
            found[-1].append(pooled)
            done += len(batch)
            report_progress(done / len(images))
        # Popped, so that only one layer at a time is in memory twice.
        return [torch.cat(found.pop(0)) for _ in FD_NAMES]

    def figures(self, images: Tensor) -> dict[str, float]:
        """Figures of images uint8 [N, 3, S, S]; N should be the number of held-out images.

        - `lite2_fd_…`: Fréchet distance to the training images, for each layer
        - `lite2_precision`, `lite2_recall`, `lite2_density`, `lite2_coverage`: see
          `neighbor_figures`, in the pooled features
        """
        return self._figures(self.features(images))

    def ratios(self, figures: dict[str, float]) -> dict[str, float]:
        """Distances divided by their floors: geometric mean of all layers, and pooled layer."""
        ratios = {
            name: max(figures[name], SMALLEST_FLOOR) / max(self.floor[name], SMALLEST_FLOOR)
            for name in FD_NAMES
        }
        mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
        return {FD_RATIO: mean, FD_RATIO_POOLED: ratios[FD_POOLED]}

    @cached_property
    def floor(self) -> dict[str, float]:
        """The figures of the held-out images, the best that a generator can reach."""
        real = self.real
        return self._figures([real[f"held_out.{number}"] for number in range(len(FD_NAMES))])

    @property
    def real(self) -> Tensors:
        """Features and statistics of the real images."""
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

    def _real_features(self, report_progress: ProgressCallback) -> Tensors:
        held, count = len(self.held_out), len(self.training_set)
        share = held / (held + count)  # of the progress

        def report_first(done: float, note: str = "") -> None:
            report_progress(share * done)

        def report_second(done: float, note: str = "") -> None:
            report_progress(share + (1 - share) * done)

        held_out = self.features(self.held_out.images, report_first)
        training_set = self.features(self.training_set.images, report_second)
        tensors: Tensors = {}
        for number, layer in enumerate(training_set):
            normal = Normal.of(layer)
            tensors |= {f"mean.{number}": normal.mean, f"root.{number}": normal.root}
            tensors[f"held_out.{number}"] = held_out[number].cpu()
        # As many as are held out: distances to neighbors decrease with the number of points.
        order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
        # "crowd" is a key of existing cache files.
        return tensors | {"crowd": training_set[-1].cpu()[order[:held]]}
