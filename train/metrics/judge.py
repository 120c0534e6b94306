"""The judge: measures a generator, and held-out real images for comparison.

Fidelity is measured in the features of a pretrained network, see `fidelity`. A small classifier,
trained on the same data, measures how often requested values are shown, how diverse the images of
a condition are, and which modes of the data are missing.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from itertools import combinations, islice

import torch
from torch import Tensor

from export.figures import ALL_AS_ASKED, AS_ASKED, FD_RATIO, FD_RATIO_POOLED, REAL, UNSEEN
from export.manifest import Attribute
from train.data import Faces, one_hot
from train.metrics.classifier import Classifier
from train.metrics.coverage import ModeCoverage
from train.metrics.diversity import layouts, within
from train.metrics.fidelity import Fidelity
from train.metrics.representation import ClassifierOutput, FeaturePoints, classify, standardize
from train.metrics.results import Evaluation, GenerateFn, UnseenPair, ValueShare
from train.metrics.sharpness import sharpness

MAX_UNSEEN_PAIRS = 12
"""Upper limit of the unseen pairs of values that are measured."""
IMAGES_PER_UNSEEN_PAIR = 200
FAKES_PER_IMAGE = 4
LEAST_FAKES, MOST_FAKES = 1_000, 10_000
"""Bounds of the default number of images that are generated to measure a model."""
BATCH = 64


class Judge:
    """Measures generators on one set of data."""

    def __init__(
        self,
        classifier: Classifier,
        faces: Faces,
        fidelity: Fidelity,
        predicted: tuple[Attribute, ...] | None = None,
        latent_seed: int = 0,
    ) -> None:
        """`faces` is the whole set; the judge splits it as the training does.

        `predicted` are the attributes that the classifier predicts; by default those of the faces.
        """
        self.latent_seed = latent_seed
        self.classifier, self.faces, self.fidelity = classifier.eval(), faces, fidelity
        self.predicted = faces.attributes if predicted is None else predicted
        self.training_set, self.held_out = faces.split()
        self.device = faces.images.device

    def for_unconditional(self) -> "Judge":
        """The same judge for generators without conditions; it still predicts the conditions of
        their images.
        """
        faces = self.faces.without_attributes()
        return Judge(self.classifier, faces, self.fidelity, self.predicted, self.latent_seed)

    def classify(self, images: Tensor) -> ClassifierOutput:
        """The classifier's output for images uint8 [N, 3, S, S]."""
        return classify(self.classifier, images, self.device)

    def standardize(self, output: ClassifierOutput) -> Tensor:
        """Feature points float32 [N, F], standardized by the training images."""
        return standardize(output, self._reference)

    def as_asked(self, images: Tensor, labels: Tensor) -> list[float]:
        """For each attribute, the share of images that show the requested value."""
        shares: list[float] = self._matches(images, labels).mean(dim=0).tolist()
        return shares

    def measure(self, generate: GenerateFn, latent_dim: int) -> dict[str, float]:
        """The figures of a generator, each with that of held-out real images (`…_real`).

        Generates one image for the condition of each held-out image, from the latents of the judge.
        Distances are to the training images.

        - `<attribute>_as_asked`: share of images that show the requested value; `all_as_asked`:
          share of images that show it in all attributes, if there are several
        - `lite2_…`: fidelity, see `Fidelity`; `lite2_fd_ratio`, the main figure, is the geometric
          mean of the distances, each divided by that of the held-out images
        - `diversity`: mean pairwise distance within a condition, relative to real images
        - `near_duplicates`: share of images whose nearest neighbor of the same condition is closer
          than that of all but one in a thousand real images
        - `sharpness`: mean variance of the Laplacian, relative to real images
        - `dropped_conditions`, `dropped_clusters`: share of dropped modes, see `modes`
        """
        labels = self.held_out.labels
        return self.compare(self._generate(generate, latent_dim, labels), labels)

    def draw(self, latent_dim: int) -> tuple[Tensor, Tensor]:
        """The latents [N, Z] and conditions [N, C] that `measure` generates from."""
        return self._draw(latent_dim, self.held_out.labels)

    def evaluate(self, generate: GenerateFn, latent_dim: int, fakes: int) -> Evaluation:
        """Measures as many images as `count_fakes` returns.

        Their conditions have the frequencies of the training images. Beyond `measure`, this counts
        each value, and generates unseen pairs of values.
        """
        count = self.count_fakes(fakes)
        rows = torch.arange(count, device=self.device) % len(self.training_set)
        labels = self.training_set.labels[self._shuffled[rows]]
        images = self._generate(generate, latent_dim, labels)
        figures, points = self._compare(images, labels)
        unseen = self._unseen_pairs(generate, latent_dim, labels)
        for attribute in self.held_out.attributes:
            name = attribute.name
            shares = [pair.as_asked[name] for pair in unseen if name in pair.as_asked]
            if shares:
                figures[f"{name}{UNSEEN}"] = sum(shares) / len(shares)
        clusters, worst = self._coverage.worst_clusters(points, images, self.training_set.images)
        return Evaluation(
            fakes=count,
            figures=figures,
            values=self._value_shares(images, labels),
            unseen=unseen,
            dropped=self._coverage.dropped_conditions(points),
            clusters=clusters,
            worst=worst,
        )

    def count_fakes(self, fakes: int) -> int:
        """`fakes`, or a default that fits the data for 0; at least the number of held-out images,
        since distances depend on the number of images.
        """
        default = min(max(FAKES_PER_IMAGE * len(self.faces), LEAST_FAKES), MOST_FAKES)
        return max(fakes or default, len(self.held_out))

    def compare(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """The figures of `measure` for images uint8 [N, 3, S, S] generated for labels int64 [N, A].

        Distances and nearest neighbors depend on the number of images. More images than are held
        out are therefore split into parts of exactly that number, of which the last ones overlap,
        and the figures of the parts are averaged. Raises ValueError for fewer images.
        """
        return self._compare(images, labels)[0]

    def _compare(self, images: Tensor, labels: Tensor) -> tuple[dict[str, float], FeaturePoints]:
        parts, covered = self._parts(len(images)), 0
        figures_of_parts, points_of_parts = [], []
        for part in parts:
            figures, points = self._figures(images[part], labels[part])
            figures_of_parts.append(figures)
            points_of_parts.append(points.skip(covered - part.start))
            covered = part.stop
        floor = self._floor
        figures = {
            name: sum(one[name] for one in figures_of_parts) / len(figures_of_parts)
            for name in figures_of_parts[0]
        }
        figures = self.fidelity.ratios(figures) | figures
        points = FeaturePoints.concatenate(points_of_parts)
        figures |= self._coverage.figures(points)
        real = floor | {FD_RATIO: 1.0, FD_RATIO_POOLED: 1.0}
        for name in ("diversity", "sharpness"):
            figures[name] /= max(real[name], 1e-9)
            real[name] = 1.0
        return figures | {f"{name}{REAL}": value for name, value in real.items()}, points

    def _parts(self, count: int) -> list[slice]:
        """Slices as long as the held-out set that cover `count` images evenly."""
        size = len(self.held_out)
        if count < size:
            raise ValueError(f"{count} pictures are fewer than the {size} real ones held out")
        parts = math.ceil(count / size)
        starts = [n * (count - size) // max(1, parts - 1) for n in range(parts)]
        return [slice(start, start + size) for start in starts]

    def _figures(self, images: Tensor, labels: Tensor) -> tuple[dict[str, float], FeaturePoints]:
        """Figures of as many images as are held out, not yet relative to real images."""
        output, figures = self.classify(images), {}
        matches = self._matching(output, labels)
        for attribute, share in zip(self.held_out.attributes, matches.mean(dim=0), strict=True):
            figures[f"{attribute.name}{AS_ASKED}"] = share.item()
        if matches.shape[1] > 1:
            figures[ALL_AS_ASKED] = matches.all(dim=1).float().mean().item()
        nearest, mean = within(self._layouts(images), labels)
        figures["near_duplicates"] = (nearest < self._closest).float().mean().item()
        figures["diversity"] = mean
        figures["sharpness"] = sharpness(images)
        return figures | self.fidelity.figures(images), self._points(output)

    def _generate(self, generate: GenerateFn, latent_dim: int, labels: Tensor) -> Tensor:
        latents, conditions = self._draw(latent_dim, labels)
        parts = zip(torch.split(latents, BATCH), torch.split(conditions, BATCH), strict=True)
        with torch.inference_mode():
            return torch.cat([generate(z, c) for z, c in parts])

    def _draw(self, latent_dim: int, labels: Tensor) -> tuple[Tensor, Tensor]:
        rng = torch.Generator().manual_seed(self.latent_seed)
        latents = torch.randn(len(labels), latent_dim, generator=rng).to(self.device)
        return latents, one_hot(labels, self.held_out.sizes)

    def _matches(self, images: Tensor, labels: Tensor) -> Tensor:
        """1 where an image shows the requested value, else 0; float32 [N, A]."""
        return self._matching(self.classify(images), labels)

    def _matching(self, output: ClassifierOutput, labels: Tensor) -> Tensor:
        # For unconditional generators more attributes are predicted than were requested.
        return (output.labels[:, : labels.shape[1]] == labels.to(self.device)).float()

    def _value_shares(self, images: Tensor, labels: Tensor) -> dict[str, list[ValueShare]]:
        held = self.held_out
        matches, real_matches = (
            self._matches(images, labels),
            self._matches(held.images, held.labels),
        )
        return {
            attribute.name: [
                ValueShare(
                    value,
                    *_share(matches[:, column], labels[:, column] == number),
                    *_share(real_matches[:, column], held.labels[:, column] == number),
                )
                for number, value in enumerate(attribute.values)
            ]
            for column, attribute in enumerate(held.attributes)
        }

    def _unseen_pairs(
        self, generate: GenerateFn, latent_dim: int, others: Tensor
    ) -> list[UnseenPair]:
        """Further attributes have the values of `others`, int64 [N, A]."""
        found = []
        for pair in islice(_unseen_pairs(self.training_set, self.held_out), MAX_UNSEEN_PAIRS):
            rows = torch.arange(IMAGES_PER_UNSEEN_PAIR, device=self.device) % len(others)
            labels = others[rows]
            for column, value in pair.items():
                labels[:, column] = value
            shares = self.as_asked(self._generate(generate, latent_dim, labels), labels)
            attributes = {column: self.training_set.attributes[column] for column in pair}
            found.append(
                UnseenPair(
                    {a.name: a.values[pair[column]] for column, a in attributes.items()},
                    {a.name: shares[column] for column, a in attributes.items()},
                )
            )
        return found

    def _layouts(self, images: Tensor) -> Tensor:
        return layouts(self.classifier, images, self.device)

    def _points(self, output: ClassifierOutput) -> FeaturePoints:
        return FeaturePoints.of(output, self._reference)

    @cached_property
    def _reference(self) -> ClassifierOutput:
        return self.classify(self.training_set.images)

    @cached_property
    def _coverage(self) -> ModeCoverage:
        return ModeCoverage(self._points(self._reference), self.predicted)

    @cached_property
    def _floor(self) -> dict[str, float]:
        """The figures of the held-out images."""
        figures, points = self._figures(self.held_out.images, self.held_out.labels)
        return figures | self._coverage.figures(points)

    @cached_property
    def _shuffled(self) -> Tensor:
        """Row numbers of the training images in a fixed random order."""
        rng = torch.Generator().manual_seed(0)
        return torch.randperm(len(self.training_set), generator=rng).to(self.device)

    @cached_property
    def _closest(self) -> float:
        """Distance to the nearest neighbor of the same condition that one in a thousand real images
        falls below.

        A quantile, since the minimum depends on single images. Taken in groups as large as the
        held-out set, since distances to the nearest neighbor decrease with the number of images.
        """
        size = len(self.held_out)
        nearest = [
            within(self._layouts(self.training_set.images[rows]), self.training_set.labels[rows])[0]
            for rows in torch.split(self._shuffled, size)
            if len(rows) == size
        ]
        return torch.quantile(torch.cat(nearest).cpu(), 0.001).item()


def _share(matches: Tensor, chosen: Tensor) -> tuple[int, float | None]:
    """The number of images in the mask `chosen`, bool [N], and the share of them that match."""
    count = int(chosen.sum())
    return count, matches[chosen].mean().item() if count else None


def _unseen_pairs(*sets: Faces) -> Iterator[dict[int, int]]:
    """Pairs of values that no image has, each as {attribute number: value number}."""
    sizes = sets[0].sizes
    labels = torch.cat([faces.labels for faces in sets])
    for one, two in combinations(range(len(sizes)), 2):
        both = labels[:, one] * sizes[two] + labels[:, two]
        counts = torch.bincount(both, minlength=sizes[one] * sizes[two])
        for number in map(int, (counts == 0).nonzero().flatten()):
            yield {one: number // sizes[two], two: number % sizes[two]}
