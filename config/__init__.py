"""Reads `config.toml`, with rising precedence: file, recipe, environment, command line.

Each package has a `Settings` class whose fields are the sections that it reads. A wrong key or
value is an error that names it. `python -m config` writes the file from these classes.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableSettings
from pydantic_settings import TomlConfigSettingsSource as TomlSource

ENV_PREFIX = "IRODORI_"
DEFAULT_FILE = Path("config.toml")
SECTIONS = (
    "discord",
    "web",
    "db",
    "models",
    "engine",
    "log",
    "train",
    "judge",
    "promote",
    "upscaler",
)


class SettingsError(Exception):
    """A wrong key or value; the message names it and its source."""


class Section(BaseModel):
    """One `[section]` of `config.toml`; the docstrings of its fields describe them there."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Settings(BaseSettings):
    """The sections that one package reads; a subclass has a `Section` for each."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="ignore"
    )
    recipe_: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Settings that win over the file, and over nothing else."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml_file = settings_cls.model_config.get("toml_file")
        recipe = InitSettingsSource(settings_cls, dict(cls.recipe_))
        return init_settings, env_settings, recipe, TomlSource(settings_cls, toml_file)


class ModelsSettings(Section):
    """Model registry."""

    dir: Path = Path("models")
    """Folder of the models; the file `current` in it names the model in use."""


S = TypeVar("S", bound=Settings)


def read(
    settings: type[S],
    file: Path | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    recipe: Mapping[str, Mapping[str, Any]] | None = None,
) -> S:
    """Reads the settings of one package.

    `file` defaults to `config.toml` in the working directory, which need not exist; a file given
    explicitly must. `overrides` come from the command line: {"web": {"port": 8081}}. `recipe` has
    the same form and wins over the file only.

    Raises SettingsError.
    """
    if file is not None and not file.is_file():
        raise SettingsError(f"there is no settings file {file}")
    path = file or DEFAULT_FILE
    _refuse_unknown_sections(path)
    reader: Any = type(
        settings.__name__,
        (settings,),
        {
            "model_config": SettingsConfigDict(**{**settings.model_config, "toml_file": path}),
            "recipe_": recipe or {},
        },
    )
    try:
        values: S = reader(**(overrides or {}))
        return values
    except UnreadableSettings as error:  # IRODORI_TRAIN=… that is not JSON
        raise SettingsError(f"wrong settings in the environment {ENV_PREFIX}…: {error}") from None
    except ValidationError as error:
        raise SettingsError(
            f"wrong settings ({path}, environment {ENV_PREFIX}…, command line):\n"
            f"{reasons(error, settings)}"
        ) from None


def reasons(error: ValidationError, settings: type[BaseModel] | None = None) -> str:
    """One line per wrong setting; for an unknown key with the nearest keys of `settings`."""
    lines = []
    for issue in error.errors():
        line = f"  {'.'.join(str(part) for part in issue['loc'])}: {issue['msg']}"
        if issue["type"] != "extra_forbidden":
            line += f" (it is {issue['input']!r})" if _may_be_shown(issue) else ""
        elif settings is not None and len(issue["loc"]) > 1:
            section = settings.model_fields[str(issue["loc"][0])].annotation
            assert isinstance(section, type)
            assert issubclass(section, BaseModel)
            line += nearest(str(issue["loc"][1]), section.model_fields)
        lines.append(line)
    return "\n".join(lines)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known names nearest to an unknown one, as the end of a sentence."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"; the nearest: {', '.join(close)}" if close else ""


def _may_be_shown(issue: ErrorDetails) -> bool:
    """Whether the message may repeat the input: not a password typed in place of its hash, and not
    a whole section, of which the message names the keys that matter.
    """
    whole = isinstance(issue["input"], dict)
    return not whole and "password" not in str(issue["loc"][-1:])


def _refuse_unknown_sections(path: Path) -> None:
    try:
        table = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    for name in table:
        if name not in SECTIONS:
            raise SettingsError(f"{path}: unknown section [{name}]; known: {', '.join(SECTIONS)}")
    for variable in os.environ:
        if not variable.startswith(ENV_PREFIX):
            continue
        section = variable.removeprefix(ENV_PREFIX).split("__")[0].lower()
        if section not in SECTIONS:
            raise SettingsError(
                f"environment {variable}: unknown section; known: {', '.join(SECTIONS)}"
            )
