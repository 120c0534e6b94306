"""Tests whether the tags fit the images, to find tables whose lines belong to other images."""

from collections.abc import Mapping, Sequence

import numpy as np

from train.data.captions import COLORS
from train.data.records import Entry

MIN_IMAGES, MAX_IMAGES = 400, 4_000
SIDE = 16
"""Side in pixels of the images that the values are predicted from."""
RIDGE = 0.03
"""Weight of the ridge penalty, relative to the number of images."""
LARGEST_CHANCE = 0.5
"""If most images have the same value, little can be predicted better than by chance."""
DEVIATIONS = 3.0
"""Standard deviations above chance that predictions must reach."""


def disagreement_notes(entries: Sequence[Entry], images: Mapping[str, np.ndarray]) -> list[str]:
    """Notes about attributes with colors as values that small images do not predict.

    A linear classifier is fitted to half of the images (at most MAX_IMAGES), and its predictions
    for the other half are compared with the tags. Nothing is tested with fewer than MIN_IMAGES.
    """
    names = [
        name
        for name in (entries[0].tags if entries else ())
        if _are_colors({entry.tags[name] for entry in entries})
    ]
    rng = np.random.RandomState(0)
    chosen = [entries[n] for n in rng.permutation(len(entries))[:MAX_IMAGES]]
    if not names or len(chosen) < MIN_IMAGES or len(images[chosen[0].file]) % SIDE:
        return []
    pixels = np.stack([_small(images[entry.file]) for entry in chosen])
    notes = []
    for name in names:
        values, labels = np.unique([entry.tags[name] for entry in chosen], return_inverse=True)
        agreement, chance, deviation = _agreement(pixels, labels, len(values))
        if chance < LARGEST_CHANCE and agreement < chance + DEVIATIONS * deviation:
            notes.append(
                f"note: {name} does not fit the images: their colors predict {agreement:.0%} of "
                f"the tags, and chance {chance:.0%}; do the lines belong to these images?"
            )
    return notes


def _are_colors(values: set[str]) -> bool:
    return len(values) > 1 and 2 * len(values & COLORS) >= len(values)


def _small(image: np.ndarray) -> np.ndarray:
    """uint8 [S, S, 3] to float [SIDE² × 3] in 0…1."""
    block = len(image) // SIDE
    blocks = image.reshape(SIDE, block, SIDE, block, 3).mean(axis=(1, 3))
    return np.asarray(blocks.ravel() / 255)


def _agreement(pixels: np.ndarray, labels: np.ndarray, count: int) -> tuple[float, float, float]:
    """The share of images of the second half whose label is predicted, what is expected if labels
    do not depend on the images, and its standard deviation.
    """
    half = len(labels) // 2
    mean, deviation = pixels[:half].mean(axis=0), pixels[:half].std(axis=0) + 1e-3
    inputs = (pixels - mean) / deviation
    targets = np.eye(count)[labels[:half]]
    gram = inputs[:half].T @ inputs[:half] + RIDGE * half * np.eye(inputs.shape[1])
    weights = np.linalg.solve(gram, inputs[:half].T @ (targets - targets.mean(axis=0)))
    predicted = (inputs[half:] @ weights + targets.mean(axis=0)).argmax(axis=1)
    true = labels[half:]
    shares = (np.bincount(found, minlength=count) / len(true) for found in (predicted, true))
    chance = float(np.prod(list(shares), axis=0).sum())
    return (
        float((predicted == true).mean()),
        chance,
        (chance * (1 - chance) / len(true)) ** 0.5,
    )
