"""Reads `config.toml`, from lowest to highest precedence: file, recipe, environment, command line.

Each package has a `Settings` class whose fields are the sections that it reads. A wrong key or
value is an error that names it. `python -m config` writes the file from these classes.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
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
    "privacy",
    "db",
    "models",
    "engine",
    "log",
    "train",
    "judge",
    "promote",
    "upscaler",
)
# Kubernetes sets these variables in each container for a service whose name begins with "irodori".
SERVICE_LINK = re.compile(
    r".*_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|.*_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?"
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

    @model_validator(mode="before")
    @classmethod
    def _read_texts(cls, table: Any) -> Any:
        """Lists may be texts, `1,2` or JSON, and paths may begin with `~`."""
        if not isinstance(table, dict):
            return table
        read = dict(table)
        for key, field in cls.model_fields.items():
            text = read.get(key)
            if not isinstance(text, str):
                continue
            if is_list(field):
                read[key] = _list(text)
            elif text.startswith("~") and Path in (field.annotation, *get_args(field.annotation)):
                read[key] = expand_home(text)
        return read


class Settings(BaseSettings):
    """The sections that one package reads; a subclass has a `Section` for each."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="ignore"
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
        environment = _Environment(settings_cls)
        sources = init_settings, environment, recipe, TomlSource(settings_cls, cls.file_)
        return tuple(_Upgraded(settings_cls, source) for source in sources)


class _Environment(EnvSettingsSource):
    """Environment variables. Lists stay texts, which the section reads."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        if field is not None and is_list(field):
            return value
        return super().decode_complex_value(field_name, field, value)


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
    if file is not None:
        try:
            file = expand_home(file)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        if not file.is_file():
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


def expand_home(path: str | Path) -> Path:
    """The path with `~` at its beginning replaced by the home folder. Raises ValueError."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from None


def is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple


def _list(text: str) -> Any:
    """The items of `1,2` or of a JSON list; other texts that begin with a bracket as they are,
    which pydantic refuses.
    """
    if not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    try:
        return json.loads(text)
    except ValueError:
        return text


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
    instead of its hash or be a part of a proxy's URL, nor a whole section.
    """
    whole = isinstance(issue["input"], dict)
    return not whole and not re.search("password|proxy", str(issue["loc"][-1:]))


def _refuse_unknown_sections(path: Path) -> None:
    try:
        table = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    for name in table:
        if name not in SECTIONS:
            raise SettingsError(f"{path}: unknown section [{name}]; known: {', '.join(SECTIONS)}")
    for variable, value in os.environ.items():
        if not variable.startswith(ENV_PREFIX) or not value or _is_service_link(variable, value):
            continue
        section, underscores, _ = variable.removeprefix(ENV_PREFIX).lower().partition("__")
        if section not in SECTIONS:
            first, _, key = section.partition("_")
            hint = f"known: {', '.join(SECTIONS)}"
            if first in SECTIONS and key and not underscores:
                hint = f"use two underscores: {ENV_PREFIX}{first.upper()}__{key.upper()}"
            raise SettingsError(f"environment {variable}: unknown section; {hint}")


def _is_service_link(variable: str, value: str) -> bool:
    # IRODORI_WEB_PORT=9000 is a mistyped setting, IRODORI_WEB_PORT=tcp://… is not
    typed = re.fullmatch(r"\d+", value) and not re.search("_SERVICE_|_(TCP|UDP|SCTP)_", variable)
    return "__" not in variable and bool(SERVICE_LINK.fullmatch(variable)) and not typed
