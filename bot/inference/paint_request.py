"""A request for pictures, which one or several batches paint."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from bot.errors import ModelUnavailable
from bot.inference.batch import Batch
from bot.inference.model_info import ModelInfo


@dataclass(eq=False, slots=True)
class PaintRequest:
    """`latents` [n, N, Z] are the candidates, `conditions` [n, C]. Batches add to `images` and to
    `chosen`, the latents of these pictures.
    """

    user: str
    model: ModelInfo
    latents: np.ndarray
    conditions: np.ndarray
    size: int
    share: Fraction  # of a batch, taken by one picture
    counted: bool  # in the statistics
    answer: asyncio.Future[tuple[np.ndarray, np.ndarray]]
    remaining: int = 0  # pictures that no batch has taken yet
    images: dict[int, np.ndarray] = field(default_factory=dict)  # by index
    chosen: dict[int, np.ndarray] = field(default_factory=dict)
    created: float = field(default_factory=time.perf_counter)

    def __len__(self) -> int:
        return len(self.latents)

    def deliver(
        self, indices: range, images: Iterator[np.ndarray], latents: Iterator[np.ndarray]
    ) -> None:
        """Takes the pictures of these indices, and answers if none is missing any more."""
        for i in indices:
            self.images[i], self.chosen[i] = next(images), next(latents)
        if len(self.images) == len(self) and not self.answer.done():
            self.answer.set_result((_stack(self.images), _stack(self.chosen)))

    def refuse(self, refusal: ModelUnavailable) -> None:
        """Does nothing if the request is answered or canceled."""
        if not self.answer.done():
            self.answer.set_exception(refusal)


Part = tuple[PaintRequest, range]
"""Pictures of a request that one batch paints."""


def new_request(
    max_batch: int,
    model: ModelInfo,
    latents: np.ndarray,
    conditions: np.ndarray,
    size: int | None,
    user: str,
    counted: bool,
) -> PaintRequest:
    """Raises ValueError for arrays or a size that do not fit the model."""
    n, z, c = len(latents), model.manifest.latent_dim, model.manifest.condition_dim
    if n == 0 or latents.ndim != 3 or latents.shape[1] == 0 or latents.shape[2] != z:
        raise mismatch(model, latents, conditions)
    if conditions.shape != (n, c):
        raise mismatch(model, latents, conditions)
    size = size or model.sizes[-1]
    if size not in model.sizes:
        raise ValueError(f"model {model.name} paints at {model.sizes} pixels, not at {size}")
    if not model.has_scorer:
        latents = latents[:, :1]
    share = Fraction(latents.shape[1], max_batch)
    if size > model.manifest.image_size:
        share = max(share, Fraction(1, model.upscaled_at_once))
    return PaintRequest(
        user,
        model,
        np.ascontiguousarray(latents, np.float32),
        np.ascontiguousarray(conditions, np.float32),
        size,
        share,
        counted,
        asyncio.get_running_loop().create_future(),
        remaining=n,
    )


def mismatch(model: ModelInfo, latents: np.ndarray, conditions: np.ndarray) -> ValueError:
    z, c = model.manifest.latent_dim, model.manifest.condition_dim
    return ValueError(
        f"model {model.name} takes latents (n, {z}) or candidates (n, N, {z}), and conditions "
        f"(n, {c}) with n and N at least 1, not {latents.shape} and {conditions.shape}"
    )


def taken(request: PaintRequest, count: int) -> Part:
    """The pictures that the queue has just taken from the request."""
    end = len(request) - request.remaining
    return request, range(end - count, end)


def batch_of(parts: list[Part]) -> Batch:
    return Batch(
        [request.latents[i] for request, indices in parts for i in indices],
        [request.conditions[i] for request, indices in parts for i in indices],
        [request.size for request, indices in parts for _ in indices],
        sum((request.share * len(indices) for request, indices in parts), Fraction()),
    )


def _stack(arrays: dict[int, np.ndarray]) -> np.ndarray:
    """The arrays in the order of their indices, which batches may have painted in another one."""
    return np.stack([arrays[i] for i in range(len(arrays))])
