"""The judge: a small classifier of the attributes, and what it measures of painted faces.

The last layer of such a classifier sees colour and little else, so blurry fakes look almost perfect
to it. Distances are therefore taken at five depths, each as a ratio to its floor: the same distance
for real faces that neither the judge nor the generator has seen.
"""

import json
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from train.augment import flip_and_shift
from train.data import SHOWN, DataError, Faces, one_hot

STAGES = (24, 48, 96, 128)
FEATURES = 128
FEWEST = 16
"""Images, of which two are held out."""
FEWEST_OF_A_VALUE = 8
"""Images that show a value; from fewer the judge would learn single pictures, not the value."""
UNSEEN_PAIRS = 12
"""Pairs of values without any image that are painted, at the most."""
OF_AN_UNSEEN_PAIR = 200
"""Pictures of each."""
SECOND = 1
"""Seed of the second judge, by which nothing is chosen: the figures that are shown are its own."""
VERSION = 1
"""Goes up when the judge changes, so that no figure is compared with one of another judge."""

Paint = Callable[[Tensor, Tensor], Tensor]
"""Latents [N, Z] and conditions [N, C] to pictures uint8 [N, 3, S, S]."""


class Classifier(nn.Module):
    """Four stages that halve the picture, a fully connected layer, and a head per attribute."""

    def __init__(self, image_size: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        channels = (3, *STAGES)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(inplace=True),
                nn.Conv2d(b, b, 3, padding=1, bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(inplace=True),
            )
            for a, b in pairwise(channels)
        )
        self.features = nn.Linear(STAGES[-1] * (image_size // 16) ** 2, FEATURES)
        self.heads = nn.ModuleList(nn.Linear(FEATURES, size) for size in sizes)

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor, list[Tensor]]:
        """uint8 [N, 3, S, S] to each stage's maps, the last features, and the heads' logits."""
        x = image.float() / 127.5 - 1
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        features = F.relu(self.features(x.flatten(1)))
        return maps, features, [head(features) for head in self.heads]


@dataclass(frozen=True)
class Seen:
    """What the judge sees in a set of pictures."""

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
class Examination:
    fakes: int
    figures: dict[str, float]
    """As `Judge.measure` names them, and `<attribute>_as_asked_unseen` where pairs are unseen."""
    values: dict[str, list[ValueShare]]
    """By attribute."""
    unseen: list[UnseenPair]


class Judge:
    def __init__(self, classifier: Classifier, faces: Faces) -> None:
        """`faces` is the whole set; the judge splits it as the training does."""
        self.classifier, self.faces = classifier.eval(), faces
        self.learnt, self.held_out = faces.split()
        self.device = faces.images.device
        self._reference: Seen | None = None

    def of_unconditional(self) -> "Judge":
        """The same judge, for generators that cannot be asked."""
        return Judge(self.classifier, self.faces.without_attributes())

    @torch.inference_mode()
    def look(self, images: Tensor) -> Seen:
        """Pictures uint8 [N, 3, S, S]."""
        depths: dict[str, list[Tensor]] = {}
        labels, layouts = [], []
        for batch in images.split(256):
            maps, features, logits = self.classifier(batch.to(self.device))
            for number, stage in enumerate(maps, 1):
                deviation, mean = torch.std_mean(stage.flatten(2), dim=2)
                depths.setdefault(f"stage{number}", []).append(torch.cat([mean, deviation], dim=1))
            depths.setdefault("features", []).append(features)
            columns = [head.argmax(dim=1) for head in logits]
            none = features.new_zeros((len(batch), 0), dtype=torch.int64)
            labels.append(torch.stack(columns, dim=1) if columns else none)
            layouts.append(_layout(maps))
        return Seen(
            {name: torch.cat(parts) for name, parts in depths.items()},
            torch.cat(labels)[:, : len(self.faces.attributes)],
            torch.cat(layouts),
        )

    def as_asked(self, images: Tensor, labels: Tensor) -> list[float]:
        """The share of pictures that show the value asked for, one share an attribute."""
        return self._right(images, labels).mean(dim=0).tolist()

    def measure(self, paint: Paint, latent_dim: int) -> dict[str, float]:
        """Every figure of a generator, each beside the held-out real faces' own (`…_real`).

        Paints one picture for each held-out face, under its condition, from latents of a fixed
        seed; all distances are to the faces that were learnt from.

        - `<attribute>_as_asked`: share of pictures that show what was asked
        - `distance_<depth>`: Fréchet distance (Heusel et al. 2017) at that depth
        - `q`: geometric mean of these distances' ratios to the held-out faces' own; 1 = as real
        - `fid`, `kid`: at the last features (Bińkowski et al. 2018)
        - `diversity`: mean pairwise distance within a condition, in units of the real faces' own
        - `near_duplicates`: share of pictures with a neighbour of the same condition closer than
          real faces come but for one in a thousand
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
        order = torch.randperm(len(self.learnt), generator=torch.Generator().manual_seed(0))
        labels = self.learnt.labels[order.to(self.device)[rows]]
        images = self._paint(paint, latent_dim, labels)
        figures = self.compare(images, labels)
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
                figures[f"{attribute.name}_as_asked_unseen"] = sum(shares) / len(shares)
        return Examination(count, figures, values, unseen)

    def compare(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """As `measure`, of pictures uint8 [N, 3, S, S] painted for labels int64 [N, A].

        Distances of few pictures are larger ones, and in a larger crowd a neighbour is nearer: so
        that the figures compare with those of the held-out faces, many pictures are looked at in
        parts as large as these, and the parts' figures averaged.
        """
        if self._reference is None:
            self._reference = self.look(self.learnt.images)
            self._floor = self._figures(self.held_out.images, self.held_out.labels)
        parts = max(1, round(len(images) / len(self.held_out)))
        split = zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True)
        found = [self._figures(*part) for part in split]
        figures = {name: sum(part[name] for part in found) / parts for name in found[0]}
        # Real faces that are all one and the same have no distance at all.
        ratios = [
            figures[f"distance_{depth}"] / max(self._floor[f"distance_{depth}"], 1e-9)
            for depth in self._reference.depths
        ]
        figures["q"] = math.exp(sum(math.log(max(r, 1e-9)) for r in ratios) / len(ratios))
        real = self._floor | {"q": 1.0}
        figures["diversity"] /= max(real["diversity"], 1e-9)
        real["diversity"] = 1.0
        return figures | {f"{name}_real": value for name, value in real.items()}

    def _paint(self, paint: Paint, latent_dim: int, labels: Tensor) -> Tensor:
        latents, conditions = self._draw(latent_dim, labels)
        with torch.inference_mode():
            return torch.cat(
                [paint(z, c) for z, c in zip(latents.split(64), conditions.split(64), strict=True)]
            )

    def _draw(self, latent_dim: int, labels: Tensor) -> tuple[Tensor, Tensor]:
        noise = torch.Generator().manual_seed(0)
        latents = torch.randn(len(labels), latent_dim, generator=noise).to(self.device)
        return latents, one_hot(labels, self.held_out.sizes)

    def _right(self, images: Tensor, labels: Tensor) -> Tensor:
        """Where pictures show what was asked for: 1, elsewhere 0; float32 [N, A]."""
        seen = self.look(images).labels
        return (seen == labels.to(seen.device)).float()

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

    def _figures(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        assert self._reference is not None
        seen, figures = self.look(images), {}
        right = (seen.labels == labels.to(self.device)).float().mean(dim=0).tolist()
        for attribute, share in zip(self.held_out.attributes, right, strict=True):
            figures[f"{attribute.name}_as_asked"] = share
        for depth, features in seen.depths.items():
            figures[f"distance_{depth}"] = _frechet(self._reference.depths[depth], features)
        figures["fid"] = figures["distance_features"]
        figures["kid"] = _kernel(self._reference.depths["features"], seen.depths["features"])
        nearest, mean = _within(seen.layout, labels)
        figures["near_duplicates"] = (nearest < self._closest).float().mean().item()
        figures["diversity"] = mean
        return figures

    @cached_property
    def _closest(self) -> float:
        """How near real faces of one condition come: one in a thousand nearest neighbours.

        Not the very nearest pair of all, which is an accident of the data.

        In groups as large as the held-out ones, since more neighbours are nearer ones.
        """
        assert self._reference is not None
        order = torch.randperm(len(self.learnt), generator=torch.Generator().manual_seed(0))
        share = len(self.held_out)
        nearest = [
            _within(self._reference.layout[rows], self.learnt.labels[rows])[0]
            for rows in order.to(self.device).split(share)
            if len(rows) == share
        ]
        return torch.quantile(torch.cat(nearest).cpu(), 0.001).item()


def _layout(maps: list[Tensor]) -> Tensor:
    """Unit-length feature vectors on an 8×8 grid, from the second and third stages, [N, L].

    The comparison of LPIPS (Zhang et al. 2018), without its learnt weights.
    """
    parts = []
    for stage in maps[1:3]:
        grid = F.adaptive_avg_pool2d(stage, 8)
        unit = F.normalize(grid, dim=1)
        parts.append(unit.flatten(1) / 8)
    return torch.cat(parts, dim=1)


def _within(layout: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Distances between pictures of one condition: to the nearest one [N'], and their mean.

    Conditions with a single picture are left out; where no two pictures share one (few pictures,
    or many attributes), all count as of one.
    """
    groups = torch.zeros(len(labels), dtype=torch.int64, device=labels.device)
    if labels.shape[1]:
        conditions, inverse = torch.unique(labels, dim=0, return_inverse=True)
        groups = inverse if len(conditions) < len(labels) else groups
    nearest, total, pairs = [], 0.0, 0
    for group in range(int(groups.max()) + 1):
        members = layout[groups == group]
        if len(members) < 2:
            continue
        distances = torch.cdist(members, members)
        total += distances.sum().item()
        pairs += len(members) * (len(members) - 1)
        nearest.append(distances.fill_diagonal_(math.inf).min(dim=1).values)
    return torch.cat(nearest), total / pairs


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


class _AsFeatures(nn.Identity):
    """Lets torchmetrics take features that the judge has computed already."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def _frechet(real: Tensor, other: Tensor) -> float:
    metric = FrechetInceptionDistance(_AsFeatures(real.shape[1]))
    metric.update(real.cpu(), real=True)
    metric.update(other.cpu(), real=False)
    return metric.compute().item()


def _kernel(real: Tensor, other: Tensor) -> float:
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it keeps all features: it may
        torch.manual_seed(0)
        metric = KernelInceptionDistance(
            _AsFeatures(real.shape[1]), subsets=20, subset_size=min(1000, len(other))
        )
        metric.update(real.cpu(), real=True)
        metric.update(other.cpu(), real=False)
        return metric.compute()[0].item()


def prepare(
    faces: Faces, folder: Path, *, images: int, report: Callable[[str], None], seed: int = 0
) -> Judge:
    """The judge of these faces: from the cache in `folder`, or trained on `images` images.

    Another `seed` is another judge: of other first weights, which saw the faces in another order.
    Where something was chosen by one judge, another one measures it.
    Without attributes it learns which of four ways up a picture is (Gidaris et al. 2018).
    Raises DataError for fewer than FEWEST images, or FEWEST_OF_A_VALUE of a value.
    """
    _check(faces)
    size = faces.images.shape[-1]
    which = f"{images // 1000}k" + (f"-seed{seed}" if seed else "")
    file = folder / f"judge-{faces.fingerprint}-{which}-v{VERSION}.safetensors"
    sizes = faces.sizes or (4,)
    if file.is_file():
        classifier = Classifier(size, sizes)
        classifier.load_state_dict(load_file(file))
        return Judge(classifier.to(faces.images.device), faces)
    learnt, held_out = faces.split()
    classifier = _train(learnt, sizes, images, seed, report)
    judge = Judge(classifier, faces)
    if faces.attributes:
        shares = judge.as_asked(held_out.images, held_out.labels)
        named = {a.name: round(s, 4) for a, s in zip(faces.attributes, shares, strict=True)}
        report(f"the judge reads held-out faces right: {json.dumps(named)}")
    folder.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}")
    save_file({k: v.contiguous() for k, v in classifier.cpu().state_dict().items()}, beside)
    beside.replace(file)
    classifier.to(faces.images.device)
    return judge


def _check(faces: Faces) -> None:
    if len(faces) < FEWEST:
        raise DataError(
            f"{len(faces)} images are too few: an eighth is held out to judge by, and distances "
            f"need at least two of those; bring {FEWEST} or more (a few thousand to learn well)"
        )
    few = [
        f"{attribute.name} {value!r} has {count}"
        for column, attribute in enumerate(faces.attributes)
        for value, count in zip(
            attribute.values,
            torch.bincount(faces.labels[:, column], minlength=len(attribute.values)).tolist(),
            strict=True,
        )
        if count < FEWEST_OF_A_VALUE
    ]
    if few:
        more = f" and {len(few) - SHOWN} more" if len(few) > SHOWN else ""
        raise DataError(
            f"too few images of some values: {', '.join(few[:SHOWN])}{more}. The judge needs "
            f"{FEWEST_OF_A_VALUE} or more of each to learn what it looks like: bring more, give "
            "these images the value next to it, or take them out"
        )


def _train(
    faces: Faces, sizes: tuple[int, ...], images: int, seed: int, report: Callable[[str], None]
) -> Classifier:
    device = faces.images.device
    rng = torch.Generator(device=device).manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = Classifier(faces.images.shape[-1], sizes)
    classifier.to(device).to(memory_format=torch.channels_last)
    batch = min(32, len(faces))
    steps = max(1, images // batch)
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    for step in range(steps):
        rows = torch.randint(len(faces), (batch,), generator=rng, device=device)
        pictures, labels = flip_and_shift(faces.images[rows], rng), faces.labels[rows]
        if not faces.attributes:
            turns = torch.randint(4, (batch,), generator=rng, device=device)
            pictures = torch.stack(
                [p.rot90(int(k), (1, 2)) for p, k in zip(pictures, turns, strict=True)]
            )
            labels = turns.unsqueeze(1)
        _, _, logits = classifier(pictures)
        losses = [
            F.cross_entropy(head, labels[:, i], label_smoothing=0.05)
            for i, head in enumerate(logits)
        ]
        optimiser.zero_grad()
        torch.stack(losses).sum().backward()
        optimiser.step()
        schedule.step()
        if step % 500 == 0 or step == steps - 1:
            report(f"training the judge: {(step + 1) * batch:,} of {steps * batch:,} images")
    return classifier.eval()
