"""Latent directions by linear regression (compare GANSpace, Härkönen et al. 2020, equation 2)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

HELD_OUT = 4
"""One of this many pictures is held out for R²."""
RIDGE = 1.0


@dataclass(frozen=True)
class Regression:
    """Unit vectors float64 [T, Z] along which traits grow fastest, and R² [T]: the share of their
    variance in held-out pictures that is linear in the latent.
    """

    vectors: np.ndarray
    r2: np.ndarray


def remove_condition(values: np.ndarray, conditions: np.ndarray) -> np.ndarray:
    """What the conditions [N, C] do not explain of values [N, T], by least squares."""
    weights = np.linalg.lstsq(conditions, values, rcond=None)[0]
    return np.asarray(values - conditions @ weights)


def principal_components(values: np.ndarray, count: int) -> np.ndarray:
    """The coordinates [N, count] of values [N, F] on their first principal components."""
    centered = values - values.mean(axis=0)
    _, _, axes = np.linalg.svd(centered, full_matrices=False)
    return np.asarray(centered @ axes[:count].T)


def regress(latents: np.ndarray, values: np.ndarray) -> Regression:
    """Regresses values [N, T] on latents [N, Z]. Values that do not vary have zero vectors."""
    held_out = np.arange(len(latents)) % HELD_OUT == 0
    known, given = latents[~held_out].astype(np.float64), values[~held_out]
    mean = given.mean(axis=0)
    gram = known.T @ known + RIDGE * np.eye(known.shape[1])
    weights = np.linalg.solve(gram, known.T @ (given - mean))
    true = values[held_out]
    errors = ((true - mean - latents[held_out] @ weights) ** 2).sum(axis=0)
    total = ((true - true.mean(axis=0)) ** 2).sum(axis=0)
    norms = np.linalg.norm(weights, axis=0)
    vectors = np.where(norms > 1e-12, weights / norms.clip(1e-12), 0).T
    return Regression(vectors, 1 - errors / total.clip(1e-12))


def orthonormalize(vectors: np.ndarray) -> np.ndarray:
    """The orthonormal vectors [T, Z] nearest to independent ones (Löwdin 1950).

    Unlike the Gram-Schmidt process it treats all vectors alike.
    """
    left, _, right = np.linalg.svd(vectors, full_matrices=False)
    return np.asarray(left @ right)


def nearest(vector: np.ndarray, vectors: Mapping[str, np.ndarray]) -> tuple[str, float]:
    """The name of the vector with the largest cosine in absolute value, and this cosine."""
    cosines = {name: float(vector @ other) for name, other in vectors.items()}
    name = max(cosines, key=lambda name: abs(cosines[name]))
    return name, cosines[name]
