"""Makes judges of tests faster: equal images have equal features, and equal data has an equal
classifier. Both are computed once for all tests of a process.
"""

import hashlib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import pytest
import torch
from torch import Tensor

from train.data import Faces
from train.metrics import Classifier, Fidelity, fidelity
from train.metrics.classifier import fit
from train.progress import ProgressCallback, no_progress

_features: dict[tuple[int, torch.Size, bytes], tuple[Tensor, ...]] = {}
_classifiers: dict[tuple[str, tuple[int, ...], int, int], Classifier] = {}
_compute = Fidelity.features


def _features_once(
    self: Fidelity, images: Tensor, report_progress: ProgressCallback = no_progress
) -> list[Tensor]:
    keys = [
        (fidelity.INPUT_SIZE, image.shape, hashlib.sha256(image.numpy().tobytes()).digest())
        for image in images
    ]
    missing = {key: row for row, key in enumerate(keys) if key not in _features}
    if missing:
        layers = _compute(self, images[list(missing.values())], report_progress)
        _features.update(zip(missing, zip(*layers, strict=True), strict=True))
    report_progress(1.0)
    return [torch.stack(layer) for layer in zip(*(_features[key] for key in keys), strict=True)]


def _fit_once(
    faces: Faces, sizes: tuple[int, ...], images: int, seed: int, report_progress: ProgressCallback
) -> Classifier:
    key = faces.fingerprint, sizes, images, seed
    if key not in _classifiers:
        _classifiers[key] = fit(faces, sizes, images, seed, report_progress)
    report_progress(1.0)
    return deepcopy(_classifiers[key])


@contextmanager
def judged_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fidelity, "features", _features_once)
        # `train.metrics.prepare` is also the function of this name.
        patch.setattr(importlib.import_module("train.metrics.prepare"), "fit", _fit_once)
        yield
