"""How latents are drawn from seeds."""

import numpy as np


def draw_candidates(seed: int, count: int, latent_dim: int) -> np.ndarray:
    """float32 [count, Z], standard normal, `seed` below 2^32.

    RandomState's stream is frozen, so a seed keeps its faces; the first candidates are the same
    however many are drawn.
    """
    drawn = np.random.RandomState(seed).standard_normal((count, latent_dim))
    return drawn.astype(np.float32)
