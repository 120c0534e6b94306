"""The judge of a model, by networks that the training never used.

`fidelity` measures how near the pictures come to real ones, in the features of a pretrained
network; `classifier` reads the attributes off them. `judge` puts both together.
"""

from train.metrics.classifier import Classifier
from train.metrics.fidelity import Fidelity
from train.metrics.judge import Examination, Judge, Paint, Seen, ValueShare
from train.metrics.prepare import SECOND, prepare

__all__ = [
    "SECOND",
    "Classifier",
    "Examination",
    "Fidelity",
    "Judge",
    "Paint",
    "Seen",
    "ValueShare",
    "prepare",
]
