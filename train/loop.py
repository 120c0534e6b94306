"""The training loop: step, report, checkpoint, until the goal is reached or somebody stops it."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import torch
from rich.console import Console
from torch import Tensor

from train import checkpoint, report
from train.data import Faces, one_hot
from train.distributed import ALONE, Team, WorkerLostError, is_of_a_lost_worker
from train.machine import is_out_of_memory
from train.metrics import Judge
from train.networks import autoencoder
from train.progress import bar
from train.settings import TrainSettings
from train.trainer import Trainer

REDRAWN = 8
"""Faces of a grid that are encoded and drawn again."""
CHECK_STEPS = 50
"""How often losses are fetched from the device and looked at."""
ABSURD = 1e4
"""A loss beyond this is divergence: healthy ones stay below 20."""


class DivergedError(Exception):
    """The losses are no numbers any more, or absurd; the last good checkpoint is kept."""


class MemoryShortError(Exception):
    """The batch does not fit into the memory."""


class Stopped(Exception):  # noqa: N818 - not an error
    """Somebody pressed Ctrl-C or sent SIGTERM; the checkpoint has been written."""


def train(
    run: Path,
    settings: TrainSettings,
    faces: Faces,
    judge: Judge,
    console: Console,
    team: Team = ALONE,
) -> Trainer:
    """Trains in folder `run`, going on from its checkpoint if it has one.

    Returns the trainer at the goal, checkpoint written. Of a team, all call this alike, and process
    0 reads and writes the run. Raises Stopped, DivergedError, MemoryShortError or WorkerLostError.
    """
    try:
        trainer = Trainer(settings, faces, team)
        elapsed = _restore(run, trainer)
        if team.first:
            report.rewind_log(run, trainer.images)
            (run / checkpoint.DIVERGED_FILE).unlink(missing_ok=True)
        return _Loop(run, settings, trainer, judge, console, elapsed).run()
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise MemoryShortError(
                f"a batch of {settings.batch} does not fit into the memory of "
                f"{faces.images.device}; start anew with {_less(settings, team)}{_kept(run)}"
            ) from None
        if is_of_a_lost_worker(error):
            raise WorkerLostError(
                "another process of this training died; its own words, if any, are above"
                f"{_kept(run)}"
            ) from None
        raise


def _restore(run: Path, trainer: Trainer) -> float:
    """Takes over the run's checkpoint, if it has one; returns the seconds that it took."""

    def read() -> tuple[dict[str, Tensor], int, float] | None:
        if not (run / checkpoint.CHECKPOINT_FILE).exists():
            return None
        progress = checkpoint.read_progress(run)
        return checkpoint.restore(run), progress["step"], progress["seconds"]

    kept = trainer.team.once(read)
    if kept is None:
        return 0.0
    tensors, step, seconds = kept
    try:
        trainer.restore(tensors, step)
    except (RuntimeError, KeyError) as error:
        raise checkpoint.CheckpointError(
            f"the checkpoint of {run} is of other networks: {error}"
        ) from None
    return seconds


def _less(settings: TrainSettings, team: Team) -> str:
    whole = settings.group * team.size
    half = settings.batch // 2 // whole * whole
    return f"--batch {half}" if half else "a smaller --width or --resolution"


def _kept(run: Path) -> str:
    if not (run / checkpoint.CHECKPOINT_FILE).exists():
        return "; there is no checkpoint yet"
    return f"; the last checkpoint is kept, and goes on with --resume {run}"


