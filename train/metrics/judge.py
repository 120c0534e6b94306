"""The judge: the figures of a generator beside those of held-out real faces.

Fidelity is measured in the features of a large pretrained network, see `fidelity`. A small
classifier, trained on the faces, tells whether the values that were asked for show, how alike the
pictures of a condition are, and which kinds of faces are missing.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from export.figures import ALL_AS_ASKED, AS_ASKED, FD_RATIO, FD_RATIO_POOLED, REAL, UNSEEN
from export.manifest import Attribute
from train.data import Faces, one_hot
from train.metrics.classifier import Classifier
from train.metrics.diversity import layout, within
from train.metrics.fidelity import Fidelity
from train.metrics.modes import HARDLY, assign, cluster, dropped, reach, shares
from train.metrics.sharpness import sharpness

UNSEEN_PAIRS = 12
"""Pairs of values without any image that are painted, at the most."""
OF_AN_UNSEEN_PAIR = 200
"""Pictures of each."""
WORST = 5
"""Clusters of real faces that are shown, those that are reached least."""
OF_THE_WORST = 8
"""Faces shown of each."""

Paint = Callable[[Tensor, Tensor], Tensor]
"""Latents [N, Z] and conditions [N, C] to pictures uint8 [N, 3, S, S]."""


@dataclass(frozen=True)
class Seen:
    """What the classifier sees in a set of pictures."""

    depths: dict[str, Tensor]
    """float32 [N, F] each: channel means and deviations of every stage, and the last features."""
    labels: Tensor
    """int64 [N, A]: the values that it reads off the pictures."""
    layout: Tensor
    """float32 [N, L]: where things are, and with which texture; for pairwise distances."""


@dataclass(frozen=True)
class ValueShare:
    """How often one value shows where it is asked for, and where a held-out real face has it.

    `painted` and `real` count these pictures; of none there is no share.
    """

    value: str
    painted: int
    as_asked: float | None
    real: int
    as_asked_real: float | None


@dataclass(frozen=True)
class UnseenPair:
    """Two values that no image shows together, and how often either shows where both are asked."""

    conditions: dict[str, str]
    as_asked: dict[str, float]


@dataclass(frozen=True)
class Mode:
    """A kind of real faces, and which share of the real and of the painted pictures is of it."""

    conditions: dict[str, str]
    """Empty for a cluster, which has no name."""
    real: float
    painted: float


@dataclass(frozen=True)
class Examination:
    fakes: int
    figures: dict[str, float]
    """As `Judge.measure` names them, and `<attribute>_as_asked_unseen` where pairs are unseen."""
    values: dict[str, list[ValueShare]]
    """By attribute."""
    unseen: list[UnseenPair]
    dropped: list[Mode]
    """Conditions that are hardly painted or not at all."""
    clusters: list[Mode]
    """The WORST clusters of real faces, the one that is reached least first."""
    worst: Tensor
    """uint8 [WORST, 2, OF_THE_WORST, 3, S, S]: real faces of these clusters, and the nearest fake
    of each. Fewer where there are fewer."""

    def content(self) -> dict[str, Any]:
        """All but the pictures, as a run keeps it."""
        content = asdict(self)
        del content["worst"]
        return content


@dataclass(frozen=True)
class _Places:
    """Where pictures lie among all others, for questions of nearness."""

    points: Tensor
    """float32 [N, F]: all depths side by side."""
    conditions: Tensor
    """int64 [N]: the number of the condition that the judge reads off each."""

    def without_first(self, count: int) -> "_Places":
        return _Places(self.points[count:], self.conditions[count:])

    @classmethod
    def together(cls, parts: list["_Places"]) -> "_Places":
        return cls(
            torch.cat([part.points for part in parts]),
            torch.cat([part.conditions for part in parts]),
        )


class Judge:
    def __init__(
        self,
        classifier: Classifier,
        faces: Faces,
        fidelity: Fidelity,
        reads: tuple[Attribute, ...] | None = None,
    ) -> None:
        """`faces` is the whole set; the judge splits it as the training does.

        `reads` are the attributes that it can read off pictures: by default those of the faces.
        """
        self.classifier, self.faces, self.fidelity = classifier.eval(), faces, fidelity
        self.reads = faces.attributes if reads is None else reads
        self.learnt, self.held_out = faces.split()
        self.device = faces.images.device

    @torch.inference_mode()
    def look(self, images: Tensor) -> Seen:
        """Pictures uint8 [N, 3, S, S]."""
        depths: dict[str, list[Tensor]] = {}
        labels, layouts = [], []
        for batch in torch.split(images, 256):
            maps, features, logits = self.classifier(batch.to(self.device))
            for number, stage in enumerate(maps, 1):
                deviation, mean = torch.std_mean(stage.flatten(2), dim=2)
                depths.setdefault(f"stage{number}", []).append(torch.cat([mean, deviation], dim=1))
            depths.setdefault("features", []).append(features)
            columns = [head.argmax(dim=1) for head in logits]
            none = features.new_zeros((len(batch), 0), dtype=torch.int64)
            labels.append(torch.stack(columns, dim=1) if columns else none)
            layouts.append(layout(maps))
        return Seen(
            {name: torch.cat(parts) for name, parts in depths.items()},
            torch.cat(labels),
            torch.cat(layouts),
        )

    def of_unconditional(self) -> "Judge":
        """The same judge, for generators that cannot be asked: which conditions they reach is still
        read off their pictures.
        """
        return Judge(self.classifier, self.faces.without_attributes(), self.fidelity, self.reads)

    def as_asked(self, images: Tensor, labels: Tensor) -> list[float]:
        """The share of pictures that show the value asked for, one share an attribute."""
        return self._right(images, labels).mean(dim=0).tolist()

    def measure(self, paint: Paint, latent_dim: int) -> dict[str, float]:
        """Every figure of a generator, each beside the held-out real faces' own (`…_real`).

        Paints one picture for each held-out face, under its condition, from latents of a fixed
        seed; all distances are to the faces that were learnt from.

        - `<attribute>_as_asked`: share of pictures that show what was asked, and `all_as_asked`
          of those that show it in all attributes, where there are several
        - `lite2_…`: how near they come to real faces, as `Fidelity` has them; `lite2_fd_ratio`, the
          headline, is the geometric mean of the distances' ratios to the held-out faces' own
        - `diversity`: mean pairwise distance within a condition, in units of the real faces' own
        - `near_duplicates`: share of pictures with a neighbour of the same condition closer than
          real faces come but for one in a thousand
        - `sharpness`: mean variance of the Laplacian, in units of the real faces' own
        - `dropped_conditions`, `dropped_clusters`: shares of what real faces show that is hardly
          painted or not at all, as `modes` has it
        """
        labels = self.held_out.labels
        return self.compare(self._paint(paint, latent_dim, labels), labels)

    def draw(self, latent_dim: int) -> tuple[Tensor, Tensor]:
        """The latents [N, Z] and the held-out faces' conditions [N, C] that are painted from."""
        return self._draw(latent_dim, self.held_out.labels)

    def examine(self, paint: Paint, latent_dim: int, fakes: int) -> Examination:
        """As `measure`, but of `fakes` pictures, whose conditions come as often as in the images
        learnt from, value by value too; and of pairs of values that no image shows.

        Fewer fakes than there are held-out faces become as many as those.
        """
        count = max(fakes, len(self.held_out))
        rows = torch.arange(count, device=self.device) % len(self.learnt)
        labels = self.learnt.labels[self._shuffled[rows]]
        images = self._paint(paint, latent_dim, labels)
        figures, places = self._compare(images, labels)
        held = self.held_out
        right, right_real = self._right(images, labels), self._right(held.images, held.labels)
        values = {
            attribute.name: [
                ValueShare(
                    value,
                    *_share(right[:, column], labels[:, column] == number),
                    *_share(right_real[:, column], held.labels[:, column] == number),
                )
                for number, value in enumerate(attribute.values)
            ]
            for column, attribute in enumerate(held.attributes)
        }
        unseen = self._unseen(paint, latent_dim, labels)
        for attribute in held.attributes:
            shares = [p.as_asked[attribute.name] for p in unseen if attribute.name in p.as_asked]
            if shares:
                figures[f"{attribute.name}{UNSEEN}"] = sum(shares) / len(shares)
        clusters, worst = self._worst(images, places)
        return Examination(count, figures, values, unseen, self._dropped(places), clusters, worst)

    def compare(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """As `measure`, of pictures uint8 [N, 3, S, S] painted for labels int64 [N, A].

        Distances of few pictures are larger ones, and in a larger crowd a neighbor is nearer: so
        that the figures compare with those of the held-out faces, many pictures are looked at in
        parts exactly as large as these, the last ones overlapping, and the parts' figures averaged.
        Raises ValueError for fewer pictures than are held out.
        """
        return self._compare(images, labels)[0]

    def _compare(self, images: Tensor, labels: Tensor) -> tuple[dict[str, float], _Places]:
        parts, covered = self._parts(len(images)), 0
        found, places_of_parts = [], []
        for part in parts:
            figures, places = self._figures(images[part], labels[part])
            found.append(figures)
            places_of_parts.append(places.without_first(covered - part.start))
            covered = part.stop
        floor = self._floor
        figures = {name: sum(one[name] for one in found) / len(found) for name in found[0]}
        figures = self.fidelity.ratios(figures) | figures
        places = _Places.together(places_of_parts)
        figures |= self._mode_figures(places)
        real = floor | {FD_RATIO: 1.0, FD_RATIO_POOLED: 1.0}
        for name in ("diversity", "sharpness"):
            figures[name] /= max(real[name], 1e-9)
            real[name] = 1.0
        return figures | {f"{name}{REAL}": value for name, value in real.items()}, places

    def _parts(self, count: int) -> list[slice]:
        """Slices as long as the held-out faces, evenly over so many pictures."""
        size = len(self.held_out)
        if count < size:
            raise ValueError(f"{count} pictures are fewer than the {size} real ones held out")
        parts = math.ceil(count / size)
        starts = [n * (count - size) // max(1, parts - 1) for n in range(parts)]
        return [slice(start, start + size) for start in starts]

    def _paint(self, paint: Paint, latent_dim: int, labels: Tensor) -> Tensor:
        latents, conditions = self._draw(latent_dim, labels)
        with torch.inference_mode():
            return torch.cat(
                [
                    paint(z, c)
                    for z, c in zip(
                        torch.split(latents, 64), torch.split(conditions, 64), strict=True
                    )
                ]
            )

    def _draw(self, latent_dim: int, labels: Tensor) -> tuple[Tensor, Tensor]:
        noise = torch.Generator().manual_seed(0)
        latents = torch.randn(len(labels), latent_dim, generator=noise).to(self.device)
        return latents, one_hot(labels, self.held_out.sizes)

    def _right(self, images: Tensor, labels: Tensor) -> Tensor:
        """Where pictures show what was asked for: 1, elsewhere 0; float32 [N, A]."""
        return self._as_read(self.look(images), labels)

    def _as_read(self, seen: Seen, labels: Tensor) -> Tensor:
        """As `_right`. More is read than was asked for where nothing was."""
        return (seen.labels[:, : labels.shape[1]] == labels.to(self.device)).float()

    def _unseen(self, paint: Paint, latent_dim: int, others: Tensor) -> list[UnseenPair]:
        """Further attributes are taken from `others`, int64 [N, A]."""
        found = []
        for pair in _without_image(self.learnt, self.held_out)[:UNSEEN_PAIRS]:
            labels = others[torch.arange(OF_AN_UNSEEN_PAIR, device=self.device) % len(others)]
            for column, value in pair.items():
                labels[:, column] = value
            shares = self.as_asked(self._paint(paint, latent_dim, labels), labels)
            attributes = {column: self.learnt.attributes[column] for column in pair}
            found.append(
                UnseenPair(
                    {a.name: a.values[pair[column]] for column, a in attributes.items()},
                    {a.name: shares[column] for column, a in attributes.items()},
                )
            )
        return found

    def _figures(self, images: Tensor, labels: Tensor) -> tuple[dict[str, float], _Places]:
        seen, figures = self.look(images), {}
        right = self._as_read(seen, labels)
        for attribute, share in zip(self.held_out.attributes, right.mean(dim=0), strict=True):
            figures[f"{attribute.name}{AS_ASKED}"] = share.item()
        if right.shape[1] > 1:
            figures[ALL_AS_ASKED] = right.all(dim=1).float().mean().item()
        nearest, mean = within(seen.layout, labels)
        figures["near_duplicates"] = (nearest < self._closest).float().mean().item()
        figures["diversity"] = mean
        figures["sharpness"] = sharpness(images)
        return figures | self.fidelity.figures(images), self._place(seen)

    @cached_property
    def _reference(self) -> Seen:
        return self.look(self.learnt.images)

    @cached_property
    def _floor(self) -> dict[str, float]:
        """The held-out faces' own figures."""
        figures, places = self._figures(self.held_out.images, self.held_out.labels)
        return figures | self._mode_figures(places)

    @cached_property
    def _shuffled(self) -> Tensor:
        """Row numbers of the faces learnt from, in an order that is always the same."""
        order = torch.randperm(len(self.learnt), generator=torch.Generator().manual_seed(0))
        return order.to(self.device)

    @cached_property
    def _closest(self) -> float:
        """How near real faces of one condition come: one in a thousand nearest neighbours.

        Not the very nearest pair of all, which is an accident of the data.

        In groups as large as the held-out ones, since more neighbours are nearer ones.
        """
        share = len(self.held_out)
        nearest = [
            within(self._reference.layout[rows], self.learnt.labels[rows])[0]
            for rows in torch.split(self._shuffled, share)
            if len(rows) == share
        ]
        return torch.quantile(torch.cat(nearest).cpu(), 0.001).item()

    def points(self, seen: Seen) -> Tensor:
        """All depths side by side, float32 [N, F], each counting as much as any other: real faces
        are 1 from its mean, on average.
        """
        parts = []
        for depth, features in seen.depths.items():
            real = self._reference.depths[depth]
            mean = real.mean(dim=0)
            spread = (real - mean).square().sum(dim=1).mean().sqrt()
            parts.append((features - mean) / spread.clamp(min=1e-9))
        return torch.cat(parts, dim=1)

    def _place(self, seen: Seen) -> _Places:
        conditions = torch.zeros(len(seen.labels), dtype=torch.int64, device=self.device)
        for column, attribute in enumerate(self.reads):
            conditions = conditions * len(attribute.values) + seen.labels[:, column]
        return _Places(self.points(seen), conditions)

    @cached_property
    def _real(self) -> _Places:
        return self._place(self._reference)

    @cached_property
    def _centres(self) -> Tensor:
        return cluster(self._real.points)

    def _shares(self, places: _Places) -> dict[str, Tensor]:
        """Which share of the pictures each mode has, by kind of modes; [K] each."""
        count = math.prod(len(attribute.values) for attribute in self.reads)
        clusters = assign(places.points, self._centres)
        found = {"clusters": shares(clusters, len(self._centres))}
        return found | ({"conditions": shares(places.conditions, count)} if self.reads else {})

    @cached_property
    def _real_shares(self) -> dict[str, Tensor]:
        return self._shares(self._real)

    def _reach(self, places: _Places) -> dict[str, Tensor]:
        count = len(places.points)
        return {
            kind: reach(self._real_shares[kind], painted, count)
            for kind, painted in self._shares(places).items()
        }

    def _mode_figures(self, places: _Places) -> dict[str, float]:
        found = self._reach(places)
        return {f"dropped_{kind}": dropped(reached) for kind, reached in found.items()}

    def _dropped(self, places: _Places) -> list[Mode]:
        """Conditions, the one first that most real faces have."""
        if not self.reads:
            return []
        reached = self._reach(places)["conditions"]
        real, painted = (found["conditions"] for found in (self._real_shares, self._shares(places)))
        hardly = (reached < HARDLY).nonzero().flatten().tolist()
        hardly.sort(key=lambda number: -real[number].item())
        return [Mode(self._name(n), real[n].item(), painted[n].item()) for n in hardly]

    def _name(self, condition: int) -> dict[str, str]:
        names = {}
        for attribute in reversed(self.reads):
            condition, value = divmod(condition, len(attribute.values))
            names[attribute.name] = attribute.values[value]
        return dict(reversed(names.items()))

    def _worst(self, images: Tensor, places: _Places) -> tuple[list[Mode], Tensor]:
        """The clusters of `Examination`, and their pictures."""
        reached = self._reach(places)["clusters"]
        real, painted = (found["clusters"] for found in (self._real_shares, self._shares(places)))
        told = int((~reached.isnan()).sum())
        # The least reached first, of several the largest.
        order = sorted(
            range(len(reached)), key=lambda n: (reached[n].nan_to_num(math.inf), -real[n])
        )
        worst = order[: min(WORST, told)]
        pictures = []
        for number in worst:
            centre = self._centres[number : number + 1]
            typical = torch.cdist(centre, self._real.points)[0].argsort()[:OF_THE_WORST]
            fakes = torch.cdist(self._real.points[typical], places.points).argmin(dim=1)
            shown = self.learnt.images[typical], images[fakes.to(images.device)].to(self.device)
            pictures.append(torch.stack(shown))
        size = self.learnt.images.shape[-1]
        none = torch.zeros(0, 2, OF_THE_WORST, 3, size, size, dtype=torch.uint8)
        clusters = [Mode({}, real[n].item(), painted[n].item()) for n in worst]
        return clusters, torch.stack(pictures).cpu() if pictures else none


def _share(right: Tensor, those: Tensor) -> tuple[int, float | None]:
    """How many pictures are meant by `those`, bool [N], and which share of them is right."""
    count = int(those.sum())
    return count, right[those].mean().item() if count else None


def _without_image(*sets: Faces) -> list[dict[int, int]]:
    """Pairs of values that no image shows together, each as attribute's number to value's."""
    sizes = sets[0].sizes
    labels = torch.cat([faces.labels for faces in sets])
    pairs: list[dict[int, int]] = []
    for one, two in combinations(range(len(sizes)), 2):
        both = labels[:, one] * sizes[two] + labels[:, two]
        counts = torch.bincount(both, minlength=sizes[one] * sizes[two])
        missing = (counts == 0).nonzero().flatten().tolist()
        pairs += [{one: number // sizes[two], two: number % sizes[two]} for number in missing]
    return pairs
