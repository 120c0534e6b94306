"""The upscaler's training loop: step, report, checkpoint, until the goal is reached or stopped."""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

from train import checkpoint, report
from train.loop import DivergedError, Stopped, stop_signals
from train.progress import bar
from train.settings import UpscalerSettings
from train.upscaler.measure import clean, measure, resize, worn
from train.upscaler.network import Upscaler
from train.upscaler.trainer import UpscalerTrainer

FIGURES = "figures.json"
HELD_OUT = 200
CHECK_STEPS = 50
"""How often the loss is fetched from the device and looked at."""
LOOKED_AT = 24
"""Held-out pictures that a report measures; the figures at the end are of all."""
SHOWN = 6


@dataclass(frozen=True)
class UpscalerRun:
    run: str
    fingerprint: str
    """Of the pictures."""
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
    """The averaged network, in eval mode on the CPU. Raises CheckpointError."""
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
    """Pictures to learn from, and an eighth (200 at most) held out; always the same ones."""
    order = np.random.RandomState(0).permutation(len(pictures))
    held = min(HELD_OUT, max(1, len(pictures) // 8))
    return pictures[np.sort(order[held:])], pictures[np.sort(order[:held])]


def train(
    run: Path, settings: UpscalerSettings, pictures: Tensor, device: torch.device, console: Console
) -> dict[str, Any]:
    """Trains in folder `run` on uint8 pictures [N, 3, S, S], going on from its checkpoint if it
    has one. Returns the figures, which lie in the folder too. Raises Stopped or DivergedError.
    """
    learnt, held_out = split(pictures)
    trainer = UpscalerTrainer(settings, learnt, device)
    elapsed = 0.0
    if (run / checkpoint.CHECKPOINT_FILE).exists():
        progress = checkpoint.read_progress(run)
        try:
            trainer.restore(checkpoint.restore(run), progress["step"])
        except (RuntimeError, KeyError, ValueError) as error:
            raise checkpoint.CheckpointError(
                f"the checkpoint of {run} is of another network: {error}"
            ) from None
        elapsed = progress["seconds"]
    report.rewind_log(run, trainer.images)
    _Loop(run, settings, trainer, held_out, console, elapsed).run()
    return _figures(run, trainer, held_out)


class _Loop:
    def __init__(
        self,
        folder: Path,
        settings: UpscalerSettings,
        trainer: UpscalerTrainer,
        held_out: Tensor,
        console: Console,
        elapsed: float,
    ) -> None:
        self.folder, self.settings, self.trainer = folder, settings, trainer
        self.console, self.elapsed_before = console, elapsed
        self.truth = held_out[:LOOKED_AT]
        self.small = worn(self.truth)
        self.bicubic = measure(resize("bicubic"), self.small, self.truth)
        self.started = self.saved_at = time.monotonic()
        self.since_report = (self.started, trainer.images)
        self.loss = math.nan

    @property
    def seconds(self) -> float:
        return self.elapsed_before + time.monotonic() - self.started

    @property
    def done(self) -> float:
        """How much of the goal is reached, 0…1."""
        if self.settings.minutes is not None:
            return min(1.0, self.seconds / (60 * self.settings.minutes))
        return min(1.0, self.trainer.images / self.settings.images)

    def run(self) -> None:
        with stop_signals() as stop, bar(self.console, "training", self.done) as tell:
            next_report = self._next_report()
            loss: Tensor | None = None
            while self.done < 1 and not stop:
                loss = self.trainer.train_step(self._learning_rate())
                if self.trainer.step % CHECK_STEPS == 0:
                    self._check(loss)
                    tell(self.done, self._note())
                    if time.monotonic() - self.saved_at > 60 * self.settings.checkpoint_minutes:
                        self._save()
                if self.trainer.images >= next_report:
                    self._check(loss)
                    self._report()
                    next_report = self._next_report()
            if loss is not None:
                self._check(loss)
                tell(self.done, self._note())
                self._save()
            if self.done == 1 and self.since_report[1] < self.trainer.images:
                self._report()
            if stop:
                raise Stopped(
                    f"stopped by {stop[0]} at {self.trainer.images:,} patches; "
                    f"go on with: python -m train upscaler --resume {self.folder}"
                )

    def _next_report(self) -> int:
        every = self.settings.report_images
        return (self.trainer.images // every + 1) * every

    def _learning_rate(self) -> float:
        """Half a cosine, from the full rate to a hundredth."""
        share = 0.5 + 0.5 * math.cos(math.pi * self.done)
        return self.settings.learning_rate * max(0.01, share)

    def _check(self, loss: Tensor) -> None:
        self.loss = loss.item()
        if not math.isfinite(self.loss):
            raise self._diverged(f"the loss is {self.loss}")

    def _diverged(self, sign: str) -> DivergedError:
        kept = (self.folder / checkpoint.CHECKPOINT_FILE).exists()
        last = f"the last good checkpoint is kept in {self.folder}. " if kept else ""
        return DivergedError(
            f"training diverged at {self.trainer.images:,} patches: {sign}; {last}"
            "Lower --learning-rate, and start anew"
        )

    def _report(self) -> None:
        scores = measure(self.trainer.enlarge, self.small, self.truth)
        kimg = self.trainer.images // 1000
        shown, truth = self.small[:SHOWN], self.truth[:SHOWN]
        columns = [
            resize("nearest")(shown), resize("bicubic")(shown), self.trainer.enlarge(shown), truth
        ]  # fmt: skip
        save_sheet(self.folder / f"upscaled-{kimg:06d}k.png", columns)
        figures = {
            "images": self.trainer.images,
            "seconds": round(self.seconds, 1),
            "images_per_second": round(self._speed(), 1),
            "learning_rate": self._learning_rate(),
            "loss": self.loss,
            **scores,
        }
        report.append_log(self.folder, figures)
        gain = scores["psnr"] - self.bicubic["psnr"]
        self.console.print(
            f"{self.trainer.images:,} patches · {self._note()} · PSNR {scores['psnr']:.2f} dB"
            f" ({gain:+.2f} over bicubic) · SSIM {scores['ssim']:.4f}",
            highlight=False,
        )
        self.since_report = (time.monotonic(), self.trainer.images)

    def _speed(self) -> float:
        moment, images = self.since_report
        return (self.trainer.images - images) / max(1e-9, time.monotonic() - moment)

    def _note(self) -> str:
        return f"{self._speed():.0f} patches/s · loss {self.loss:.4f}"

    def _save(self) -> None:
        state = self.trainer.state()
        for name, tensor in state.items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise self._diverged(f"{name} is not finite")
        self.saved_at = time.monotonic()
        progress = {
            "images": self.trainer.images,
            "step": self.trainer.step,
            "seconds": self.seconds,
        }
        checkpoint.save(self.folder, state, progress)


def save_sheet(file: Path, columns: list[Tensor]) -> None:
    """A row for each picture, a column for each of the batches uint8 [N, 3, S, S]."""
    side_by_side = torch.cat(columns, dim=3)
    rows = torch.cat(list(side_by_side), dim=1)
    Image.fromarray(rows.permute(1, 2, 0).contiguous().numpy()).save(file)


def _figures(run: Path, trainer: UpscalerTrainer, held_out: Tensor) -> dict[str, Any]:
    """Measures all held-out pictures, worn and clean, and writes `figures.json`."""
    figures: dict[str, Any] = {"images": trainer.images, "pictures": len(held_out)}
    for prefix, small in (("", worn(held_out)), ("clean_", clean(held_out))):
        ours = measure(trainer.enlarge, small, held_out)
        bicubic = measure(resize("bicubic"), small, held_out)
        for name in ours:
            figures[f"{prefix}{name}"] = ours[name]
            figures[f"{prefix}{name}_bicubic"] = bicubic[name]
    (run / FIGURES).write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return figures
