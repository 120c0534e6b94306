"""Length of a training: the default number of images, and the expected time."""

import time

from rich.console import Console

from train.checkpoint import Progress
from train.distributed import SINGLE_PROCESS, Processes
from train.settings import TrainingSettings, TrainSettings
from train.trainer import Trainer

PASSES, PASSES_FROM_MODEL = 130, 40
"""Default training length in passes over the data, from scratch and from a model (`--start`)."""
LEAST_IMAGES, LEAST_IMAGES_FROM_MODEL, MOST_IMAGES = 60_000, 8_000, 2_000_000
WARM_UP_STEPS, TIMED_STEPS = 2, 8
"""Steps before and while the time is taken; every eighth step is slower (lazy regularization)."""
MAX_SECONDS = 10.0
"""Limit of the timed steps."""


def default_images(count: int, from_model: bool = False) -> int:
    """Number of images that a training on `count` images shows by default, from scratch or from
    the weights of a model, which needs fewer.
    """
    passes, least = (
        (PASSES_FROM_MODEL, LEAST_IMAGES_FROM_MODEL) if from_model else (PASSES, LEAST_IMAGES)
    )
    return min(max(passes * count, least), MOST_IMAGES)


def set_length(settings: TrainingSettings, count: int, console: Console) -> TrainingSettings:
    """Settings with a training length that fits the number of images, unless one is given."""
    train = settings.train
    if train.minutes is not None or train.images:
        return settings
    images = default_images(count, bool(train.start))
    console.print(
        f"length: {images:,} images shown, {images / count:,.0f} passes over the data; --images or "
        "--minutes changes it",
        highlight=False,
    )
    changed = train.model_copy(update={"images": images})
    return settings.model_copy(update={"train": changed})


def seconds_per_image(trainer: Trainer, processes: Processes = SINGLE_PROCESS) -> float:
    """Times a few training steps, and restores the state of the trainer."""
    saved = {name: tensor.clone() for name, tensor in trainer.state_dict().items()}
    before, seconds, timed = trainer.step, 0.0, 0
    for number in range(WARM_UP_STEPS + TIMED_STEPS):
        start = time.monotonic()
        losses = trainer.train_step(0.0)
        next(iter(losses.values())).item()  # waits for the device
        (duration,) = processes.maximum(time.monotonic() - start)
        if number >= WARM_UP_STEPS:
            seconds, timed = seconds + duration, timed + 1
        if seconds > MAX_SECONDS:
            break
    trainer.load_state_dict(saved, before)
    return seconds / (timed * trainer.settings.optimizer.batch)


def expected_time(
    settings: TrainSettings, per_image: float, count: int, done: Progress | None = None
) -> str:
    """A line for the operator. `count` is the number of training images, `done` the progress of a
    resumed run.
    """
    done = done or Progress(images=0, step=0, seconds=0.0)
    speed = f"{1 / per_image:,.0f} images/s"
    if settings.minutes is not None:
        minutes = max(0.0, settings.minutes - done.seconds / 60)
        images = 60 * minutes / per_image
        epochs = images / count
        shown = f"{epochs:,.0f}" if epochs >= 10 else f"{epochs:.1f}"
        return (
            f"expected: about {images:,.0f} images, {shown} epochs, in "
            f"{round(minutes, 1):g} minutes ({speed})"
        )
    left = max(0, settings.images - done.images)
    return f"expected time: {_duration(left * per_image)} for {left:,} images ({speed})"


def _duration(seconds: float) -> str:
    """About 40 seconds, 14 minutes, 2.5 hours or 3.1 days."""
    for size, unit in ((86_400, "days"), (3_600, "hours")):
        if seconds >= 1.5 * size:
            return f"about {seconds / size:.1f} {unit}"
    if seconds >= 90:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {max(1, round(seconds))} seconds"
