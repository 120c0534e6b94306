"""Which images and conditions a batch has, and which conditions no image has."""

import math

import torch
from torch import Tensor

from train.data import Faces
from train.settings import TrainSettings

LISTED = 1_000_000
"""Combinations of values that are looked through for those without an image, at the most."""


class GroupSampler:
    """Draws batches in groups of neighbors that share a condition.

    A group's condition is that of an image drawn at random, so conditions come as often as in the
    data. A condition with fewer images than a group repeats them.
    """

    def __init__(self, faces: Faces, batch: int, group: int, rng: torch.Generator) -> None:
        """Everything stays on the device of `faces`; `rng` must be of the same device."""
        device = faces.images.device
        self.groups, self.group, self.rng = batch // group, group, rng
        shuffled = torch.randperm(
            len(faces), generator=torch.Generator().manual_seed(0)
        ).to(device)  # fmt: skip
        _, condition = torch.unique(_number(faces), return_inverse=True)
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
        # One draw from each stretch of the (shuffled) members, so that none is drawn twice; the
        # stretches begin anywhere, so that any two members can meet.
        bounds = torch.arange(self.group + 1, device=device) * count // self.group
        first, width = bounds[:, :-1], bounds.diff(dim=1).clamp(min=1)
        draw = torch.rand(size, generator=self.rng, device=device)
        turn = torch.rand(self.groups, 1, generator=self.rng, device=device)
        offset = (first + (draw * width).long() + (turn * count).long()) % count
        return self.rows[self.starts[condition] + offset].flatten()


class UnseenSampler:
    """Draws conditions that no image shows: a batch of them at some steps, none at the others."""

    def __init__(
        self, faces: Faces, settings: TrainSettings, rng: torch.Generator, rows: slice
    ) -> None:
        """`rows` are this process's rows of a batch."""
        self.conditions = unseen_conditions(faces)
        self.size = settings.optimizer.batch, settings.network.latent_dim
        self.every = settings.objective.unseen_every if len(self.conditions) else 0
        self.rng, self.rows = rng, rows

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Labels int64 [N, A] and latents float32 [N, Z]; N is 0 where there are none."""
        device, (batch, latent_dim) = self.conditions.device, self.size
        # Halfway between two penalties, which make a step slow already.
        if not self.every or step % self.every != self.every // 2:
            return self.conditions[:0], torch.zeros(0, latent_dim, device=device)
        drawn = torch.randint(len(self.conditions), (batch,), generator=self.rng, device=device)
        latent = torch.randn(batch, latent_dim, generator=self.rng, device=device)
        return self.conditions[drawn[self.rows]], latent[self.rows]


def unseen_conditions(faces: Faces) -> Tensor:
    """Combinations of values that no image shows, as labels int64 [U, A].

    None where there are more combinations than LISTED: nearly all of those are unseen, and what is
    asked for does not come from the few that are named here.
    """
    device = faces.images.device
    if math.prod(faces.sizes) > LISTED:
        return faces.labels[:0]
    counts = torch.bincount(_number(faces), minlength=math.prod(faces.sizes))
    left = (counts == 0).nonzero().squeeze(1)
    columns = []
    for size in reversed(faces.sizes):
        columns.append(left % size)
        left = left // size
    none = torch.zeros(0, 0, dtype=torch.int64, device=device)
    return torch.stack(columns[::-1], dim=1) if columns else none


def _number(faces: Faces) -> Tensor:
    """Each image's combination of values as one number, int64 [N]."""
    number = torch.zeros(len(faces), dtype=torch.int64, device=faces.images.device)
    for column, size in enumerate(faces.sizes):
        number = number * size + faces.labels[:, column]
    return number
