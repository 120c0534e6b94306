"""The training loop: steps, reports and checkpoints until the goal is reached or a signal comes."""

import math
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

import torch
from rich.console import Console
from torch import Tensor

from train import checkpoint, report, tensorboard
from train.distributed import (
    LOST_WORKER,
    SINGLE_PROCESS,
    Processes,
    WorkerLostError,
    is_lost_worker,
)
from train.progress import progress_bar
from train.settings import RunSettings

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

CHECK_STEPS = 50
"""Steps between two checks of the losses; each check waits for the device."""
FIRST_REPORT = 1_000
"""Images before the first report, which shows within a minute that the training works."""
DIVERGED_LOSS = 1e4
"""A larger loss counts as a divergence; normal losses stay below 20."""


class Trainable(Protocol):
    """Interface of the trainers of generators and upscalers."""

    step: int
    rate_factor: float
    device: torch.device

    @property
    def images(self) -> int: ...
    @property
    def data_size(self) -> int: ...
    def train_step(self, progress: float) -> dict[str, Tensor]: ...
    def learning_rate(self, progress: float) -> float: ...
    def state_dict(self) -> dict[str, Tensor]: ...
    def load_state_dict(self, tensors: Mapping[str, Tensor], step: int) -> None: ...


class Reporter(Protocol):
    """Interface of the reporters, which add samples and figures to the losses."""

    command: str
    """The command that resumes the run, such as `python -m train`."""

    def __call__(self, folder: Path, images: int) -> dict[str, float]:
        """Writes samples to the folder of the run; returns figures for the log."""
        ...


class DivergedError(Exception):
    """A loss is not finite or too large; the last checkpoint is kept."""


class Stopped(Exception):  # noqa: N818 - not an error
    """The training was stopped by Ctrl-C or SIGTERM; a checkpoint has been written."""


def train(
    folder: Path,
    settings: RunSettings,
    trainer: Trainable,
    reporter: Reporter,
    console: Console,
    processes: Processes = SINGLE_PROCESS,
    on_restored: Callable[[], None] = lambda: None,
) -> None:
    """Trains in the folder of a run until the goal is reached; resumes from its checkpoint, if any.

    All processes call this; only rank 0 reads and writes the run, and calls `on_restored` before
    the first step, when the checkpoint is known to fit. Returns after the last checkpoint
    is written. After a first divergence the training resumes from the last checkpoint with half the
    learning rate. Raises Stopped, DivergedError, CheckpointError or WorkerLostError.
    """
    loop = _Loop(folder, settings, trainer, reporter, console, processes)
    try:
        loop.resume()
        processes.on_main(on_restored)
        while True:
            try:
                loop.run()
                return
            except DivergedError as error:
                if not loop.fall_back(error):
                    raise
    except RuntimeError as error:
        if is_lost_worker(error):
            raise WorkerLostError(f"{LOST_WORKER}{checkpoint_hint(folder)}") from None
        raise
    finally:
        loop.close_events()


def load_checkpoint(
    folder: Path, trainer: Trainable, processes: Processes = SINGLE_PROCESS
) -> checkpoint.Progress | None:
    """Restores the checkpoint of a run, if there is one. Raises CheckpointError."""

    def read() -> tuple[dict[str, Tensor], checkpoint.Progress] | None:
        if not (folder / checkpoint.CHECKPOINT_FILE).exists():
            return None
        return checkpoint.restore(folder), checkpoint.read_progress(folder)

    saved = processes.on_main(read)
    if saved is None:
        return None
    tensors, progress = saved
    try:
        trainer.load_state_dict(tensors, progress.step)
    except (RuntimeError, KeyError) as error:
        raise checkpoint.other_networks(folder, error) from None
    return progress


def checkpoint_hint(folder: Path) -> str:
    """The end of an error message: how to resume from the last checkpoint, if any."""
    if not (folder / checkpoint.CHECKPOINT_FILE).exists():
        return "; there is no checkpoint yet"
    return f"; the last checkpoint is kept; resume it with --resume {folder}"


