"""`python -m train`: data -> checkpoint -> judged -> exported -> promoted."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

try:
    import torch
    from rich.console import Console
except ModuleNotFoundError as missing:
    sys.exit(f"training needs {missing.name}: pip install -e '.[train]'")

import config
from config import nearest
from export.convert import JUDGED, ExportError, export_run
from export.manifest import ModelError
from export.registry import Registry
from export.weights import read_weights
from train import checkpoint, recipes
from train.compare import command as compare
from train.data import DataError, Faces
from train.distributed import ShareError, Team, WorkerLostError, join
from train.judging import judge_model, judge_of, judge_run, read_faces, settle
from train.loop import DivergedError, MemoryShortError, Stopped, train
from train.machine import MachineError
from train.metrics import SECOND, Judge, blind
from train.networks.features import FeatureNetworkError
from train.promote import incomparable, promote
from train.settings import JudgeSettings, TrainingSettings, TrainSettings, add_flags, given_flags
from train.show import command as show
from train.show.model import ShowError
from train.trainer import Trainer
from train.upscaler import command as upscaler

COMMANDS = {
    "blind": blind.main,
    "compare": compare.main,
    "show": show.main,
    "upscaler": upscaler.main,
}

OF_A_RUN = (
    *(
        "recipe",
        "generator",
        "discriminator",
        "discriminator_norm",
        "resolution",
        "width",
        "blocks",
    ),
    *("latent_dim", "latent_deviation", "conditioning", "heads", "optimiser", "batch"),
)
"""Settings that a checkpoint is bound to."""


def main(given: Sequence[str] | None = None) -> None:
    console = Console(soft_wrap=True)
    given = sys.argv[1:] if given is None else given
    try:
        if given[:1] and given[0] in COMMANDS:
            COMMANDS[given[0]](given[1:], console)
            return
        arguments = _arguments(given)
        if arguments.command == "recipes":
            _print_recipes(console)
            return
        settings = _settings(arguments)
        if arguments.command == "judge" and _is_run(arguments.model):
            judge_run(Path(arguments.model), settings, console)
        elif arguments.command == "judge":
            judge_model(arguments.model, settings, console)
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
        blind.BlindError,
        checkpoint.CheckpointError,
        DivergedError,
        ExportError,
        FeatureNetworkError,
        MachineError,
        MemoryShortError,
        ModelError,
        OSError,
        ShareError,
        ShowError,
        WorkerLostError,
    ) as error:
        if isinstance(error, MemoryShortError | WorkerLostError):
            console.quiet = False  # not every process says the same
        console.print(f"error: {error}", markup=False, highlight=False)
        sys.exit(2)


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    """Exits where there is an unknown flag, with the nearest."""
    parser = _parser()
    flags = [flag for action in parser._actions for flag in action.option_strings]
    for word in given:
        flag = word.split("=")[0]
        if flag.startswith("--") and not any(known.startswith(flag) for known in flags):
            parser.error(f"there is no {flag}{nearest(flag, flags)}")
    return parser.parse_args(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a generator, judge it, export it, and put it in use if it is not worse.",
        epilog="`python -m train judge [MODEL] --data …` prints the figures of a model; "
        "`python -m train recipes` lists what --recipe takes; "
        "`python -m train judge RUN` settles anew how a run paints, and its figures; "
        "`python -m train show RUN` paints what a run has learnt; "
        "`python -m train compare RUN…` puts several side by side; "
        "`python -m train blind paint MODEL RUN…` is for counting broken pictures by eye; "
        "`python -m train upscaler --data …` trains what makes its pictures larger.",
    )
    parser.add_argument(
        "command", nargs="?", choices=["judge", "recipes"], help="instead of training"
    )
    parser.add_argument(
        "model",
        nargs="?",
        help="the model, or the run's folder, to judge; the model in use by default",
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with a run's folder")
    parser.add_argument("--model-name", metavar="NAME", help="of the exported model")
    parser.add_argument("--no-promote", action="store_true", help="export, but leave it unused")
    parser.add_argument(
        "--no-export", action="store_true", help="train alone: judge and export the run later"
    )
    parser.add_argument("--force", action="store_true", help="put it in use without comparing")
    add_flags(parser, "train", TrainSettings)
    add_flags(parser, "judge", JudgeSettings, prefix="judge.")
    return parser


def _settings(arguments: argparse.Namespace) -> TrainingSettings:
    given = given_flags(arguments, "train")
    flags = {"judge": given_flags(arguments, "judge")}
    flags |= {"train": given} if arguments.resume is None else {}
    name = config.read(_Named, arguments.config, flags).train.recipe
    cooked = {"train": recipes.read(name).settings} if name else {}
    settings = config.read(TrainingSettings, arguments.config, flags, cooked)
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


class _RecipeAlone(BaseModel):
    recipe: str = ""


class _Named(config.Settings):
    """Which recipe is asked for, whatever else is: it has to be read before the others make sense
    together.
    """

    train: _RecipeAlone = _RecipeAlone()


def _print_recipes(console: Console) -> None:
    for name in recipes.NAMES:
        recipe = recipes.read(name)
        console.print(f"{name:16} {recipe.about}\n{'':16} [{recipe.source}]", markup=False)
    console.print(
        "\npython -m train --data faces.zip --recipe NAME; any setting of it can be given anew on"
        " the command line"
    )


def _train(arguments: argparse.Namespace, settings: TrainingSettings, console: Console) -> None:
    registry = Registry(settings.models.dir)
    if arguments.model_name is not None:
        registry.vacant(arguments.model_name)
    with join() as team:
        console.quiet = not team.first
        run, trainer, judge, faces = _learn(arguments, settings, console, team)
    if not team.first:
        return
    if arguments.no_export:
        console.print(f"trained; judge it with: python -m train judge {run}", highlight=False)
        return
    tagged = bool(trainer.faces.attributes)
    second = judge_of(faces, settings, console, tagged=tagged, seed=SECOND)
    players = trainer.ema, trainer.discriminator
    settle(run, *players, judge, second, settings.judge.fakes, console)
    name = export_run(run, registry, arguments.model_name)
    console.print(f"exported as {registry.folder(name)}", highlight=False)
    if arguments.no_promote:
        console.print(f"not in use (--no-promote); take it with: python -m export use {name}")
        return
    margin = settings.promote.margin
    said = promote(name, registry, second, settings.judge.fakes, margin, force=arguments.force)
    console.print(said, highlight=False)


def _learn(
    arguments: argparse.Namespace, settings: TrainingSettings, console: Console, team: Team
) -> tuple[Path, Trainer, Judge, Faces]:
    """The training itself, in each process of the team; process 0 alone writes."""
    team.part(settings.train.batch, settings.train.group)  # said before the data is read
    faces = read_faces(settings.train, console, team)
    tagged = settings.train.conditioning != "none"

    def begin() -> Path:
        run = arguments.resume or _new_run(settings.train, faces)
        if arguments.resume and checkpoint.read_run(run).fingerprint != faces.fingerprint:
            raise checkpoint.CheckpointError(
                f"{run} was trained on other data than {settings.train.data}; "
                "resume it with its own"
            )
        weights = None if arguments.resume else _start(settings, faces)
        judge_of(faces, settings, console, tagged=tagged)  # keeps it in a file, for all
        info = checkpoint.RunInfo(
            run=run.resolve().name,
            attributes=faces.attributes if tagged else (),
            latent_dim=settings.train.latent_dim,
            image_size=settings.train.resolution,
            fingerprint=faces.fingerprint,
            settings=settings.train.model_dump(mode="json"),
        )
        checkpoint.write_run(run, info)
        (run / JUDGED).unlink(missing_ok=True)  # what it says is of an earlier generator
        if weights is not None:
            trainer = Trainer(settings.train, faces.split()[0])
            try:
                trainer.begin(weights)
            except RuntimeError as error:
                raise ModelError(
                    f"{settings.train.start} is of other networks than these: {error}"
                ) from None
            checkpoint.save(run, trainer.state(), {"images": 0, "step": 0, "seconds": 0.0})
        return run

    run = team.once(begin)
    judge = judge_of(faces, settings, console, tagged=tagged)
    shared = f", {team.size} processes" if team.size > 1 else ""
    console.print(f"training in {run} on {faces.images.device}{shared}", highlight=False)
    return run, train(run, settings.train, judge.learnt, judge, console, team), judge, faces


def _start(settings: TrainingSettings, faces: Faces) -> dict[str, torch.Tensor] | None:
    """The weights that the training begins with. Raises ModelError, ExportError."""
    name = settings.train.start
    if not name:
        return None
    folder, manifest = Registry(settings.models.dir).load(name)
    reason = incomparable(manifest, faces)
    if reason:
        raise ModelError(f"a training cannot start with {name}, which {reason}")
    found = manifest.training.get("settings", {})
    for key in ("width", "latent_dim"):
        theirs, ours = found.get(key), getattr(settings.train, key)
        if theirs != ours:
            flag = key.replace("_", "-")
            raise ModelError(f"{name} has {key} {theirs}, not {ours}: add --{flag} {theirs}")
    return read_weights(folder, manifest)


def _is_run(name: str | None) -> bool:
    return name is not None and (Path(name) / checkpoint.RUN_FILE).is_file()


def _new_run(settings: TrainSettings, faces: Faces) -> Path:
    name = settings.name or f"{faces.name}-{datetime.now():%Y%m%d-%H%M%S}"
    run = settings.runs / name
    if (run / checkpoint.RUN_FILE).exists():
        raise checkpoint.CheckpointError(
            f"{run} exists already; go on with it (--resume {run}) or choose another --name"
        )
    return run


if __name__ == "__main__":
    main()
