"""`python -m train show RUN`: pictures of a trained run, from its checkpoint."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image
from rich.console import Console

import config
from train import report
from train.data import DataError
from train.metrics import SECOND_SEED
from train.metrics.of_run import faces_of_run, judge_of_run
from train.settings import TrainingSettings
from train.show import pictures
from train.show.arithmetic import arithmetic
from train.show.model import Model, ShowError
from train.show.reconstruction import reconstruction

PICTURES: dict[str, Callable[[Model], Image.Image]] = {
    "samples": pictures.samples,
    "grid": pictures.grid,
    "interpolation": pictures.interpolation,
}
ALL = [*PICTURES, "best", "epochs", "arithmetic", "animation", "losses"]
"""What a run can show by itself; a reconstruction needs images."""
RECONSTRUCTION = "reconstruction"


def main(given: Sequence[str], console: Console) -> None:
    """Raises ShowError, SettingsError, CheckpointError and DataError."""
    arguments = _parser().parse_args(given)
    arguments.images = _take_images(arguments.what)
    if arguments.best is not None or arguments.of is not None:
        arguments.what = arguments.what or ["best"]
    wrong = [name for name in arguments.what if name not in [*ALL, RECONSTRUCTION, "all"]]
    if wrong:
        names = ", ".join([*ALL, RECONSTRUCTION, "all"])
        raise ShowError(f"there is no picture {wrong[0]!r}; there are: {names}")
    everything = "all" in arguments.what or not arguments.what
    train = {"data": arguments.data} if arguments.data else {}
    settings = config.read(TrainingSettings, arguments.config, {"train": train})
    folder = arguments.out or arguments.run
    folder.mkdir(parents=True, exist_ok=True)
    shown = [*ALL, *([RECONSTRUCTION] if arguments.images else [])]
    for name in shown if everything else dict.fromkeys(arguments.what):
        # A new model for each picture, so that it does not depend on the other ones.
        model = Model(arguments.run, arguments.seed)
        try:
            file = _show(name, model, folder, arguments, settings, console)
        except (ShowError, DataError) as error:
            if not everything:
                raise
            console.print(f"no {name}: {error}", markup=False, highlight=False)
        else:
            console.print(str(file), highlight=False)


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
    if name == "losses":
        if len(report.read_log(model.run)) < 2:
            raise ShowError(f"{model.run} has fewer than two reports, and curves need two or more")
        report.save_plot(model.run, file)
    elif name == "animation":
        file = file.with_suffix(f".{arguments.format}")
        pictures.save_animation(file, pictures.frames(model.run))
    elif name == "best":
        candidates = arguments.of or max(pictures.CANDIDATES, arguments.best or 0)
        pictures.best(model, arguments.best, candidates).save(file)
    elif name == "epochs":
        pictures.epochs(model, arguments.epochs or pictures.EPOCHS).save(file)
    elif name == RECONSTRUCTION:
        reconstruction(model, arguments.images).save(file)
    elif name == "arithmetic":
        run, info = model.run, model.info
        faces = faces_of_run(run, info, settings.train)
        judge = judge_of_run(run, info, faces, settings, console, seed=SECOND_SEED)
        arithmetic(model, judge).save(file)
    else:
        PICTURES[name](model).save(file)
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train show",
        description="Write pictures of a trained run, by default into its folder.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument(
        "what",
        nargs="*",
        metavar="PICTURE",
        help="samples: 64 images; grid: all values of two attributes; interpolation: linear and"
        " spherical; best: highest and lowest scores of the discriminator; epochs: samples after"
        " some passes over the data; arithmetic: mean latents added and subtracted (needs the data,"
        " for the judge); animation: the samples of the reports; losses: curves; reconstruction"
        " IMAGE…: images of your own, encoded and decoded (recipes aegan…). By default all that the"
        " run can show",
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
    parser.add_argument("--seed", type=int, default=0, help="seed of the latents (default 0)")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder of the pictures (default: the run)"
    )
    parser.add_argument(
        "--format", choices=["webp", "gif"], default="webp", help="format of the animation"
    )
    parser.add_argument("--data", type=Path, help="the run's images, if they were moved")
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    return parser
