"""A judge of drawn faces, for all tests of judges."""

from pathlib import Path

import pytest

from train.data import load
from train.metrics import Judge, prepare


@pytest.fixture(scope="session")
def judge(faces_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return prepare(load(faces_zip, 32), tmp_path_factory.mktemp("judge"), images=8_000)
