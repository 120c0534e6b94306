"""Recipes: an experiment each, written down in one file, `<name>.toml`.

A file has a line on what it is (`about`), where it is from (`source`), and the settings of
`[train]` that make it: they win over those of `config.toml`.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import SettingsError, nearest
from train.settings import TrainSettings

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
    "ebgan",
    "aegan",
    "aegan-dcgan",
    "aegan-wgan-gp",
    "stackgan",
    "r3gan",
)
"""All that come along."""
_KEYS = list(TrainSettings.model_fields)
EXPERIMENT = _KEYS[_KEYS.index("generator") : _KEYS.index("device")]
"""The settings that those recipes name, every one: what comes out does not depend on what else a
`config.toml` says."""


@dataclass(frozen=True)
class Recipe:
    name: str
    about: str
    source: str
    settings: dict[str, Any]
    """Of `[train]`."""


def read(name: str) -> Recipe:
    """The recipe of that name, or in the file of that path (`….toml`). Raises SettingsError."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if name not in NAMES and not (name.endswith(".toml") and path.is_file()):
        if name.endswith(".toml"):
            raise SettingsError(f"there is no recipe {path}")
        raise SettingsError(
            f"there is no recipe {name!r}{nearest(name, NAMES)} (all of them: python -m train"
            " recipes)"
        )
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    for key in table:
        if key not in ("about", "source", "train"):
            raise SettingsError(
                f"{path}: unknown key {key!r}; a recipe has about, source, and settings in [train]"
            )
    settings = table.get("train", {})
    known = TrainSettings.model_fields.keys() - {"recipe"}
    for key in settings:
        if key not in known:
            raise SettingsError(f"{path}: [train] has no {key!r}{nearest(key, known)}")
    return Recipe(name, table.get("about", ""), table.get("source", ""), settings)
