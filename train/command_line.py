"""The command line of a training, and the settings that it chooses."""

import argparse
from pathlib import Path

from pydantic import BaseModel, ValidationError

import config
from train import checkpoint, recipes
from train.options import add_flags, given_flags
from train.settings import JudgeSettings, TrainingSettings, TrainSettings, deep_update

FIXED = {
    "": ("recipe",),
    "network": ("resolution", "width", "depth", "latent_dim"),
    "optimizer": ("batch",),
    "features": ("network", "input_size", "strides", "channels"),
    "lineage": (
        *("generator", "discriminator", "discriminator_width", "discriminator_norm"),
        *("outer_biases", "blocks", "upscalings", "residual", "encoder_blocks"),
        *("condition_embedding", "latents", "latent_deviation", "conditioning"),
        *("heads", "head_units", "optimizer"),
    ),
}
"""Settings that must not change when a run is resumed, by section."""
FIXED_SWITCHES = {"features": "weight", "lineage": "reconstruction_weight"}
"""Weights that may change, but not from or to 0: more than 0 adds networks."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        usage="python -m train [COMMAND] [--data PATH] [options]",
        description="Train a generator, judge it, export it, and put it in use if it is not worse.",
        epilog="commands, each with --help: check, crop, tag, judge, compare, blind, defects, "
        "show, recipes, settings, upscaler, directions. "
        "`python -m train settings` lists all options with their defaults.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="resume the run of this folder")
    parser.add_argument("--model-name", metavar="NAME", help="name of the exported model")
    parser.add_argument("--no-promote", action="store_true", help="do not put the model in use")
    parser.add_argument(
        "--no-export", action="store_true", help="only train; judge and export the run later"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="read and check the data, print the expected time"
    )
    parser.add_argument("--force", action="store_true", help="put it in use without a comparison")
    shown = ("data", "start", "recipe", "minutes", "images", "name", "batch", "width", "resolution")
    add_flags(parser, "train", TrainSettings, shown)
    add_flags(parser, "judge", JudgeSettings, (), prefix="judge.")
    return parser


def read_settings(arguments: argparse.Namespace) -> TrainingSettings:
    """Precedence: config.toml < recipe < environment < command line. A resumed run keeps its
    settings, except those on the command line. Raises SettingsError, CheckpointError.
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
        original = TrainSettings(**info.settings)
        resumed = TrainSettings(**deep_update(info.settings, given))
    except ValidationError as error:
        raise config.SettingsError(
            f"--resume {arguments.resume}: invalid settings\n{config.reasons(error)}"
        ) from None
    _check_resumed(arguments.resume, original, resumed)
    return settings.model_copy(update={"train": resumed})


def _check_resumed(run: Path, original: TrainSettings, resumed: TrainSettings) -> None:
    """Raises SettingsError if settings changed that must not."""
    for section, keys in FIXED.items():
        before, after = (getattr(s, section) if section else s for s in (original, resumed))
        for key in keys:
            old, new = getattr(before, key, None), getattr(after, key, None)
            if old != new:
                raise config.SettingsError(
                    f"--resume {run}: its {key} is {old} and cannot change; "
                    f"start a new run with {new}"
                )
    for section, key in FIXED_SWITCHES.items():
        old, new = (getattr(getattr(s, section), key, 0) for s in (original, resumed))
        if bool(old) != bool(new):
            raise config.SettingsError(
                f"--resume {run}: its {section}.{key} is {old:g} and cannot become {new:g}, which "
                f"{'adds' if new else 'removes'} networks; start a new run with {new:g}"
            )


class _RecipeSection(BaseModel):
    recipe: str = ""


class _RecipeName(config.Settings):
    """Reads the recipe only, since the other settings are validated together with its settings."""

    train: _RecipeSection = _RecipeSection()