class _Loop:
    def __init__(
        self,
        folder: Path,
        settings: RunSettings,
        trainer: Trainable,
        reporter: Reporter,
        console: Console,
        processes: Processes,
    ) -> None:
        self.folder, self.settings, self.trainer = folder, settings, trainer
        self.reporter, self.console, self.processes = reporter, console, processes
        self.now = _clock(settings)
        self.seconds_before, self.started = 0.0, self.now()
        self.saved_at, self.reported_at, self.speed = time.monotonic(), (time.monotonic(), 0), 0.0
        self.fallbacks = 0
        self.losses: dict[str, float] = {}
        self.figures: dict[str, float] = {}
        self.events: SummaryWriter | None = None
        self.clock = 0.0
        """Seconds of training, the same in all processes."""

    @property
    def seconds(self) -> float:
        return self.seconds_before + self.now() - self.started

    @property
    def progress(self) -> float:
        """Share of the goal that is reached, 0…1."""
        if self.settings.minutes is not None:
            return min(1.0, self.clock / (60 * self.settings.minutes))
        return min(1.0, self.trainer.images / self.settings.images)

    @property
    def _epochs(self) -> float:
        """Passes over the data."""
        return self.trainer.images / max(1, self.trainer.data_size)

    def run(self) -> None:
        with (
            stop_signals() as stop,
            progress_bar(self.console, "training", self.progress) as report_progress,
        ):
            next_report = self._next_report()
            losses: dict[str, Tensor] = {}
            while not self._agree_to_stop(stop) and self.progress < self.settings.pause_at:
                losses = self.trainer.train_step(self.progress)
                if self.trainer.step % CHECK_STEPS == 0:
                    self._check(losses)
                    report_progress(self.progress, self._status())
                    if time.monotonic() - self.saved_at > 60 * self.settings.checkpoint_minutes:
                        self._save()
                if self.trainer.images >= next_report:
                    self._check(losses)
                    self._report()
                    next_report = self._next_report()
            if losses:
                self._check(losses)
                report_progress(self.progress, self._status())
                self._save()
            if self.progress == 1 and self.reported_at[1] < self.trainer.images:
                self._report()
            if self._agree_to_stop(stop):
                cause = stop[0] if stop else "another process"
                raise Stopped(
                    f"stopped by {cause} at {self.trainer.images:,} images; "
                    f"resume with: {self.reporter.command} --resume {self.folder}"
                )
            if self.progress < 1:
                raise Stopped(
                    f"paused at {self.trainer.images:,} images; resume with: "
                    f"{self.reporter.command} --resume {self.folder} --pause-at 1"
                )

    def resume(self) -> None:
        """Restores the checkpoint of the run, if there is one."""
        progress = load_checkpoint(self.folder, self.trainer, self.processes)
        if progress is not None:
            self.trainer.rate_factor = progress.rate_factor
            self.fallbacks = progress.fallbacks
            self.seconds_before = self.clock = progress.seconds
        self.started, self.saved_at = self.now(), time.monotonic()
        self.reported_at = (self.saved_at, self.trainer.images)
        if self.processes.is_main:
            report.rewind_log(self.folder, self.trainer.images)
            (self.folder / checkpoint.DIVERGED_FILE).unlink(missing_ok=True)
            self.close_events()
            if self.settings.tensorboard:
                self.events = tensorboard.open_events(self.folder, self.trainer.images)

    def close_events(self) -> None:
        """Closes the event files of TensorBoard, if there are any."""
        if self.events is not None:
            self.events.close()
            self.events = None

    def fall_back(self, error: DivergedError) -> bool:
        """Returns to the last checkpoint with half the learning rate. Returns False if there is no
        checkpoint, or after an earlier divergence.
        """
        exists = (self.folder / checkpoint.CHECKPOINT_FILE).exists()
        if not self.processes.on_main(lambda: exists) or self.fallbacks:
            return False
        self.resume()
        self.fallbacks += 1
        self.trainer.rate_factor /= 2
        self.console.print(
            f"{error}\nresuming from the checkpoint at {self.trainer.images:,} images with half "
            "the learning rate; a second divergence ends the training",
            highlight=False,
        )
        return True

    def _agree_to_stop(self, stop: list[str]) -> bool:
        """Whether any process received a stop signal; synchronizes `clock`."""
        self.clock, stopping = self.processes.maximum(self.seconds, float(bool(stop)))
        return stopping > 0

    def _next_report(self) -> int:
        every = self.settings.report_images
        if self.trainer.images < FIRST_REPORT < every:
            return FIRST_REPORT
        return (self.trainer.images // every + 1) * every

    def _check(self, losses: dict[str, Tensor]) -> None:
        values = self.processes.mean(torch.stack(list(losses.values()))).tolist()
        self.losses = dict(zip(losses, values, strict=True))
        for name, value in self.losses.items():
            if not math.isfinite(value) or abs(value) > DIVERGED_LOSS:
                raise self._diverged(f"{name} loss is {value}")

    def _diverged(self, sign: str) -> DivergedError:
        if self.processes.is_main:
            found = checkpoint.Divergence(self.trainer.step, self.trainer.images, sign)
            checkpoint.write_divergence(self.folder, found)
        exists = (self.folder / checkpoint.CHECKPOINT_FILE).exists()
        last = f"; the last good checkpoint is kept in {self.folder}" if exists else ""
        return DivergedError(
            f"training diverged at {self.trainer.images:,} images: {sign}{last}. "
            "A lower --learning-rate or a higher --penalty may prevent it"
        )

    def _report(self) -> None:
        if self.processes.is_main:
            self.figures = self.reporter(self.folder, self.trainer.images)
            line = {
                "images": self.trainer.images,
                "epochs": round(self._epochs, 2),
                "seconds": round(self.seconds, 1),
                "images_per_second": round(self._speed(), 1),
                "seconds_per_kimg": round(1000 / max(self._speed(), 1e-9), 2),
                "peak_memory_mib": round(peak_memory(self.trainer.device)),
                "learning_rate": self.trainer.learning_rate(self.progress),
            }
            figures = line | self.losses | self.figures
            report.append_log(self.folder, figures)
            if self.events is not None:
                grid = self.folder / report.sheet_name("samples", self.trainer.images)
                tensorboard.write_report(self.events, self.trainer.images, figures, grid)
            report.save_plot(self.folder)
            done = f"{self.trainer.images:,} images · {self._epochs:,.1f} epochs"
            status = f"{done} · {self._status()}"
            self.console.print(status, highlight=False)
        self.reported_at = (time.monotonic(), self.trainer.images)

    def _speed(self) -> float:
        """Images per second since the last report; right after it, of the interval before."""
        moment, images = self.reported_at
        if images < self.trainer.images:
            self.speed = (self.trainer.images - images) / max(1e-9, time.monotonic() - moment)
        return self.speed

    def _status(self) -> str:
        memory = peak_memory(self.trainer.device) / 1024
        parts = [f"{1000 / max(self._speed(), 1e-9):.1f} s/kimg", f"{memory:.1f} GiB"]
        parts += [f"{name} {value:.2f}" for name, value in self.losses.items() if "_" not in name]
        parts += [f"{name} {value:.3g}" for name, value in self.figures.items()]
        return " · ".join(parts)

    def _save(self) -> None:
        tensors = self.trainer.state_dict()
        # The last update, which followed the checked losses, may have made the weights not finite.
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise self._diverged(f"{name} is not finite")
        self.saved_at = time.monotonic()
        if self.processes.is_main:
            progress = checkpoint.Progress(
                images=self.trainer.images,
                step=self.trainer.step,
                seconds=self.seconds,
                rate_factor=self.trainer.rate_factor,
                fallbacks=self.fallbacks,
            )
            checkpoint.save(self.folder, tensors, progress)


def _clock(settings: RunSettings) -> Callable[[], float]:
    """The seconds that `minutes` are counted in."""
    if settings.clock == "wall":
        return time.monotonic
    return lambda: time.process_time() / torch.get_num_threads()


def peak_memory(device: torch.device) -> float:
    """Peak memory of the GPU, or of this process on a CPU, in MiB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def stop_signals() -> Iterator[list[str]]:
    """Collects the names of SIGINT and SIGTERM instead of letting them end the process."""
    received: list[str] = []

    def receive(number: int, _: FrameType | None) -> None:
        received.append(signal.Signals(number).name)

    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
