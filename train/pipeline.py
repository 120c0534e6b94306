"""`python -m train`: train → judge → export → promote."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import torch
from pydantic import BaseModel, ValidationError
from rich.console import Console

import config
from export.convert import export_run
from export.manifest import ModelError
from export.registry import Registry
from export.weights import read_weights
from train import checkpoint, recipes
from train.arguments import parse
from train.data import Faces
from train.distributed import Processes, join
from train.judging import judge_of, read_faces, settle
from train.loop import kept, train
from train.machine import MemoryShortError, is_out_of_memory
from train.metrics import SECOND, Judge
from train.models import build_reporter, build_trainer
from train.promote import incomparable, promote
from train.settings import (
    JudgeSettings,
    TrainingSettings,
    TrainSettings,
    add_flags,
    deep_update,
    given_flags,
)
from train.trainer import Trainer

BOUND = {
    # Settings that a checkpoint is bound to, by section.
    "": ("recipe",),
    "network": ("resolution", "width", "latent_dim"),
    "optimizer": ("batch",),
    "features": ("network", "input_size", "strides", "channels"),
    "lineage": (
        *("generator", "discriminator", "discriminator_norm", "blocks", "latent_deviation"),
        *("conditioning", "heads", "optimizer"),
    ),
}


def main(given: Sequence[str], console: Console) -> None:
    """Raises the errors of every part, each with a message for the admin."""
    arguments = parse(build_parser(), given)
    settings = read_settings(arguments)
    registry = Registry(settings.models.dir)
    if arguments.model_name is not None:
        registry.vacant(arguments.model_name)
    with join() as processes:
        console.quiet = not processes.is_main
        run, trainer, judge, faces = learn(arguments, settings, console, processes)
    if not processes.is_main:
        return
    if arguments.no_export:
        console.print(f"trained; judge it with: python -m train judge {run}", highlight=False)
        return
    tagged = bool(trainer.faces.attributes)
    second = judge_of(faces, settings, console, tagged=tagged, seed=SECOND)
    networks = trainer.ema, trainer.discriminator
    settle(run, *networks, judge, second, settings.judge.fakes, console)
    name = export_run(run, registry, arguments.model_name)
    console.print(f"exported as {registry.folder(name)}", highlight=False)
    if arguments.no_promote:
        console.print(f"not in use (--no-promote); use it with: python -m export use {name}")
        return
    margin, fakes = settings.promote.margin, settings.judge.fakes
    outcome = promote(name, registry, second, fakes, margin, force=arguments.force)
    console.print(outcome, highlight=False)


def learn(
    arguments: argparse.Namespace,
    settings: TrainingSettings,
    console: Console,
    processes: Processes,
) -> tuple[Path, Trainer, Judge, Faces]:
    """The training itself, in each process; rank 0 alone writes."""
    # Before the data is read: an error at once.
    processes.rows(settings.train.optimizer.batch, settings.train.optimizer.group)
    faces = read_faces(settings.train, console, processes)
    lineage = settings.train.lineage
    tagged = lineage is None or lineage.conditioning != "none"
    run = processes.on_main(lambda: begin(arguments, settings, faces, tagged, console))
    judge = judge_of(faces, settings, console, tagged=tagged)
    shared = f", {processes.world_size} processes" if processes.world_size > 1 else ""
    console.print(f"training in {run} on {faces.images.device}{shared}", highlight=False)
    try:
        trainer = build_trainer(settings.train, judge.learnt, processes)
        reporter = build_reporter(trainer, judge)
        train(run, settings.train, trainer, reporter, console, processes)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise MemoryShortError(
                f"a batch of {settings.train.optimizer.batch} does not fit into the memory of "
                f"{faces.images.device}; start again with "
                f"{_smaller_batch(settings.train, processes)}{kept(run)}"
            ) from None
        raise
    return run, trainer, judge, faces


def begin(
    arguments: argparse.Namespace,
    settings: TrainingSettings,
    faces: Faces,
    tagged: bool,
    console: Console,
) -> Path:
    """Creates the run's folder, or checks that the one to resume is of this data."""
    run = arguments.resume or _new_run(settings.train, faces)
    if arguments.resume and checkpoint.read_run(run).fingerprint != faces.fingerprint:
        raise checkpoint.CheckpointError(
            f"{run} was trained on other data than {settings.train.data}; resume it with its own"
        )
    weights = None if arguments.resume else read_start(settings, faces)
    judge_of(faces, settings, console, tagged=tagged)  # cached in a file, for all processes
    info = checkpoint.RunInfo(
        run=run.resolve().name,
        attributes=faces.attributes if tagged else (),
        latent_dim=settings.train.network.latent_dim,
        image_size=settings.train.network.resolution,
        fingerprint=faces.fingerprint,
        settings=settings.train.model_dump(mode="json"),
    )
    checkpoint.write_run(run, info)
    (run / checkpoint.JUDGED_FILE).unlink(missing_ok=True)  # it is of an earlier generator
    if weights is not None:
        trainer = build_trainer(settings.train, faces.split()[0])
        try:
            trainer.load_weights(weights)
        except RuntimeError as error:
            raise ModelError(
                f"{settings.train.start} is of other networks than these: {error}"
            ) from None
        start = checkpoint.Progress(images=0, step=0, seconds=0.0)
        checkpoint.save(run, trainer.state_dict(), start)
    return run


