"""Mode coverage of a generator: conditions and clusters of real images, see `modes`."""

import math
from functools import cached_property

import torch
from torch import Tensor

from export.manifest import Attribute
from train.metrics.modes import (
    DROPPED_BELOW,
    assign,
    cluster,
    dropped_share,
    relative_frequency,
    shares,
)
from train.metrics.representation import FeaturePoints
from train.metrics.results import Mode

SHOWN_CLUSTERS = 5
"""Number of clusters in `Evaluation.clusters`."""
FACES_PER_CLUSTER = 8
"""Number of images that are shown of each."""


class ModeCoverage:
    """Compares the modes of generated images with those of the training images."""

    def __init__(self, real: FeaturePoints, attributes: tuple[Attribute, ...]) -> None:
        """`real` are the points of the training images, `attributes` the predicted ones."""
        self.real, self.attributes = real, attributes

    def figures(self, points: FeaturePoints) -> dict[str, float]:
        """`dropped_conditions` and `dropped_clusters`: the shares of modes that are dropped."""
        found = self._relative_frequencies(points)
        return {f"dropped_{kind}": dropped_share(values) for kind, values in found.items()}

    def dropped_conditions(self, points: FeaturePoints) -> list[Mode]:
        """Ordered by their share of the real images, the largest first."""
        if not self.attributes:
            return []
        frequencies = self._relative_frequencies(points)["conditions"]
        real, generated = self._real_shares["conditions"], self._shares(points)["conditions"]
        dropped = (frequencies < DROPPED_BELOW).nonzero().flatten().tolist()
        dropped.sort(key=lambda number: -real[number].item())
        return [Mode(self._name(n), real[n].item(), generated[n].item()) for n in dropped]

    def worst_clusters(
        self, points: FeaturePoints, images: Tensor, real_images: Tensor
    ) -> tuple[list[Mode], Tensor]:
        """The clusters with the lowest relative frequency, and their images as in `Evaluation`.

        `images` are those of `points`, `real_images` the training images, uint8 [N, 3, S, S].
        """
        frequencies = self._relative_frequencies(points)["clusters"]
        real, generated = self._real_shares["clusters"], self._shares(points)["clusters"]
        known = int((~frequencies.isnan()).sum())
        # Of clusters with the same relative frequency, the largest first.
        order = sorted(
            range(len(frequencies)), key=lambda n: (frequencies[n].nan_to_num(math.inf), -real[n])
        )
        worst = order[: min(SHOWN_CLUSTERS, known)]
        pictures = []
        for number in worst:
            center = self._centers[number : number + 1]
            typical = torch.cdist(center, self.real.points)[0].argsort()[:FACES_PER_CLUSTER]
            fakes = torch.cdist(self.real.points[typical], points.points).argmin(dim=1)
            nearest = images[fakes.to(images.device)].to(real_images.device)
            pictures.append(torch.stack([real_images[typical], nearest]))
        size = real_images.shape[-1]
        none = torch.zeros(0, 2, FACES_PER_CLUSTER, 3, size, size, dtype=torch.uint8)
        clusters = [Mode({}, real[n].item(), generated[n].item()) for n in worst]
        return clusters, torch.stack(pictures).cpu() if pictures else none

    @cached_property
    def _centers(self) -> Tensor:
        return cluster(self.real.points)

    @cached_property
    def _conditions(self) -> Tensor:
        """The conditions of the training images as predicted, int64 [K, A], in the order of their
        values.
        """
        conditions: Tensor = torch.unique(self.real.labels, dim=0)
        return conditions

    @cached_property
    def _real_shares(self) -> dict[str, Tensor]:
        return self._shares(self.real)

    def _shares(self, points: FeaturePoints) -> dict[str, Tensor]:
        """Share of the images in each mode, [K], by kind of modes."""
        clusters = assign(points.points, self._centers)
        found = {"clusters": shares(clusters, len(self._centers))}
        if self.attributes:
            bins = self._condition_bins(points.labels)
            found["conditions"] = shares(bins, len(self._conditions) + 1)
        return found

    def _condition_bins(self, labels: Tensor) -> Tensor:
        """The row of `_conditions` that each row of labels [N, A] is equal to, int64 [N]; one more
        bin has all others. A bin for each combination of values would be too many.
        """
        known = len(self._conditions)
        every, numbers = torch.unique(
            torch.cat([self._conditions, labels]), dim=0, return_inverse=True
        )
        bins = torch.full((len(every),), known, device=labels.device)
        bins[numbers[:known]] = torch.arange(known, device=labels.device)
        return bins[numbers[known:]]

    def _relative_frequencies(self, points: FeaturePoints) -> dict[str, Tensor]:
        count = len(points.points)
        return {
            kind: relative_frequency(self._real_shares[kind], generated, count)
            for kind, generated in self._shares(points).items()
        }

    def _name(self, condition: int) -> dict[str, str]:
        """The values of a row of `_conditions`, by attribute."""
        values = self._conditions[condition].tolist()
        return {a.name: a.values[value] for a, value in zip(self.attributes, values, strict=True)}
