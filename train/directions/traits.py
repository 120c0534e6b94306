"""Traits measured from the pixels of frontal anime faces.

Each measure is crude for a single picture. Averaged over thousands, the measures agree with what
one sees. Names state what grows: `hair_length` is high for long hair.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BATCH = 256
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True)
class Faces:
    """Pictures float32 [N, S, S, 3] from 0 to 1, with what several measures use."""

    pixels: np.ndarray
    luma: np.ndarray
    """[N, S, S]"""
    skin: np.ndarray
    """[N, S, S], 1 where a pixel has the color of the cheeks, falling to 0."""
    from_skin: np.ndarray
    """[N, S, S], distance to that color."""

    @classmethod
    def of(cls, images: np.ndarray) -> "Faces":
        """`images` are uint8 [N, S, S, 3]."""
        pixels = images.astype(np.float32) / 255
        color = _median(_box(pixels, 0.62, 0.73, 0.41, 0.59))
        distance = np.linalg.norm(pixels - color[:, None, None], axis=-1)
        skin = np.exp(-((distance / 0.15) ** 2))
        return cls(pixels, pixels @ LUMA, skin, distance)


def _box(values: np.ndarray, top: float, bottom: float, left: float, right: float) -> np.ndarray:
    """A part of pictures [N, S, S, …]; its edges are shares of the size."""
    size = values.shape[1]
    y0, y1, x0, x1 = (round(edge * size) for edge in (top, bottom, left, right))
    return values[:, y0:y1, x0:x1]


def _median(values: np.ndarray) -> np.ndarray:
    """Pixels [N, H, W, 3] to their medians [N, 3]."""
    return np.asarray(np.median(values.reshape(len(values), -1, 3), axis=1))


def _mean(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.reshape(len(values), -1).mean(axis=1))


def _centroid(weights: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Weights [N, K] at K places to their centroids [N]."""
    return np.asarray((weights @ places) / (weights.sum(axis=1) + 1e-6))


def _eye_columns(values: np.ndarray) -> np.ndarray:
    """The parts of [N, H, S] that contain the eyes, side by side."""
    size = values.shape[2]
    left, right = slice(*_columns(size, 0.23, 0.44)), slice(*_columns(size, 0.56, 0.77))
    return np.concatenate([values[:, :, left], values[:, :, right]], axis=2)


def _columns(size: int, left: float, right: float) -> tuple[int, int]:
    return round(left * size), round(right * size)


def hair_length(faces: Faces) -> np.ndarray:
    """How much of the lower sides has the color of the hair.

    Colors are compared as differences from white, by direction: a shadow counts as hair, white
    background does not.
    """
    hair = 1 - _median(_box(faces.pixels, 0.09, 0.25, 0.28, 0.72))[:, None, None]
    squared = (hair**2).sum(axis=-1)
    found = []
    for left, right in ((0.0, 0.22), (0.78, 1.0)):
        part = 1 - _box(faces.pixels, 0.69, 1.0, left, right)
        share = (part * hair).sum(axis=-1) / (squared + 0.02)
        off = np.linalg.norm(part - share[..., None] * hair, axis=-1)
        found.append(_mean(share.clip(0, 1) * np.exp(-((off / 0.25) ** 2))))
    return np.asarray(sum(found))


def hair_lightness(faces: Faces) -> np.ndarray:
    return _mean(_box(faces.luma, 0.06, 0.25, 0.28, 0.72))


def fringe_length(faces: Faces) -> np.ndarray:
    """How far down the skin begins: the height of its centroid."""
    rows = _box(faces.skin, 0.0, 1.0, 0.31, 0.69).sum(axis=2)
    return _centroid(rows, np.linspace(0, 1, rows.shape[1]))


def eye_size(faces: Faces) -> np.ndarray:
    """The number of rows that the eyes fill."""
    rows = _eye_columns(_box(faces.from_skin, 0.44, 0.72, 0.0, 1.0) > 0.28).mean(axis=2)
    return _mean(rows > 0.4)


