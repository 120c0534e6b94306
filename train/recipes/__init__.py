"""Recipes: settings of published or own systems, in files `<name>.toml`.

A file has a description (`about`), a `source`, optionally a recipe that it `extends`, and the
settings of `[train]` that differ from that recipe or the defaults. They override `config.toml`.
"""

import argparse
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from config import Section, SettingsError, known_keys, nearest
from train.arguments import parse
from train.flat_settings import nest
from train.settings import LineageSettings, TrainSettings, deep_update, nested_section

FOLDER = Path(__file__).parent
NAMES = (
    "irodori",
    "gan",
    "dcgan",
    "dcgan-96",
    "dcgan-tricks",
    "cgan",
    "acgan-dcgan",
    "acgan-srresnet",
    "acgan-decoupled",
    "acgan-two-nets",
    "wgan",
    "wgan-gp",
    "wgan-gp-report",
    "ebgan",
    "aegan",
    "aegan-dcgan",
    "aegan-wgan-gp",
    "stackgan",
    "r3gan",
)
"""The recipes of this package."""
EXPERIMENT = ("network", "objective", "features", "optimizer", "lineage")
"""Sections that a recipe sets completely: missing keys have their defaults, not the values of
`config.toml`."""


@dataclass(frozen=True)
class Recipe:
    name: str
    about: str
    source: str
    settings: dict[str, Any]
    """`[train]`, with all sections of EXPERIMENT."""


def read(name: str) -> Recipe:
    """Reads a recipe by its name, or by the path of its file (`….toml`). Raises SettingsError."""
    table = _read_table(name)
    settings = table["train"]
    if name in NAMES or "extends" in table:
        settings = deep_update(_default_sections() | {"enlarge": False}, settings)
    if "lineage" in settings:
        settings["lineage"] = LineageSettings().model_dump(mode="json") | settings["lineage"]
    return Recipe(name, table.get("about", ""), table.get("source", ""), settings)


def main(given: Sequence[str], console: Console) -> None:
    """Lists the recipes."""
    parser = argparse.ArgumentParser(
        prog="python -m train recipes", description="List the recipes with their sources."
    )
    parse(parser, given)
    for name in NAMES:
        recipe = read(name)
        console.print(f"{name:16} {recipe.about}\n{'':16} [{recipe.source}]", markup=False)
    console.print(
        "\npython -m train --data faces.zip --recipe NAME; settings on the command line override it"
    )


def _default_sections() -> dict[str, Any]:
    """The default sections of EXPERIMENT, except `lineage`."""
    defaults = TrainSettings().model_dump(mode="json")
    return {name: defaults[name] for name in EXPERIMENT if name != "lineage"}


def _read_table(name: str) -> dict[str, Any]:
    """Reads a recipe's file, and merges it into the recipe that it extends."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if name not in NAMES and not (name.endswith(".toml") and path.is_file()):
        if name.endswith(".toml"):
            raise SettingsError(f"there is no recipe {path}")
        raise SettingsError(
            f"there is no recipe {name!r}{nearest(name, NAMES)} (python -m train recipes lists"
            " them)"
        )
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    for key in table:
        if key not in ("about", "source", "extends", "train"):
            raise SettingsError(
                f"{path}: unknown key {key!r}; a recipe has about, source, extends, and settings in"
                " [train]"
            )
    settings = nest(table.get("train", {}))
    _check_keys(path, "train", settings, TrainSettings)
    if "extends" in table:
        if table["extends"] not in NAMES:
            raise SettingsError(
                f"{path}: there is no recipe {table['extends']!r} to extend"
                f"{nearest(table['extends'], NAMES)}"
            )
        settings = deep_update(_read_table(table["extends"])["train"], settings)
    return table | {"train": settings}


def _check_keys(path: Path, name: str, table: dict[str, Any], section: type[Section]) -> None:
    known = section.model_fields.keys() - {"recipe"}
    for key, value in table.items():
        if key not in known:
            near = nearest(key, known_keys(section))
            raise SettingsError(f"{path}: [{name}] has no {key!r}{near}")
        nested = nested_section(section.model_fields[key].annotation)
        if nested is not None and isinstance(value, dict):
            _check_keys(path, f"{name}.{key}", value, nested)
