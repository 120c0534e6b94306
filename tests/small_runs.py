"""Training runs with untrained networks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from train import checkpoint
from train.data import Faces
from train.models import build_trainer
from train.report import append_log
from train.settings import (
    FeatureSettings,
    NetworkSettings,
    OptimizerSettings,
    TrainSettings,
)

TINY = TrainSettings(
    device="cpu",
    network=NetworkSettings(width=4, latent_dim=8, resolution=32),
    features=FeatureSettings(weight=0),
    optimizer=OptimizerSettings(batch=8),
)
FIGURES = {
    "hair_as_asked": 0.5,
    "eyes_as_asked": 0.25,
    "all_as_asked": 0.125,
    "lite2_fd_ratio": 12.5,
    "lite2_fd_ratio_pooled": 30.0,
    "near_duplicates": 0.01,
    "diversity": 0.875,
    "lite2_precision": 0.75,
    "lite2_recall": 0.5,
    "lite2_density": 0.625,
    "lite2_coverage": 0.25,
    "sharpness": 1.25,
    "dropped_conditions": 0.0,
    "dropped_clusters": 0.125,
}


def make_run(
    folder: Path,
    faces: Faces,
    *,
    reports: int = 0,
    data: Path | None = None,
    chosen: TrainSettings = TINY,
) -> Path:
    """Writes a run with a checkpoint, samples, and a log with that number of reports."""
    trainer = build_trainer(chosen, faces)
    settings = chosen.model_dump(mode="json") | {"data": str(data) if data else None}
    info = checkpoint.RunInfo(
        run=folder.name,
        attributes=trainer.faces.attributes,
        latent_dim=chosen.network.latent_dim,
        image_size=chosen.network.resolution,
        fingerprint=faces.fingerprint,
        settings=settings,
    )
    checkpoint.write_run(folder, info)
    progress = checkpoint.Progress(images=1600, step=200, seconds=120.0)
    checkpoint.save(folder, trainer.state_dict(), progress)
    for number in range(1, reports + 1):
        picture = Image.fromarray(np.full((64, 96, 3), 40 * number, np.uint8))
        picture.save(folder / f"samples-{number:06d}k.png")
        losses = ("generator", "discriminator", "generator_classes", "discriminator_classes")
        line = {"images": 1000 * number, "epochs": 7.5 * number}
        append_log(folder, line | dict.fromkeys(losses, 1 / number))
    return folder


def judge_run(folder: Path, **figures: float) -> Path:
    """Writes the results of a judge, for the best of 1 and of 4 candidates."""
    real: dict[str, Any] = {f"{name}_real": 1.0 for name in FIGURES}
    rows = [
        {"candidates": 1} | FIGURES | real | figures,
        {"candidates": 4} | FIGURES | real | {"lite2_fd_ratio": 9.5},
    ]
    (folder / "judge.json").write_text(json.dumps({"best_of": rows}))
    return folder
