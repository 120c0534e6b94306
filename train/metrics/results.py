"""Results of an evaluation, in the form that `judge.json` and the manifest store.

The field names `painted` and `dropped` are keys of these files, and must stay as they are.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

GenerateFn = Callable[[Tensor, Tensor], Tensor]
"""Latents [N, Z] and conditions [N, C] to images uint8 [N, 3, S, S]."""


@dataclass(frozen=True)
class ValueShare:
    """How often the classifier recognizes a value in the images that were generated for it.

    `painted` and `real` are the numbers of generated and of held-out real images of the value. The
    shares are None where the number is 0.
    """

    value: str
    painted: int
    as_asked: float | None
    real: int
    as_asked_real: float | None


@dataclass(frozen=True)
class UnseenPair:
    """Two values that never occur together in the data, and the share of images that show each of
    them when both are requested.
    """

    conditions: dict[str, str]
    as_asked: dict[str, float]


@dataclass(frozen=True)
class Mode:
    """A condition or a cluster of real images, with its share of the real images and of the
    generated ones.
    """

    conditions: dict[str, str]
    """Empty for a cluster."""
    real: float
    painted: float


@dataclass(frozen=True)
class Evaluation:
    """Everything that the judge measures of a finished model."""

    fakes: int
    """Number of generated images."""
    figures: dict[str, float]
    """The figures of `Judge.measure`, and `<attribute>_as_asked_unseen` if there are unseen pairs.
    """
    values: dict[str, list[ValueShare]]
    """By attribute."""
    unseen: list[UnseenPair]
    dropped: list[Mode]
    """Conditions with too few generated images, see `modes`."""
    clusters: list[Mode]
    """The clusters of real images with the lowest relative frequency, in ascending order."""
    worst: Tensor
    """uint8 [K, 2, N, 3, S, S]: for each of these clusters, typical real images and the nearest
    generated image of each."""

    def to_dict(self) -> dict[str, Any]:
        """Everything except the images, for `judge.json`."""
        content = asdict(self)
        del content["worst"]
        return content
