"""Reads `config.toml`, from lowest to highest precedence: file, recipe, environment, command line.

Each package has a `Settings` class whose fields are the sections that it reads. A wrong key or
value is an error that names it. `python -m config` writes the file from these classes.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
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

    @classmethod
    def upgrade(cls, table: dict[str, Any]) -> dict[str, Any]:
        """One source's table of the section, with keys of earlier versions renamed."""
        return table


class Settings(BaseSettings):
    """The sections that one package reads; a subclass has a `Section` for each."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="ignore"
    )
    file_: ClassVar[Path] = DEFAULT_FILE
    recipe_: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Settings that override the file, but neither the environment nor the command line."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        recipe = InitSettingsSource(settings_cls, dict(cls.recipe_))
        sources = init_settings, env_settings, recipe, TomlSource(settings_cls, cls.file_)
        return tuple(_Upgraded(settings_cls, source) for source in sources)


class _Upgraded(PydanticBaseSettingsSource):
    """A source whose sections are upgraded before sources are merged, so that an old key in one
    source and its new name in another are the same setting.
    """

    def __init__(
        self, settings_cls: type[BaseSettings], source: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(settings_cls)
        self.source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self.source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        found = dict(self.source())
        for name, field in self.settings_cls.model_fields.items():
            section, table = field.annotation, found.get(name)
            if (
                isinstance(table, dict)
                and isinstance(section, type)
                and issubclass(section, Section)
            ):
                found[name] = section.upgrade(table)
        return found


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
    the same form and overrides only the file.

    Raises SettingsError.
    """
    if file is not None and not file.is_file():
        raise SettingsError(f"there is no settings file {file}")
    path = file or DEFAULT_FILE
    _refuse_unknown_sections(path)
    reader: Any = type(settings.__name__, (settings,), {"file_": path, "recipe_": recipe or {}})
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
        elif settings is not None:
            line += nearest(str(issue["loc"][-1]), known_keys(settings, issue["loc"][:-1]))
        lines.append(line)
    return "\n".join(lines)


def known_keys(settings: type[BaseModel], path: tuple[int | str, ...] = ()) -> list[str]:
    """The keys of the section at a path such as ("train", "optimizer"), and of nested ones."""
    for name in path:
        annotation = settings.model_fields[str(name)].annotation
        kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        settings = next((kind for kind in kinds if issubclass(kind, BaseModel)), settings)
    nested = [
        key
        for field in settings.model_fields.values()
        for kind in (field.annotation, *get_args(field.annotation))
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for key in kind.model_fields
    ]
    return [*settings.model_fields, *nested]


def nearest(name: str, known: Iterable[str]) -> str:
    """The known names most similar to an unknown one, as the end of a sentence."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"; the nearest: {', '.join(close)}" if close else ""


def _may_be_shown(issue: ErrorDetails) -> bool:
    """Whether the message may repeat the input: neither a password, which may have been typed
    instead of its hash, nor a whole section.
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
