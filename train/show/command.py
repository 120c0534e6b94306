"""`python -m train show RUN`: pictures of a trained run from its checkpoint, or of a model."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image
from rich.console import Console

import config
from export.registry import Registry
from train import checkpoint, report
from train.arguments import parse_seed
from train.data import DataError
from train.judging import judge_of_model
from train.metrics import Judge
from train.metrics.of_run import faces_of_run, judge_of_run
from train.settings import TrainingSettings
from train.show import pictures
from train.show.arithmetic import arithmetic
from train.show.model import Model, ShowError, is_exported
from train.show.reconstruction import reconstruction
from train.show.wishes import wishes

PICTURES: dict[str, Callable[[Model], Image.Image]] = {
    "samples": pictures.samples,
    "grid": pictures.grid,
    "interpolation": pictures.interpolation,
}
REPORTED = ("epochs", "animation", "losses")
"""Pictures of the reports of a run; an exported model has none."""
ALL = [*PICTURES, "best", "arithmetic", *REPORTED]
"""What can be shown without being asked for something: "wishes" needs wishes, a reconstruction
needs images."""
RECONSTRUCTION = "reconstruction"
NAMES = [*ALL, "wishes", RECONSTRUCTION, "all"]


def main(given: Sequence[str], console: Console) -> None:
    """Raises ShowError, SettingsError, CheckpointError, ModelError and DataError."""
    arguments = _parser().parse_args(given)
    arguments.images = _take_images(arguments.what)
    if arguments.best is not None or arguments.of is not None:
        arguments.what = arguments.what or ["best"]
    if arguments.wish:
        arguments.what = arguments.what or ["wishes"]
    wrong = [name for name in arguments.what if name not in NAMES]
    if wrong:
        raise ShowError(f"there is no picture {wrong[0]!r}; there are: {', '.join(NAMES)}")
    everything = "all" in arguments.what or not arguments.what
    train = {"data": arguments.data} if arguments.data else {}
    settings = config.read(TrainingSettings, arguments.config, {"train": train})
    shown = _find(arguments.run, settings.models.dir)
    folder = arguments.out or _default_folder(shown, settings)
    folder.mkdir(parents=True, exist_ok=True)
    names = [*ALL, *(["wishes"] if arguments.wish else [])]
    names += [RECONSTRUCTION] if arguments.images else []
    for name in names if everything else dict.fromkeys(arguments.what):
        # A new model for each picture, so that it does not depend on the other ones.
        model = Model(shown, arguments.seed)
        try:
            file = _show(name, model, folder, arguments, settings, console)
        except (ShowError, DataError) as error:
            if not everything:
                raise
            console.print(f"no {name}: {error}", markup=False, highlight=False)
        else:
            console.print(str(file), highlight=False)


def _find(name: Path, models: Path) -> Path:
    """The folder of a run, or of a model by its folder or its name. Raises ShowError."""
    if (name / checkpoint.RUN_FILE).is_file() or is_exported(name):
        return name
    if not is_exported(models / name):
        raise ShowError(f"{name} is neither the folder of a run nor a model in {models}")
    return models / name


def _default_folder(shown: Path, settings: TrainingSettings) -> Path:
    """The folder of a run; a folder beside the runs for a model, whose folder must not change."""
    return settings.train.runs / f"show-{shown.name}" if is_exported(shown) else shown


def _take_images(what: list[str]) -> list[Path]:
    """Removes the names after "reconstruction", which are images, and returns them."""
    if RECONSTRUCTION not in what:
        return []
    start = what.index(RECONSTRUCTION) + 1
    images = [Path(name) for name in what[start:]]
    del what[start:]
    return images


def _show(
    name: str,
    model: Model,
    folder: Path,
    arguments: argparse.Namespace,
    settings: TrainingSettings,
    console: Console,
) -> Path:
    file = folder / f"{name}.png"
    if name in REPORTED and is_exported(model.folder):
        raise ShowError(f"{model.folder} is an exported model without reports; give its run")
    if name == "losses":
        if len(report.read_log(model.folder)) < 2:
            raise ShowError(
                f"{model.folder} has fewer than two reports, and curves need two or more"
            )
        report.save_plot(model.folder, file)
    elif name == "animation":
        file = file.with_suffix(f".{arguments.format}")
        pictures.save_animation(file, pictures.frames(model.folder))
    elif name == "best":
        candidates = arguments.of or max(pictures.CANDIDATES, arguments.best or 0)
        pictures.best(model, arguments.best, candidates).save(file)
    elif name == "epochs":
        pictures.epochs(model, arguments.epochs or pictures.EPOCHS).save(file)
    elif name == "wishes":
        wishes(model, arguments.wish).save(file)
    elif name == RECONSTRUCTION:
        reconstruction(model, arguments.images).save(file)
    elif name == "arithmetic":
        judge = _judge(model, settings, console, data_given=arguments.data is not None)
        arithmetic(model, judge).save(file)
    else:
        PICTURES[name](model).save(file)
    return file


def _judge(
    model: Model, settings: TrainingSettings, console: Console, *, data_given: bool
) -> Judge:
    """The second judge, on the data of the run or model. `data_given`: see `faces_of_run`."""
    if not is_exported(model.folder):
        info = checkpoint.read_run(model.folder)
        faces = faces_of_run(model.folder, info, settings.train, data_given=data_given)
        return judge_of_run(model.folder, info, faces, settings, console)
    if settings.train.data is None:
        raise DataError(f"the judge needs the images of {model.folder}; give them with --data")
    _, manifest = Registry(model.folder.parent).load(model.folder.name)
    return judge_of_model(manifest, settings, console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train show",
        description="Write pictures of a trained run, by default into its folder; or of an exported"
        " model, by default into runs/show-NAME.",
    )
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="the run's folder, or a model's folder or name"
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="PICTURE",
        help="samples: 64 images; grid: all values of two attributes; wishes: a row for each wish;"
        " interpolation: linear and spherical; best: highest and lowest scores of the discriminator"
        " (of the scorer for a model); arithmetic: mean latents added and subtracted (needs the"
        " data, for the judge); epochs: samples after some passes over the data; animation: the"
        " samples of the reports; losses: curves; reconstruction IMAGE…: images of your own,"
        " encoded and decoded (recipes aegan…). By default all that can be shown",
    )
    parser.add_argument(
        "--wish", action="append", metavar="WISH", help='for wishes, as --wish "hair:aqua eyes:red"'
    )
    parser.add_argument(
        "--best", type=int, metavar="K", help="for best: only the K best, as --best 64 --of 512"
    )
    parser.add_argument(
        "--of", type=int, metavar="N", help=f"candidates of best (default {pictures.CANDIDATES})"
    )
    rows = " ".join(map(str, pictures.EPOCHS))
    parser.add_argument(
        "--epochs", nargs="+", type=float, metavar="E", help=f"rows of epochs (default {rows})"
    )
    parser.add_argument(
        "--seed", type=parse_seed, default=0, help="seed of the latents (default 0)"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="folder of the pictures")
    parser.add_argument(
        "--format", choices=["webp", "gif"], default="webp", help="format of the animation"
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="the images, for arithmetic: of a model, or of a run if they were moved",
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    return parser
