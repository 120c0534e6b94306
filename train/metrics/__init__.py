"""The judge of a model, by networks that the training never used.

`fidelity` compares images with real ones in the features of a pretrained network; `classifier`
predicts the attributes of an image; `judge` combines both.
"""

from train.metrics.classifier import Classifier
from train.metrics.fidelity import Fidelity
from train.metrics.judge import Judge
from train.metrics.prepare import (
    SECOND_SEED,
    check_data,
    find,
    prepare,
    prepare_both,
    prepare_classifier,
)
from train.metrics.representation import ClassifierOutput
from train.metrics.results import Evaluation, GenerateFn, ValueShare

__all__ = [
    "SECOND_SEED",
    "Classifier",
    "ClassifierOutput",
    "Evaluation",
    "Fidelity",
    "GenerateFn",
    "Judge",
    "ValueShare",
    "check_data",
    "find",
    "prepare",
    "prepare_both",
    "prepare_classifier",
]
