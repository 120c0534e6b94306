"""One batch of pictures: painting, the choice among candidates, upscaling."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bot.inference.model import Model
from export.candidates import best_candidate


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures by one model: the candidates [N, Z] of each, its condition [C], and its size in
    pixels. `share` is the part of a full batch that they take; only one picture may exceed 1.
    """

    candidates: list[np.ndarray]
    conditions: list[np.ndarray]
    sizes: list[int]
    share: Fraction

    def __len__(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True, slots=True)
class PaintedBatch:
    """The pictures, uint8 [S, S, 3] each, and the candidates [Z] that were kept."""

    images: list[np.ndarray]
    latents: list[np.ndarray]
    upscaled: int  # pictures
    upscale_seconds: float


def paint_batch(model: Model, batch: Batch) -> PaintedBatch:
    """Paints all candidates, keeps the best one of each picture, and upscales it. Blocks."""
    counts = [len(candidates) for candidates in batch.candidates]
    latents = np.concatenate(batch.candidates)
    conditions = np.repeat(batch.conditions, counts, axis=0)
    painted, unrounded = model.paint(latents, conditions)
    best = _best_candidates(model, painted, conditions, counts)
    started = time.perf_counter()
    images = _upscale(model, painted[best], unrounded[best], batch.sizes)
    return PaintedBatch(
        images,
        list(latents[best]),
        sum(size != model.manifest.image_size for size in batch.sizes),
        time.perf_counter() - started,
    )


def join(batches: Sequence[Batch]) -> Batch:
    """One batch with the pictures of all."""
    return Batch(
        [candidates for batch in batches for candidates in batch.candidates],
        [condition for batch in batches for condition in batch.conditions],
        [size for batch in batches for size in batch.sizes],
        sum((batch.share for batch in batches), Fraction()),
    )


def split(painted: PaintedBatch, batches: Sequence[Batch], image_size: int) -> list[PaintedBatch]:
    """The pictures of each of the batches that were joined; `image_size` is the generator's."""
    parts, start = [], 0
    for batch in batches:
        own = slice(start, start + len(batch))
        start += len(batch)
        upscaled = sum(size != image_size for size in batch.sizes)
        seconds = painted.upscale_seconds * upscaled / max(1, painted.upscaled)
        parts.append(PaintedBatch(painted.images[own], painted.latents[own], upscaled, seconds))
    return parts


def _best_candidates(
    model: Model, painted: np.ndarray, conditions: np.ndarray, counts: list[int]
) -> list[int]:
    """Index of each picture's best candidate among all painted candidates; `counts` are the
    numbers of candidates per picture.
    """
    has_rivals = np.repeat(counts, counts) > 1
    scores = np.zeros(len(painted))
    if has_rivals.any():
        scores[has_rivals] = model.score(painted[has_rivals], conditions[has_rivals])
    starts = np.cumsum(counts) - counts
    return [
        start + int(best_candidate(scores[start : start + count]))
        for start, count in zip(starts, counts, strict=True)
    ]


def _upscale(
    model: Model, painted: np.ndarray, unrounded: np.ndarray, sizes: list[int]
) -> list[np.ndarray]:
    """Upscales each of the pictures, both [n, S, S, 3] as of `Model.paint`, to its own size."""
    images = list(painted)
    for size in set(sizes) - {model.manifest.image_size}:
        indices = [i for i, wanted in enumerate(sizes) if wanted == size]
        for i, image in zip(indices, model.upscale(unrounded[indices], size), strict=True):
            images[i] = image
    return images
