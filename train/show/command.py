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

PICTURES: dict[str, Callable[[Model], Image.Image]] = {
    "samples": pictures.samples,
    "grid": pictures.grid,
    "interpolation": pictures.interpolation,
    "best": pictures.best,
}
ALL = [*PICTURES, "arithmetic", "animation", "losses"]


def main(given: Sequence[str], console: Console) -> None:
    """Raises ShowError, SettingsError, CheckpointError and DataError."""
    arguments = _parser().parse_args(given)
    wrong = [name for name in arguments.what if name not in [*ALL, "all"]]
    if wrong:
        raise ShowError(f"there is no picture {wrong[0]!r}; there are: {', '.join(ALL)}, all")
    everything = "all" in arguments.what or not arguments.what
    train = {"data": arguments.data} if arguments.data else {}
    settings = config.read(TrainingSettings, arguments.config, {"train": train})
    folder = arguments.out or arguments.run
    folder.mkdir(parents=True, exist_ok=True)
    for name in ALL if everything else dict.fromkeys(arguments.what):
        # A new model for each picture, so that it does not depend on the other ones.
        model = Model(arguments.run, arguments.seed)
        try:
            file = _show(name, model, folder, arguments.format, settings, console)
        except (ShowError, DataError) as error:
            if not everything:
                raise
            console.print(f"no {name}: {error}", markup=False, highlight=False)
        else:
            console.print(str(file), highlight=False)


def _show(
    name: str,
    model: Model,
    folder: Path,
    animated: str,
    settings: TrainingSettings,
    console: Console,
) -> Path:
    file = folder / f"{name}.png"
    if name == "losses":
        if len(report.read_log(model.run)) < 2:
            raise ShowError(f"{model.run} has fewer than two reports, and curves need two or more")
        report.save_plot(model.run, file)
    elif name == "animation":
        file = file.with_suffix(f".{animated}")
        pictures.save_animation(file, pictures.frames(model.run))
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
        " spherical; best: highest and lowest scores of the discriminator; arithmetic: mean latents"
        " added and subtracted (needs the data, for the judge); animation: the samples of the"
        " reports; losses: curves. By default all that the run can show",
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
