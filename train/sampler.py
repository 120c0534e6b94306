"""Which images and conditions a batch has."""

import torch
from torch import Tensor

from train.data import Faces


class GroupSampler:
    """Draws batches in groups of neighbours that share a condition.

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
        key = torch.zeros(len(faces), dtype=torch.int64, device=device)
        for column, size in enumerate(faces.sizes):
            key = key * size + faces.labels[:, column]
        _, condition = torch.unique(key, return_inverse=True)
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