def read_start(settings: TrainingSettings, faces: Faces) -> dict[str, torch.Tensor] | None:
    """The weights that the training begins with. Raises ModelError, ExportError."""
    name = settings.train.start
    if not name:
        return None
    folder, manifest = Registry(settings.models.dir).load(name)
    reason = incomparable(manifest, faces)
    if reason:
        raise ModelError(f"a training cannot start with {name}, which {reason}")
    weights = read_weights(folder, manifest)
    found = manifest.training.get("settings", {}).get("network", {})
    for key in ("width", "latent_dim"):
        theirs, ours = found.get(key), getattr(settings.train.network, key)
        if theirs != ours:
            flag = key.replace("_", "-")
            raise ModelError(f"{name} has {key} {theirs}, not {ours}: add --{flag} {theirs}")
    return weights


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        usage="python -m train [COMMAND] [--data PATH] [options]",
        description="Train a generator, judge it, export it, and use it if it is not worse.",
        epilog="commands, each with --help: judge, compare, blind, show, recipes, settings, "
        "upscaler. "
        "`python -m train settings` lists all options with their defaults.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="resume the run of this folder")
    parser.add_argument("--model-name", metavar="NAME", help="name of the exported model")
    parser.add_argument("--no-promote", action="store_true", help="export, and leave it unused")
    parser.add_argument(
        "--no-export", action="store_true", help="train alone: judge and export the run later"
    )
    parser.add_argument("--force", action="store_true", help="use it without comparing")
    shown = ("data", "start", "recipe", "minutes", "images", "name", "batch", "width", "resolution")
    add_flags(parser, "train", TrainSettings, shown)
    add_flags(parser, "judge", JudgeSettings, (), prefix="judge.")
    return parser


def read_settings(arguments: argparse.Namespace) -> TrainingSettings:
    """config.toml < recipe < environment < command line; a resumed run keeps its own settings, but
    for those that the command line gives. Raises SettingsError, CheckpointError.
    """
    given = given_flags(arguments, "train")
    flags = {"judge": given_flags(arguments, "judge")}
    flags |= {"train": given} if arguments.resume is None else {}
    name = config.read(_RecipeName, arguments.config, flags).train.recipe
    recipe = {"train": recipes.read(name).settings} if name else {}
    settings = config.read(TrainingSettings, arguments.config, flags, recipe)
    if arguments.resume is None:
        return settings
    info = checkpoint.read_run(arguments.resume)
    try:
        begun = TrainSettings(**info.settings)
        resumed = TrainSettings(**deep_update(info.settings, given))
    except ValidationError as error:
        raise config.SettingsError(
            f"--resume {arguments.resume}: wrong settings\n{config.reasons(error)}"
        ) from None
    for section, keys in BOUND.items():
        before, after = (getattr(s, section) if section else s for s in (begun, resumed))
        for key in keys:
            old, new = getattr(before, key, None), getattr(after, key, None)
            if old != new:
                raise config.SettingsError(
                    f"--resume {arguments.resume}: its {key} is {old} and stays so; "
                    f"start another run for {new}"
                )
    return settings.model_copy(update={"train": resumed})


class _RecipeSection(BaseModel):
    recipe: str = ""


class _RecipeName(config.Settings):
    """The recipe alone: it has to be known before the other settings make sense together."""

    train: _RecipeSection = _RecipeSection()


def _new_run(settings: TrainSettings, faces: Faces) -> Path:
    name = settings.name or f"{faces.name}-{datetime.now():%Y%m%d-%H%M%S}"
    run = settings.runs / name
    if (run / checkpoint.RUN_FILE).exists():
        raise checkpoint.CheckpointError(
            f"{run} exists already; resume it (--resume {run}) or choose another --name"
        )
    return run


def _smaller_batch(settings: TrainSettings, processes: Processes) -> str:
    multiple = settings.optimizer.group * processes.world_size
    half = settings.optimizer.batch // 2 // multiple * multiple
    return f"--batch {half}" if half else "a smaller --width or --resolution"
