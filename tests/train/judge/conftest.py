"""A judge of drawn faces, for all tests of judges."""

from pathlib import Path

import pytest

from train.data import load
from train.judge import Judge, prepare


@pytest.fixture(scope="session")
def judge(faces_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    faces = load(faces_zip, 32)
    return prepare(faces, tmp_path_factory.mktemp("judge"), images=8_000, report=print)
