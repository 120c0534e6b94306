"""Samplers of images and conditions for training batches."""

import math

import torch
from torch import Tensor

from train.data import Faces
from train.settings import TrainSettings

MAX_COMBINATIONS = 1_000_000
"""Upper limit of the combinations of values for which unseen ones are listed."""


class GroupSampler:
    """Draws batches of groups; the images of a group have the same condition.

    The condition of a group is that of a random image, so conditions have the frequencies of the
    data. A condition with fewer images than a group repeats images.
    """

    def __init__(self, faces: Faces, batch: int, group: int, rng: torch.Generator) -> None:
        """`rng` must be on the device of `faces`."""
        device = faces.images.device
        self.groups, self.group, self.rng = batch // group, group, rng
        shuffled = torch.randperm(
            len(faces), generator=torch.Generator().manual_seed(0)
        ).to(device)  # fmt: skip
        condition = _numbered_conditions(faces)
        self.rows = shuffled[torch.argsort(condition[shuffled], stable=True)]
        self.counts = torch.bincount(condition)
        self.starts = self.counts.cumsum(0) - self.counts
        self.condition = condition

    def __call__(self) -> Tensor:
        """Row numbers int64 [batch]."""
        device, size = self.rows.device, (self.groups, self.group)
        anchors = torch.randint(len(self.rows), (self.groups,), generator=self.rng, device=device)
        condition = self.condition[anchors].unsqueeze(1)
        count = self.counts[condition]
        # One draw from each interval of the (shuffled) members, so that none is drawn twice; the
        # intervals have a random offset, so that any two members can be in a group.
        bounds = torch.arange(self.group + 1, device=device) * count // self.group
        first, width = bounds[:, :-1], bounds.diff(dim=1).clamp(min=1)
        draw = torch.rand(size, generator=self.rng, device=device)
        turn = torch.rand(self.groups, 1, generator=self.rng, device=device)
        offset = (first + (draw * width).long() + (turn * count).long()) % count
        return self.rows[self.starts[condition] + offset].flatten()


class UnseenSampler:
    """Draws conditions that no image has: a batch at every n-th step, else an empty one."""

    def __init__(
        self, faces: Faces, settings: TrainSettings, rng: torch.Generator, rows: slice
    ) -> None:
        """`rows` are this process's rows of a batch."""
        self.conditions = unseen_conditions(faces)
        self.size = settings.optimizer.batch, settings.network.latent_dim
        self.every = settings.objective.unseen_every if len(self.conditions) else 0
        self.rng, self.rows = rng, rows

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Labels int64 [N, A] and latents float32 [N, Z]; N = 0 at the other steps."""
        device, (batch, latent_dim) = self.conditions.device, self.size
        # Halfway between two penalty steps, which are slow already.
        if not self.every or step % self.every != self.every // 2:
            return self.conditions[:0], torch.zeros(0, latent_dim, device=device)
        drawn = torch.randint(len(self.conditions), (batch,), generator=self.rng, device=device)
        latent = torch.randn(batch, latent_dim, generator=self.rng, device=device)
        return self.conditions[drawn[self.rows]], latent[self.rows]


def unseen_conditions(faces: Faces) -> Tensor:
    """Combinations of values that no image has, as labels int64 [U, A].

    Empty for more than MAX_COMBINATIONS combinations, since nearly all of them are unseen then.
    """
    device = faces.images.device
    if math.prod(faces.sizes) > MAX_COMBINATIONS:
        return faces.labels[:0]
    number = torch.zeros(len(faces), dtype=torch.int64, device=device)
    for column, size in enumerate(faces.sizes):
        number = number * size + faces.labels[:, column]
    counts = torch.bincount(number, minlength=math.prod(faces.sizes))
    left = (counts == 0).nonzero().squeeze(1)
    columns = []
    for size in reversed(faces.sizes):
        columns.append(left % size)
        left = left // size
    none = torch.zeros(0, 0, dtype=torch.int64, device=device)
    return torch.stack(columns[::-1], dim=1) if columns else none


def _numbered_conditions(faces: Faces) -> Tensor:
    """The number of each image's condition among those of the data, int64 [N].

    Not the number of the combination among all: with many attributes that exceeds an int64.
    """
    if not faces.attributes:
        return torch.zeros(len(faces), dtype=torch.int64, device=faces.images.device)
    numbers: Tensor = torch.unique(faces.labels, dim=0, return_inverse=True)[1]
    return numbers