def eye_level(faces: Faces) -> np.ndarray:
    """How low the eyes are: the centroid of darkness."""
    rows = _eye_columns(1 - _box(faces.luma, 0.47, 0.75, 0.0, 1.0)).mean(axis=2)
    return _centroid(rows, np.linspace(0, 1, rows.shape[1]))


def head_turn(faces: Faces) -> np.ndarray:
    """How far right of the center the skin is."""
    columns = _box(faces.skin, 0.53, 0.88, 0.0, 1.0).sum(axis=1)
    return _centroid(columns, np.linspace(-1, 1, columns.shape[1]))


def head_tilt(faces: Faces) -> np.ndarray:
    """How much lower the right eye is than the left one."""
    dark = 1 - _box(faces.luma, 0.38, 0.72, 0.0, 1.0)
    places = np.linspace(0, 1, dark.shape[1])
    left, right = (
        _centroid(_box_columns(dark, *edges).sum(axis=2), places)
        for edges in ((0.19, 0.47), (0.53, 0.81))
    )
    return np.asarray(right - left)


def _box_columns(values: np.ndarray, left: float, right: float) -> np.ndarray:
    start, stop = _columns(values.shape[2], left, right)
    return values[:, :, start:stop]


def mouth_open(faces: Faces) -> np.ndarray:
    """How much redder than the skin the region of the mouth is."""
    redness = faces.pixels[..., 0] - faces.pixels[..., 1]
    skin = _mean(_box(redness, 0.62, 0.73, 0.41, 0.59))
    return _mean((_box(redness, 0.72, 0.87, 0.4, 0.6) - skin[:, None, None]).clip(0))


def blush(faces: Faces) -> np.ndarray:
    """How red the cheeks are against the middle of the face."""
    redness = faces.pixels[..., 0] - faces.pixels[..., 1]
    cheeks = (_box(redness, 0.64, 0.76, a, b) for a, b in ((0.22, 0.34), (0.66, 0.78)))
    middle = _mean(_box(redness, 0.62, 0.73, 0.41, 0.59))
    return np.asarray(sum(map(_mean, cheeks)) / 2 - middle)


def skin_lightness(faces: Faces) -> np.ndarray:
    return _mean(_box(faces.luma, 0.59, 0.75, 0.34, 0.66))


def clothes_lightness(faces: Faces) -> np.ndarray:
    return _mean(_box(faces.luma, 0.91, 1.0, 0.31, 0.69))


def background_lightness(faces: Faces) -> np.ndarray:
    left, right = (_box(faces.luma, 0.0, 0.38, a, b) for a, b in ((0.0, 0.06), (0.94, 1.0)))
    return np.asarray(_mean(left) + _mean(right))


def contrast(faces: Faces) -> np.ndarray:
    return np.asarray(faces.luma.std(axis=(1, 2)))


def saturation(faces: Faces) -> np.ndarray:
    return _mean(faces.pixels.max(axis=-1) - faces.pixels.min(axis=-1))


TRAITS: dict[str, Callable[[Faces], np.ndarray]] = {
    measure.__name__: measure
    for measure in (
        hair_length,
        fringe_length,
        hair_lightness,
        eye_size,
        eye_level,
        mouth_open,
        head_turn,
        head_tilt,
        skin_lightness,
        blush,
        clothes_lightness,
        background_lightness,
        contrast,
        saturation,
    )
}


def measure_traits(images: np.ndarray) -> np.ndarray:
    """Images uint8 [N, S, S, 3] to the traits float64 [N, T], in the order of TRAITS."""
    parts = []
    for start in range(0, len(images), BATCH):
        faces = Faces.of(images[start : start + BATCH])
        parts.append(np.stack([measure(faces) for measure in TRAITS.values()], axis=1))
    return np.concatenate(parts).astype(np.float64)
