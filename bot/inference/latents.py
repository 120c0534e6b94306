"""Draws latents from seeds, and interpolates, varies and mixes them."""

import numpy as np

# Angle between a variation and its parent: 0 is the same face, pi / 2 an unrelated one.
VARIATION_ANGLE = 0.6
MIX_ANGLE = 0.4  # between a child and the point between its parents
MIX_WEIGHTS = (0.3, 0.7)  # range of the second parent's share


def draw_candidates(seed: int, count: int, latent_dim: int) -> np.ndarray:
    """float32 [count, Z], standard normal, `seed` below 2^32.

    NumPy guarantees the stream of RandomState, so a seed keeps its faces. The first candidates do
    not depend on `count`.
    """
    drawn = np.random.RandomState(seed).standard_normal((count, latent_dim))
    return np.asarray(drawn, np.float32)


def draw_latent(seed: int, latent_dim: int) -> np.ndarray:
    """float32 [Z], standard normal."""
    return np.asarray(draw_candidates(seed, 1, latent_dim)[0])


def perturb(latent: np.ndarray, seed: int, angle: float = VARIATION_ANGLE) -> np.ndarray:
    """A latent float32 [Z] near another one: cos(angle) z + sin(angle) e, with e standard normal.

    If z is standard normal, so is the result, as the generator expects.
    """
    # not the stream of draw_latent, which may have drawn this latent
    drawn = np.random.RandomState([seed, 3]).standard_normal(len(latent))
    return np.asarray(np.cos(angle) * latent + np.sin(angle) * drawn, np.float32)


def slerp(a: np.ndarray, b: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """Spherical interpolation (Shoemake 1985) of latents [Z] at shares [n] or at a single share:
    float32 [n, Z] or [Z], a at 0 and b at 1.

    Linear interpolation would pass near 0, where standard normal latents are unlikely.
    """
    share = np.asarray(share, np.float64)[..., None]
    cosine = np.dot(a, b) / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:  # same or opposite direction: no unique arc
        mixed = (1 - share) * a + share * b
    else:
        mixed = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return np.asarray(mixed, np.float32)


def mix_latents(a: np.ndarray, b: np.ndarray, seed: int) -> np.ndarray:
    """A child's latent float32 [Z]: near a point between those of its parents."""
    share = np.random.RandomState([seed, 1]).uniform(*MIX_WEIGHTS)
    return perturb(slerp(a, b, share), seed, MIX_ANGLE)