class _Loop:
    def __init__(
        self,
        folder: Path,
        settings: TrainSettings,
        trainer: Trainer,
        judge: Judge,
        console: Console,
        elapsed: float,
    ) -> None:
        self.folder, self.settings, self.trainer = folder, settings, trainer
        self.judge, self.console, self.team = judge, console, trainer.team
        self.elapsed_before, self.started = elapsed, time.monotonic()
        self.saved_at = self.started
        attributes = trainer.faces.attributes
        self.labels, self.columns = report.grid_labels(attributes)
        noise = torch.Generator().manual_seed(0)
        self.latents = torch.randn(len(self.labels), settings.latent_dim, generator=noise)
        self.losses: dict[str, float] = {}
        self.as_asked: dict[str, float] = {}
        self.since_report = (self.started, trainer.images)
        self.clock = elapsed
        """Seconds of training, as all processes take them."""

    @property
    def seconds(self) -> float:
        return self.elapsed_before + time.monotonic() - self.started

    @property
    def done(self) -> float:
        """How much of the goal is reached, 0…1."""
        if self.settings.minutes is not None:
            return min(1.0, self.clock / (60 * self.settings.minutes))
        return min(1.0, self.trainer.images / self.settings.images)

    def run(self) -> Trainer:
        with stop_signals() as stop, bar(self.console, "training", self.done) as tell:
            next_report = self._next_report()
            losses: dict[str, Tensor] = {}
            while not self._agree_to_stop(stop) and self.done < 1:
                self.trainer.done = self.done
                losses = self.trainer.train_step(self._learning_rate())
                if self.trainer.step % CHECK_STEPS == 0:
                    self._check(losses)
                    tell(self.done, self._note())
                    if time.monotonic() - self.saved_at > 60 * self.settings.checkpoint_minutes:
                        self._save()
                if self.trainer.images >= next_report:
                    self._check(losses)
                    self._report()
                    next_report = self._next_report()
            if losses:
                self._check(losses)
                tell(self.done, self._note())
                self._save()
            if self.done == 1 and self.since_report[1] < self.trainer.images:
                self._report()
            if self._agree_to_stop(stop):
                sign = stop[0] if stop else "another process"
                raise Stopped(
                    f"stopped by {sign} at {self.trainer.images:,} images; "
                    f"go on with: python -m train --resume {self.folder}"
                )
        return self.trainer

    def _agree_to_stop(self, stop: list[str]) -> bool:
        """All processes take the same step or none, and at the same time of the clock."""
        self.clock, wish = self.team.most(self.seconds, float(bool(stop)))
        return wish > 0

    def _next_report(self) -> int:
        every = self.settings.report_images
        return (self.trainer.images // every + 1) * every

    def _learning_rate(self) -> float:
        left = (1 - self.done) / self.settings.anneal if self.settings.anneal else 1.0
        return self.settings.learning_rate * max(0.05, min(1.0, left))

    def _check(self, losses: dict[str, Tensor]) -> None:
        values = self.team.mean(torch.stack(list(losses.values()))).tolist()
        self.losses = dict(zip(losses, values, strict=True))
        for name, value in self.losses.items():
            if not math.isfinite(value) or abs(value) > ABSURD:
                raise self._diverged(f"{name} loss is {value}")

    def _diverged(self, sign: str) -> DivergedError:
        if self.team.first:
            found = checkpoint.Divergence(self.trainer.step, self.trainer.images, sign)
            checkpoint.write_divergence(self.folder, found)
        kept = (self.folder / checkpoint.CHECKPOINT_FILE).exists()
        last = f"the last good checkpoint is kept in {self.folder}. " if kept else ""
        return DivergedError(
            f"training diverged at {self.trainer.images:,} images: {sign}; {last}"
            "Lower --learning-rate or raise --penalty, and start anew"
        )

    def _report(self) -> None:
        if self.team.first:
            self._write_report()
        self.since_report = (time.monotonic(), self.trainer.images)

    def _write_report(self) -> None:
        device = self.trainer.device
        labels = self.labels.to(device)
        conditions = one_hot(labels, self.trainer.faces.sizes)
        pictures = report.paint(self.trainer.ema, self.latents.to(device), conditions)
        kimg = self.trainer.images // 1000
        report.save_grid(self.folder / f"samples-{kimg:06d}k.png", pictures, self.columns)
        if isinstance(self.trainer.ema, autoencoder.Generator):
            self._save_redrawn(self.folder / f"redrawn-{kimg:06d}k.png")
        shares = self.judge.as_asked(pictures, labels)
        attributes = self.trainer.faces.attributes
        self.as_asked = {f"{a.name}_as_asked": s for a, s in zip(attributes, shares, strict=True)}
        figures = {
            "images": self.trainer.images,
            "seconds": round(self.seconds, 1),
            "images_per_second": round(self._speed(), 1),
            "learning_rate": self._learning_rate(),
            **self.losses,
            **self.as_asked,
        }
        report.append_log(self.folder, figures)
        report.save_plot(self.folder)
        self.console.print(f"{self.trainer.images:,} images · {self._note()}", highlight=False)

    def _save_redrawn(self, file: Path) -> None:
        """Faces that were held out, and below them what the generator makes of them."""
        assert isinstance(self.trainer.ema, autoencoder.Generator)
        given = self.judge.held_out.images[:REDRAWN].to(self.trainer.device)
        labels = self.judge.held_out.labels[: len(given)].to(self.trainer.device)
        conditions = one_hot(labels, self.trainer.faces.sizes)
        redrawn = report.redraw(self.trainer.ema, given, conditions)
        report.save_grid(file, torch.cat([given, redrawn]), len(given))

    def _speed(self) -> float:
        moment, images = self.since_report
        return (self.trainer.images - images) / max(1e-9, time.monotonic() - moment)

    def _note(self) -> str:
        parts = [f"{self._speed():.0f} images/s"]
        parts += [f"{short} {self.losses[name]:.2f}" for short, name in
                  (("G", "generator"), ("D", "discriminator")) if name in self.losses]  # fmt: skip
        parts += [f"{n.removesuffix('_as_asked')} {v:.0%}" for n, v in self.as_asked.items()]
        return " · ".join(parts)

    def _save(self) -> None:
        state = self.trainer.state()
        # The losses were those before the last update, which may have spoilt the weights.
        for name, tensor in state.items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise self._diverged(f"{name} is not finite")
        self.saved_at = time.monotonic()
        if not self.team.first:
            return
        progress = {
            "images": self.trainer.images,
            "step": self.trainer.step,
            "seconds": self.seconds,
        }
        checkpoint.save(self.folder, state, progress)


@contextmanager
def stop_signals() -> Iterator[list[str]]:
    """Collects the names of Ctrl-C and SIGTERM instead of dying of them."""
    received: list[str] = []

    def receive(number: int, _: FrameType | None) -> None:
        received.append(signal.Signals(number).name)

    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
