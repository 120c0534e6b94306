"""Runs of upscalers: files, training, figures."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

from train import checkpoint, loop
from train.data import Faces
from train.report import sheet_name
from train.settings import UpscalerSettings
from train.upscaler.measure import clean, degraded, measure, resize
from train.upscaler.network import Upscaler
from train.upscaler.trainer import UpscalerTrainer

FIGURES = "figures.json"
HELD_OUT = 200
MEASURED = 24
"""Number of held-out images in reports; the final figures are of all."""
SHOWN = 6


@dataclass(frozen=True)
class UpscalerRun:
    run: str
    fingerprint: str
    """Hash of the images."""
    settings: UpscalerSettings


def write_run(folder: Path, info: UpscalerRun) -> None:
    content = {
        "format": checkpoint.FORMAT,
        "trains": "upscaler",
        "run": info.run,
        "fingerprint": info.fingerprint,
        "settings": info.settings.model_dump(mode="json"),
    }
    checkpoint.write_content(folder, content)


def read_run(folder: Path) -> UpscalerRun:
    """Raises CheckpointError, also for a run that trains a generator."""
    content = checkpoint.read_content(folder, of_upscaler=True)
    try:
        return UpscalerRun(
            run=content["run"],
            fingerprint=content["fingerprint"],
            settings=UpscalerSettings(**content["settings"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        file = folder / checkpoint.RUN_FILE
        raise checkpoint.CheckpointError(f"{file} is damaged: {error}") from None


def load_upscaler(folder: Path) -> tuple[Upscaler, UpscalerRun]:
    """Loads the averaged network, in eval mode on the CPU. Raises CheckpointError."""
    info = read_run(folder)
    state = {n.removeprefix("ema."): t for n, t in checkpoint.restore(folder, "ema.").items()}
    network = Upscaler(info.settings.width, info.settings.blocks)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise checkpoint.CheckpointError(
            f"the checkpoint of {folder} is of another network: {error}"
        ) from None
    return network.eval(), info


def split(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Training set and held-out set: an eighth, HELD_OUT at most. Deterministic."""
    order = np.random.RandomState(0).permutation(len(pictures))
    held = min(HELD_OUT, max(1, len(pictures) // 8))
    return pictures[np.sort(order[held:])], pictures[np.sort(order[:held])]


def train(
    run: Path, settings: UpscalerSettings, pictures: Faces, device: torch.device, console: Console
) -> dict[str, Any]:
    """Trains in folder `run`, from its checkpoint if it has one.

    Returns the figures, which are also written to the folder. Raises Stopped, DivergedError and
    CheckpointError; a run whose checkpoint cannot be restored stays as it is.
    """
    training_set, held_out = split(pictures.images)
    trainer = UpscalerTrainer(settings, training_set, device)
    info = UpscalerRun(run.resolve().name, pictures.fingerprint, settings)

    def begin() -> None:
        write_run(run, info)
        (run / FIGURES).unlink(missing_ok=True)  # figures of an earlier checkpoint

    reporter = UpscalerReporter(trainer, held_out)
    loop.train(run, settings, trainer, reporter, console, on_restored=begin)
    return _figures(run, trainer, held_out)


class UpscalerReporter:
    """Enlarges held-out images, and compares them with bicubic ones."""

    command = "python -m train upscaler"

    def __init__(self, trainer: UpscalerTrainer, held_out: Tensor) -> None:
        self.trainer, self.truth = trainer, held_out[:MEASURED]
        self.small = degraded(self.truth)
        self.bicubic = measure(resize("bicubic"), self.small, self.truth)

    def __call__(self, folder: Path, images: int) -> dict[str, float]:
        scores = measure(self.trainer.enlarge, self.small, self.truth)
        shown, truth = self.small[:SHOWN], self.truth[:SHOWN]
        columns = [
            resize("nearest")(shown), resize("bicubic")(shown), self.trainer.enlarge(shown), truth
        ]  # fmt: skip
        save_sheet(folder / sheet_name("upscaled", images), columns)
        return scores | {"gain": scores["psnr"] - self.bicubic["psnr"]}


def save_sheet(file: Path, columns: list[Tensor]) -> None:
    """Saves a row for each image and a column for each batch uint8 [N, 3, S, S]."""
    side_by_side = torch.cat(columns, dim=3)
    rows = torch.cat(list(side_by_side), dim=1)
    Image.fromarray(rows.permute(1, 2, 0).contiguous().numpy()).save(file)


def _figures(run: Path, trainer: UpscalerTrainer, held_out: Tensor) -> dict[str, Any]:
    """Measures all held-out images, degraded and clean, and writes `figures.json`."""
    figures: dict[str, Any] = {"images": trainer.images, "pictures": len(held_out)}
    for prefix, small in (("", degraded(held_out)), ("clean_", clean(held_out))):
        ours = measure(trainer.enlarge, small, held_out)
        bicubic = measure(resize("bicubic"), small, held_out)
        for name in ours:
            figures[f"{prefix}{name}"] = ours[name]
            figures[f"{prefix}{name}_bicubic"] = bicubic[name]
    (run / FIGURES).write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return figures
