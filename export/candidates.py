"""The choice among candidates, which training, model cards and serving share."""

import numpy as np

DECIMALS = 3  # of a score; further ones depend on the batch that it was computed in


def best_candidate(scores: np.ndarray) -> np.ndarray:
    """Index of the candidate with the highest score: scores float32 [..., N] to integers [...].

    Scores are rounded, so that the choice does not depend on the batch; of equal ones the first is
    chosen.
    """
    return np.asarray(scores.round(DECIMALS).argmax(axis=-1))
