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
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from train.augment import flip_and_shift
from train.data import DataError, Faces, one_hot

STAGES = (24, 48, 96, 128)
FEATURES = 128
FEWEST = 16
"""Images, of which two are held out."""
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


class Judge:
    def __init__(self, classifier: Classifier, faces: Faces) -> None:
        """`faces` is the whole set; the judge splits it as the training does."""
        self.classifier = classifier.eval()
        self.learnt, self.held_out = faces.split()
        self.device = faces.images.device
        self._reference: Seen | None = None

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
            torch.cat(labels),
            torch.cat(layouts),
        )

    def as_asked(self, images: Tensor, labels: Tensor) -> list[float]:
        """The share of pictures that show the value asked for, one share an attribute."""
        seen = self.look(images).labels
        return (seen == labels.to(seen.device)).float().mean(dim=0).tolist()

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
        held, sizes = self.held_out, self.held_out.sizes
        conditions = one_hot(held.labels, sizes)
        noise = torch.Generator().manual_seed(0)
        latents = torch.randn(len(held), latent_dim, generator=noise).to(self.device)
        with torch.inference_mode():
            fakes = torch.cat(
                [paint(z, c) for z, c in zip(latents.split(64), conditions.split(64), strict=True)]
            )
        return self.compare(fakes)

    def compare(self, images: Tensor) -> dict[str, float]:
        """As `measure`, of pictures uint8 [N, 3, S, S] painted for the held-out conditions."""
        if self._reference is None:
            self._reference = self.look(self.learnt.images)
            self._floor = self._figures(self.look(self.held_out.images))
        figures = self._figures(self.look(images))
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

    def _figures(self, seen: Seen) -> dict[str, float]:
        assert self._reference is not None
        figures: dict[str, float] = {}
        right = (seen.labels == self.held_out.labels).float().mean(dim=0).tolist()
        for attribute, share in zip(self.held_out.attributes, right, strict=True):
            figures[f"{attribute.name}_as_asked"] = share
        for depth, features in seen.depths.items():
            figures[f"distance_{depth}"] = _frechet(self._reference.depths[depth], features)
        figures["fid"] = figures["distance_features"]
        figures["kid"] = _kernel(self._reference.depths["features"], seen.depths["features"])
        nearest, mean = _within(seen.layout, self.held_out.labels)
        figures["near_duplicates"] = (nearest < self._closest()).float().mean().item()
        figures["diversity"] = mean
        return figures

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


def prepare(faces: Faces, folder: Path, *, images: int, report: Callable[[str], None]) -> Judge:
    """The judge of these faces: from the cache in `folder`, or trained on `images` images.

    Without attributes it learns which of four ways up a picture is (Gidaris et al. 2018).
    Raises DataError for fewer than FEWEST images.
    """
    if len(faces) < FEWEST:
        raise DataError(
            f"{len(faces)} images are too few: an eighth is held out to judge by, and distances "
            f"need at least two of those; bring {FEWEST} or more (a few thousand to learn well)"
        )
    size = faces.images.shape[-1]
    file = folder / f"judge-{faces.fingerprint}-{images // 1000}k-v{VERSION}.safetensors"
    sizes = faces.sizes or (4,)
    if file.is_file():
        classifier = Classifier(size, sizes)
        classifier.load_state_dict(load_file(file))
        return Judge(classifier.to(faces.images.device), faces)
    learnt, held_out = faces.split()
    classifier = _train(learnt, sizes, images, report)
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


def _train(
    faces: Faces, sizes: tuple[int, ...], images: int, report: Callable[[str], None]
) -> Classifier:
    device = faces.images.device
    rng = torch.Generator(device=device).manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
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
