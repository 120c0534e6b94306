"""Drawn faces of 64 pixels, and settings of a small training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_faces import EYES, HAIR, draw_face
from torch import Tensor

from train.settings import UpscalerSettings

COUNT = 24


@pytest.fixture(scope="session")
def sharp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of untagged images."""
    folder = tmp_path_factory.mktemp("sharp")
    rng = np.random.RandomState(0)
    for number in range(COUNT):
        hair, eyes = list(HAIR)[number % len(HAIR)], list(EYES)[number % len(EYES)]
        draw_face(hair, eyes, rng, size=64).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def pictures() -> Tensor:
    """uint8 [8, 3, 64, 64]."""
    rng = np.random.RandomState(1)
    drawn = [draw_face("pink", "green", rng, size=64) for _ in range(8)]
    return torch.from_numpy(np.stack([np.asarray(d) for d in drawn])).permute(0, 3, 1, 2)


@pytest.fixture
def tiny() -> UpscalerSettings:
    return UpscalerSettings(
        images=32, batch=4, width=8, blocks=1, resolution=64, patch=32, report_images=16
    )
