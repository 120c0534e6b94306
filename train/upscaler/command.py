"""`python -m train upscaler`: trains an upscaler on sharp images."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

import config
from train import checkpoint, tensorboard
from train.data import DataError, Faces, load
from train.distributed import SINGLE_PROCESS, ShareError
from train.machine import check_clock, make_ready, memory_errors
from train.options import add_flags, given_flags
from train.settings import TrainingSettings, UpscalerSettings
from train.upscaler.run import read_run, train

NO_DATA = """\
No training data: give a folder or a zip of sharp images, 256×256 pixels or more each.
  python -m train upscaler --data sharp.zip
Tags are not needed. `python -m train upscaler --help` lists all settings."""

FIXED = ("resolution", "width", "blocks", "batch")
"""Settings that must not change when a run is resumed."""


def main(given: Sequence[str], console: Console) -> None:
    """Raises SettingsError, DataError, CheckpointError, MachineError, MemoryShortError, ShareError,
    Stopped and DivergedError.
    """
    arguments = _parser().parse_args(given)
    settings = _settings(arguments)
    if settings.data is None:
        console.print(NO_DATA, highlight=False)
        sys.exit(2)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ShareError("upscalers are trained by one process only, without torchrun")
    checkpoint.check_runs(settings.runs)
    if settings.tensorboard:
        tensorboard.check()
    device = make_ready(settings.device, settings.threads, SINGLE_PROCESS)
    check_clock(settings.clock, device)
    pictures = load(settings.data, settings.resolution, skip_bad=settings.skip_bad, tags=False)
    if len(pictures) < 2:
        raise DataError(
            f"{settings.data} holds 1 image; an upscaler needs at least 2, for training and"
            " measurement, and a thousand for good results"
        )
    run = arguments.resume or _new_run(settings, pictures)
    if arguments.resume and read_run(run).fingerprint != pictures.fingerprint:
        raise checkpoint.CheckpointError(
            f"{run} was not trained on {settings.data}; resume it with the same data"
        )

    def explain(_: Exception) -> str:
        return (
            f"a batch of {settings.batch} patches of {settings.patch} pixels does not fit into"
            " memory; use a smaller --batch or --patch. The last checkpoint, if any, is kept"
            f" in {run}"
        )

    with checkpoint.locked(run), memory_errors(explain):
        console.print(
            f"{len(pictures):,} images; training an upscaler in {run} on {device}",
            highlight=False,
        )
        figures = train(run, settings, pictures, device, console)
    console.print(f"{'':24}{'upscaler':>12}{'bicubic':>12}", highlight=False)
    for name in ("psnr", "ssim", "clean_psnr", "clean_ssim"):
        console.print(
            f"{name.replace('_', ' '):24}{figures[name]:12.4f}{figures[f'{name}_bicubic']:12.4f}",
            highlight=False,
        )
    console.print(f"add it to a model with: python -m export RUN --upscaler {run}", highlight=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train upscaler",
        description="Train an upscaler, which enlarges the images of a model four times.",
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="resume the run of this folder")
    add_flags(parser, "upscaler", UpscalerSettings)
    return parser


def _settings(arguments: argparse.Namespace) -> UpscalerSettings:
    given = given_flags(arguments, "upscaler")
    settings = config.read(TrainingSettings, arguments.config, {"upscaler": given}).upscaler
    if arguments.resume is None:
        return settings
    # A resumed run keeps its settings, except those on the command line.
    original = read_run(arguments.resume).settings
    try:
        resumed = UpscalerSettings(**{**original.model_dump(), **given})
    except ValidationError as error:
        raise config.SettingsError(
            f"--resume {arguments.resume}: invalid settings\n{config.reasons(error)}"
        ) from None
    for name in FIXED:
        old, new = getattr(original, name), getattr(resumed, name)
        if old != new:
            raise config.SettingsError(
                f"--resume {arguments.resume}: its {name} is {old} and cannot change; "
                f"start a new run with {new}"
            )
    return resumed


def _new_run(settings: UpscalerSettings, pictures: Faces) -> Path:
    name = settings.name or f"upscaler-{pictures.name}-{datetime.now():%Y%m%d-%H%M%S}"
    run = settings.runs / name
    if (run / checkpoint.RUN_FILE).exists():
        raise checkpoint.CheckpointError(
            f"{run} exists already; resume it (--resume {run}) or choose another --name"
        )
    return run
