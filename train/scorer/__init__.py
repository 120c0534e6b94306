"""The scorer of a model, which chooses the best of several candidates."""

from train.scorer.fit import SCORER_FILE, fit_scorer, load_scorer, save_scorer
from train.scorer.marked import DEFECTS_FILE, MarkedScorer, load_defects, save_defects
from train.scorer.sampling import best_of
from train.scorer.scorer import Scorer
from train.scorer.unusual import MIN_REAL_IMAGES, UnusualScorer

__all__ = [
    "DEFECTS_FILE",
    "MIN_REAL_IMAGES",
    "SCORER_FILE",
    "MarkedScorer",
    "Scorer",
    "UnusualScorer",
    "best_of",
    "fit_scorer",
    "load_defects",
    "load_scorer",
    "save_defects",
    "save_scorer",
]
