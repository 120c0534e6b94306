"""A judge of drawn faces, for all tests of judges."""

from pathlib import Path

import pytest

from train.data import load
from train.metrics import Judge, prepare


@pytest.fixture(scope="session")
def judge(faces_zip: Path, real_features: Path) -> Judge:
    return prepare(load(faces_zip, 32), real_features, images=8_000)
