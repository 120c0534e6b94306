"""`python -m train`: data -> checkpoint -> judged -> exported -> promoted."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

try:
    import torch  # noqa: F401 - to say first that it is missing
    from rich.console import Console
except ModuleNotFoundError as missing:
    sys.exit(f"training needs {missing.name}: pip install -e '.[train]'")

import config
from export.convert import JUDGED, ExportError, export_run
from export.manifest import ModelError
from export.registry import Registry
from train import checkpoint
from train.calibrate import calibrate
from train.data import DataError, Faces, load
from train.distributed import ALONE, ShareError, Team, WorkerLostError, join
from train.judge import Judge, prepare
from train.loop import DivergedError, MemoryShortError, Stopped, train
from train.machine import MachineError, make_ready
from train.promote import incomparable, onnx_paint, promote
from train.settings import TrainingSettings, TrainSettings, add_flags, given_flags
from train.trainer import Trainer
from train.upscaler import command as upscaler

NO_DATA = """\
There is nothing to learn from yet: name a folder or a zip of images, at least 64×64 pixels each.
  python -m train --data faces.zip    with images/ and tags.csv, a line each: 17,aqua hair red eyes
  python -m train --data folder       with one folder a class, or untagged images alone
It trains, judges, exports, and puts the new model in use if it is not worse than the present one.
The README says more under "Bring your own images"; `python -m train --help` lists all settings."""


OF_A_RUN = ("resolution", "batch", "width", "latent_dim")
"""Settings that a checkpoint is bound to."""


def main(given: Sequence[str] | None = None) -> None:
    console = Console(soft_wrap=True)
    given = sys.argv[1:] if given is None else given
    try:
        if given[:1] == ["upscaler"]:
            upscaler.main(given[1:], console)
            return
        arguments = _parser().parse_args(given)
        settings = _settings(arguments)
        if arguments.command == "judge":
            _judge_model(arguments.model, settings, console)
        else:
            _train(arguments, settings, console)
    except KeyboardInterrupt:  # before or after the training itself, which takes it kindly
        console.print("interrupted")
        sys.exit(130)
    except Stopped as stopped:
        console.print(str(stopped), highlight=False)
        sys.exit(130)  # what comes after a training should not come after half of one
    except (
        config.SettingsError,
        DataError,
        checkpoint.CheckpointError,
        DivergedError,
        ExportError,
        MachineError,
        MemoryShortError,
        ModelError,
        OSError,
        ShareError,
        WorkerLostError,
    ) as error:
        if isinstance(error, MemoryShortError | WorkerLostError):
            console.quiet = False  # not every process says the same
        console.print(f"error: {error}", markup=False, highlight=False)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a generator, judge it, export it, and put it in use if it is not worse.",
        epilog="`python -m train judge [MODEL] --data …` prints the figures of a model; "
        "`python -m train upscaler --data …` trains what makes its pictures larger.",
    )
    parser.add_argument("command", nargs="?", choices=["judge"], help="instead of training")
    parser.add_argument("model", nargs="?", help="the model to judge; the one in use by default")
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with a run's folder")
    parser.add_argument("--model-name", metavar="NAME", help="of the exported model")
    parser.add_argument("--no-promote", action="store_true", help="export, but leave it unused")
    parser.add_argument("--force", action="store_true", help="put it in use without comparing")
    add_flags(parser, "train", TrainSettings)
    return parser


def _settings(arguments: argparse.Namespace) -> TrainingSettings:
    given = given_flags(arguments, "train")
    settings = config.read(TrainingSettings, arguments.config, {"train": given})
    if arguments.resume is None:
        return settings
    # A run goes on with its own settings; only what the command line says anew differs.
    info = checkpoint.read_run(arguments.resume)
    try:
        begun = TrainSettings(**info.settings)
        resumed = TrainSettings(**{**info.settings, **given})
    except ValidationError as error:
        raise config.SettingsError(
            f"--resume {arguments.resume}: wrong settings\n{config.reasons(error)}"
        ) from None
    for name in OF_A_RUN:
        old, new = getattr(begun, name), getattr(resumed, name)
        if old != new:
            raise config.SettingsError(
                f"--resume {arguments.resume}: its {name} is {old} and stays so; "
                f"start another run for {new}"
            )
    return settings.model_copy(update={"train": resumed})


def _train(arguments: argparse.Namespace, settings: TrainingSettings, console: Console) -> None:
    registry = Registry(settings.models.dir)
    if arguments.model_name is not None:
        registry.vacant(arguments.model_name)
    with join() as team:
        console.quiet = not team.first
        run, trainer, judge = _learn(arguments, settings, console, team)
    if not team.first:
        return
    # The team has parted: torchmetrics would wait for the figures of all its members.
    figures = calibrate(trainer.ema, judge)
    checkpoint.save(run, trainer.state(), checkpoint.read_progress(run))
    console.print(f"latents are spread by {trainer.ema.spread.item():g}", highlight=False)
    (run / JUDGED).write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    _print_figures(figures, console)
    name = export_run(run, registry, arguments.model_name)
    console.print(f"exported as {registry.folder(name)}", highlight=False)
    if arguments.no_promote:
        console.print(f"not in use (--no-promote); take it with: python -m export use {name}")
        return
    margin = settings.promote.margin
    console.print(promote(name, registry, judge, margin, force=arguments.force), highlight=False)


def _learn(
    arguments: argparse.Namespace, settings: TrainingSettings, console: Console, team: Team
) -> tuple[Path, Trainer, Judge]:
    """The training itself, in each process of the team; process 0 alone writes."""
    team.part(settings.train.batch, settings.train.group)  # said before the data is read
    faces = _faces(settings.train, console, team)

    def begin() -> Path:
        run = arguments.resume or _new_run(settings.train, faces)
        if arguments.resume and checkpoint.read_run(run).fingerprint != faces.fingerprint:
            raise checkpoint.CheckpointError(
                f"{run} was trained on other data than {settings.train.data}; "
                "resume it with its own"
            )
        _judge(settings, faces, console)  # keeps it in a file, for all
        info = checkpoint.RunInfo(
            run=run.resolve().name,
            attributes=faces.attributes,
            latent_dim=settings.train.latent_dim,
            image_size=settings.train.resolution,
            fingerprint=faces.fingerprint,
            settings=settings.train.model_dump(mode="json"),
        )
        checkpoint.write_run(run, info)
        (run / JUDGED).unlink(missing_ok=True)  # what it says is of an earlier generator
        return run

    run = team.once(begin)
    judge = _judge(settings, faces, console)
    shared = f", {team.size} processes" if team.size > 1 else ""
    console.print(f"training in {run} on {faces.images.device}{shared}", highlight=False)
    return run, train(run, settings.train, judge.learnt, judge, console, team), judge


def _judge_model(name: str | None, settings: TrainingSettings, console: Console) -> None:
    registry = Registry(settings.models.dir)
    folder, manifest = registry.load(name)
    size = {"resolution": manifest.image_size}
    faces = _faces(settings.train.model_copy(update=size), console, ALONE)
    reason = incomparable(manifest, faces)
    if reason:
        raise ModelError(f"model {manifest.name} {reason}")
    judge = _judge(settings, faces, console)
    console.print(f"model {manifest.name}, judged with {settings.train.data}", highlight=False)
    _print_figures(judge.measure(onnx_paint(folder), manifest.latent_dim), console)


def _faces(settings: TrainSettings, console: Console, team: Team) -> Faces:
    if settings.data is None:
        console.print(NO_DATA, highlight=False)
        sys.exit(2)
    device = str(make_ready(settings.device, settings.threads, team))
    faces = load(settings.data, settings.resolution, skip_bad=settings.skip_bad, device=device)
    named = ", ".join(f"{a.name} ({len(a.values)})" for a in faces.attributes) or "none"
    console.print(f"{len(faces):,} images, attributes: {named}", highlight=False)
    return faces


def _judge(settings: TrainingSettings, faces: Faces, console: Console) -> Judge:
    def say(text: str) -> None:
        console.print(text, highlight=False)

    return prepare(faces, settings.train.runs, images=settings.judge.images, report=say)


def _new_run(settings: TrainSettings, faces: Faces) -> Path:
    name = settings.name or f"{faces.name}-{datetime.now():%Y%m%d-%H%M%S}"
    run = settings.runs / name
    if (run / checkpoint.RUN_FILE).exists():
        raise checkpoint.CheckpointError(
            f"{run} exists already; go on with it (--resume {run}) or choose another --name"
        )
    return run


def _print_figures(figures: dict[str, float], console: Console) -> None:
    """Every figure beside that of held-out real faces."""
    console.print(f"{'':24}{'painted':>12}{'real':>12}", highlight=False)
    for name, value in figures.items():
        if not name.endswith("_real"):
            real = figures[f"{name}_real"]
            console.print(f"{name.replace('_', ' '):24}{value:12.4f}{real:12.4f}", highlight=False)


if __name__ == "__main__":
    main()
