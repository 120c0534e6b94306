"""Decoded images and labels, and the split into training and held-out sets."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from export.manifest import Attribute

HELD_OUT = 2000
"""Upper limit of the number of held-out images."""


@dataclass(frozen=True)
class Faces:
    """Decoded images and their labels, on the training device."""

    name: str
    images: Tensor
    """uint8 [N, 3, S, S] RGB."""
    labels: Tensor
    """int64 [N, A]: the index of each attribute's value."""
    attributes: tuple[Attribute, ...]
    enlarged: int = 0
    """Number of images that were smaller and are scaled up."""
    summary: str = ""
    """Layout of the data, and what is used of it."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each attribute."""
        return tuple(len(attribute.values) for attribute in self.attributes)

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the SHA-256 of images, labels and values."""
        digest = hashlib.sha256(repr([(a.name, a.values) for a in self.attributes]).encode())
        for tensor in (self.images, self.labels):
            digest.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
        return digest.hexdigest()[:16]

    def without_attributes(self) -> "Faces":
        """The same images without labels; always the same object, since its split is shared."""
        return self._untagged

    @cached_property
    def _untagged(self) -> "Faces":
        return replace(self, labels=self.labels[:, :0], attributes=())

    def split(self) -> tuple["Faces", "Faces"]:
        """Training set and held-out set: an eighth, HELD_OUT at most. Deterministic.

        Copies the images once: the training and all judges of these faces share the two sets.
        """
        return self._split

    @cached_property
    def _split(self) -> tuple["Faces", "Faces"]:
        order = np.random.RandomState(0).permutation(len(self))
        held = min(HELD_OUT, len(self) // 8)
        return self._pick(order[held:]), self._pick(order[:held])

    def _pick(self, rows: np.ndarray) -> "Faces":
        index = torch.from_numpy(np.sort(rows)).to(self.images.device)
        return replace(self, images=self.images[index], labels=self.labels[index])


def one_hot(labels: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Labels [N, A] to conditions float32 [N, C]: concatenated one-hot blocks."""
    if not sizes:
        return torch.zeros(len(labels), 0, device=labels.device)
    blocks = [F.one_hot(labels[:, i], size) for i, size in enumerate(sizes)]
    return torch.cat(blocks, dim=1).float()
