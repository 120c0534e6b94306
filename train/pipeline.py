"""`python -m train`: train → judge → export → promote."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console

from export.convert import export_run
from export.registry import Registry
from train import checkpoint, tensorboard
from train.arguments import parse
from train.command_line import build_parser, read_settings
from train.data import Faces
from train.distributed import Processes, join
from train.judging import build_judges, calibrate_run, find_judge, read_faces
from train.length import default_images, expected_time, seconds_per_image, set_length
from train.loop import checkpoint_hint, load_checkpoint, train
from train.machine import check_clock, memory_errors
from train.metrics import check_data
from train.models import build_reporter, build_trainer
from train.options import changed_settings
from train.promote import promote
from train.settings import TrainingSettings, TrainSettings
from train.start import (
    StartWeights,
    keep_refinement,
    read_start_weights,
    save_start,
    suggest_start,
)
from train.trainer import Trainer

MANY_BATCHES = 50
"""Trainings of fewer batches are over before their time could be measured."""


def main(given: Sequence[str], console: Console) -> None:
    """Runs the pipeline. Raises the errors of its parts, with messages for the operator."""
    arguments = parse(build_parser(), given)
    settings = read_settings(arguments)
    if arguments.model_name is not None:
        Registry(settings.models.dir).new_folder(arguments.model_name)
    with ExitStack() as locks:  # of the run, until it is judged and exported
        with join() as processes:
            console.quiet = not processes.is_main
            if arguments.dry_run:
                dry_run(arguments, settings, console, processes)
                return
            run, trainer, faces = train_run(arguments, settings, console, processes, locks)
        if processes.is_main:
            finish(run, trainer, faces, arguments, settings, console)


def finish(
    run: Path,
    trainer: Trainer,
    faces: Faces,
    arguments: argparse.Namespace,
    settings: TrainingSettings,
    console: Console,
) -> None:
    """Judges a trained run, exports it, and puts the model in use if it is not worse."""
    registry = Registry(settings.models.dir)
    if arguments.no_export:
        console.print(f"trained; judge it with: python -m train judge {run}", highlight=False)
        return
    tagged = bool(trainer.faces.attributes)
    judge, second = build_judges(faces, settings.train.runs, settings, console, tagged=tagged)
    calibrate_run(run, trainer.ema, judge, second, settings.judge, console)
    name = export_run(run, registry, arguments.model_name)
    console.print(
        f"exported as {registry.folder(name)}; named directions to shape its faces are found with: "
        f"python -m train directions {name} --data {settings.train.data}",
        highlight=False,
    )
    if arguments.no_promote:
        console.print(f"not in use (--no-promote); use it with: python -m export use {name}")
        return
    margin, fakes = settings.promote.margin, settings.judge.fakes
    outcome = promote(name, registry, second, fakes, margin, force=arguments.force)
    console.print(outcome, highlight=False)


def train_run(
    arguments: argparse.Namespace,
    settings: TrainingSettings,
    console: Console,
    processes: Processes,
    locks: ExitStack,
) -> tuple[Path, Trainer, Faces]:
    """Trains, in all processes; only rank 0 writes files. Adds the lock of the run to `locks`."""
    check_settings(settings.train, processes)

    def lock(run: Path) -> None:
        processes.on_main(lambda: locks.enter_context(checkpoint.locked(run)))

    if arguments.resume:
        lock(arguments.resume)
    faces = read_faces(settings.train, console, processes)
    check_clock(settings.train.clock, faces.images.device)
    settings = fit_settings(arguments, settings, len(faces), console)
    run = processes.on_main(lambda: start_run(arguments, settings, faces, console))
    if not arguments.resume:
        lock(run)
    return run, _train(run, settings, faces, console, processes), faces


def check_settings(settings: TrainSettings, processes: Processes) -> None:
    """Raises errors that need no data: ShareError, CheckpointError, TensorBoardError."""
    processes.rows(settings.optimizer.batch, settings.optimizer.group)
    checkpoint.check_runs(settings.runs)
    if settings.tensorboard:
        tensorboard.check()


def dry_run(
    arguments: argparse.Namespace,
    settings: TrainingSettings,
    console: Console,
    processes: Processes,
) -> None:
    """Reads and checks everything that a training needs, prints it and the expected time, and
    writes nothing.
    """
    check_settings(settings.train, processes)
    faces = read_faces(settings.train, console, processes)
    check_clock(settings.train.clock, faces.images.device)
    settings = fit_settings(arguments, settings, len(faces), console)
    check_run(arguments, settings, faces)
    chosen = settings.train
    if chosen.images == default_images(len(faces), bool(chosen.start)):
        chosen = chosen.model_copy(update={"images": 0})  # the default, as a number
    for line in changed_settings(chosen):
        console.print(line, markup=False, highlight=False)
    with _explained_memory(settings.train, faces, processes):
        training_set, _ = _training_data(settings, faces).split()
        trainer = build_trainer(settings.train, training_set, processes)
        run = arguments.resume
        done = load_checkpoint(run, trainer, processes) if run else None
        seconds = seconds_per_image(trainer, processes)
    expected = expected_time(settings.train, seconds, trainer.data_size, done)
    console.print(f"{expected} on {faces.images.device}", highlight=False)
    console.print("nothing was written (--dry-run)")


def _training_data(settings: TrainingSettings, faces: Faces) -> Faces:
    return faces if _is_tagged(settings) else faces.without_attributes()


def _is_tagged(settings: TrainingSettings) -> bool:
    lineage = settings.train.lineage
    return lineage is None or lineage.conditioning != "none"


def _train(
    run: Path,
    settings: TrainingSettings,
    faces: Faces,
    console: Console,
    processes: Processes,
) -> Trainer:
    """Trains in the folder of a run that `start_run` has prepared."""
    shared = f", {processes.world_size} processes" if processes.world_size > 1 else ""
    console.print(f"training in {run} on {faces.images.device}{shared}", highlight=False)
    with _explained_memory(settings.train, faces, processes, run):
        training_set, held_out = _training_data(settings, faces).split()
        trainer = build_trainer(settings.train, training_set, processes)
        judge = find_judge(faces, settings, tagged=_is_tagged(settings))
        if judge is None:
            console.print("the judge is trained afterwards: reports have no shares as asked")
        reporter = build_reporter(trainer, held_out, judge)
        done = processes.on_main(lambda: checkpoint.find_progress(run))
        batches = (settings.train.images - done.images) / settings.train.optimizer.batch
        if settings.train.minutes is not None or batches > MANY_BATCHES:
            seconds = seconds_per_image(trainer, processes)
            expected = expected_time(settings.train, seconds, trainer.data_size, done)
            console.print(expected, highlight=False)

        def begin() -> None:  # a run whose checkpoint cannot be restored stays as it is
            _write_run(run, settings, faces)
            (run / checkpoint.JUDGED_FILE).unlink(missing_ok=True)  # of an earlier checkpoint

        train(run, settings.train, trainer, reporter, console, processes, begin)
    return trainer


def check_run(
    arguments: argparse.Namespace, settings: TrainingSettings, faces: Faces
) -> tuple[Path, StartWeights | None]:
    """The folder of the run, and the weights that a new one starts with. Raises DataError,
    CheckpointError, ModelError or ExportError if it cannot be trained on this data.
    """
    check_data(faces)  # before hours of training
    run = arguments.resume or _new_run(settings.train, faces)
    if arguments.resume and checkpoint.read_run(run).fingerprint != faces.fingerprint:
        raise checkpoint.CheckpointError(
            f"{run} was not trained on {settings.train.data}; resume it with the same data"
        )
    return run, None if arguments.resume else read_start_weights(settings, faces)


def start_run(
    arguments: argparse.Namespace,
    settings: TrainingSettings,
    faces: Faces,
    console: Console,
) -> Path:
    """Creates the folder of a run, or checks the resumed run."""
    run, start = check_run(arguments, settings, faces)
    if start is not None:
        save_start(run, settings.train, faces, start, console)
    if not arguments.resume:
        _write_run(run, settings, faces)
    return run


def _write_run(run: Path, settings: TrainingSettings, faces: Faces) -> None:
    info = checkpoint.RunInfo(
        run=run.resolve().name,
        attributes=faces.attributes if _is_tagged(settings) else (),
        latent_dim=settings.train.network.latent_dim,
        image_size=settings.train.network.resolution,
        fingerprint=faces.fingerprint,
        settings=settings.train.model_dump(mode="json"),
    )
    checkpoint.write_run(run, info)


def fit_settings(
    arguments: argparse.Namespace, settings: TrainingSettings, count: int, console: Console
) -> TrainingSettings:
    """Settings that fit `count` images and the model that the training starts with."""
    settings = set_length(settings, count, console)
    if arguments.resume:
        return settings
    suggest_start(settings, count, console)
    return keep_refinement(settings)


def _new_run(settings: TrainSettings, faces: Faces) -> Path:
    name = settings.name or f"{faces.name}-{datetime.now():%Y%m%d-%H%M%S}"
    run = settings.runs / name
    if (run / checkpoint.RUN_FILE).exists():
        raise checkpoint.CheckpointError(
            f"{run} exists already; resume it (--resume {run}) or choose another --name"
        )
    return run


@contextmanager
def _explained_memory(
    settings: TrainSettings, faces: Faces, processes: Processes, run: Path | None = None
) -> Iterator[None]:
    """Raises MemoryShortError for a batch that does not fit, with the checkpoint of the run."""

    def message(_: Exception) -> str:
        return (
            f"a batch of {settings.optimizer.batch} does not fit into the memory of "
            f"{faces.images.device}; start again with {_smaller_batch(settings, processes)}"
            f"{checkpoint_hint(run) if run else ''}"
        )

    with memory_errors(message):
        yield


def _smaller_batch(settings: TrainSettings, processes: Processes) -> str:
    multiple = settings.optimizer.group * processes.world_size
    half = settings.optimizer.batch // 2 // multiple * multiple
    return f"--batch {half}" if half else "a smaller --width or --resolution"
