"""`python -m config`: writes `config.toml` from the settings classes, with every default."""

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import bot.settings
import config
import train.settings

SETTINGS: tuple[type[config.Settings], ...] = (
    bot.settings.Settings,
    train.settings.TrainingSettings,
)
HEADER = """\
Settings of Irodori, with their defaults. Every key can also be set in the environment \
(IRODORI_WEB__PORT=9000) and on the command line (python -m bot --web.port 9000, python -m train \
--batch 32); both override this file. A commented-out key has no default. The bot's token is not a \
setting: it is read from the environment variable DISCORD_TOKEN.

This file is written by `python -m config` from the settings classes."""
WIDTH = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the file; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m config",
        description="Write config.toml with every setting, its default and its description.",
    )
    parser.add_argument("--output", type=Path, default=config.DEFAULT_FILE, metavar="PATH")
    parser.parse_args(arguments).output.write_text(render(), "utf-8")
    return 0


def render(settings: Sequence[type[config.Settings]] = SETTINGS) -> str:
    """The file with every section of these classes; a section that several have is written once."""
    sections = {name: field for each in settings for name, field in each.model_fields.items()}
    parts = [*_comment(HEADER), ""]
    for name in sorted(sections, key=config.SECTIONS.index):
        parts += [*_table(name, _section_class(sections[name])), ""]
    return "\n".join(parts).rstrip() + "\n"


def _table(name: str, section: type[BaseModel]) -> Iterator[str]:
    """A table and the tables nested in it, whose keys must come last."""
    defaults = section().model_dump(mode="json")
    if section.__doc__:
        yield from _comment(section.__doc__)
    yield f"[{name}]"
    nested = {}
    for key, field in section.model_fields.items():
        if isinstance(defaults[key], dict):
            nested[key] = _section_class(field)
            continue
        if defaults[key] is None and is_section(field.annotation):
            yield from _comment(f"[{name}.{key}]: {field.description}")
            continue
        yield from _describe(field)
        if defaults[key] is None:
            yield f"# {key} = {_value(field.examples[0]) if field.examples else ''}".rstrip()
        else:
            yield f"{key} = {_value(defaults[key])}"
    for key, inner in nested.items():
        yield ""
        yield from _table(f"{name}.{key}", inner)


def is_section(annotation: Any) -> bool:
    """Whether a field holds a section, optional or not."""
    kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
    return any(issubclass(kind, BaseModel) for kind in kinds)


def _describe(field: FieldInfo) -> Iterator[str]:
    """The field's docstring and its allowed values."""
    yield from _comment(field.description or "")
    if choices := _choices(field.annotation):
        yield from _comment(f"One of {', '.join(map(_value, choices))}.")


def _choices(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _section_class(field: FieldInfo) -> type[BaseModel]:
    section = field.annotation
    assert isinstance(section, type)
    assert issubclass(section, BaseModel)
    return section


def _comment(text: str) -> list[str]:
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    wrapped = [textwrap.wrap(paragraph, WIDTH - 2) for paragraph in paragraphs if paragraph]
    lines = [line for number, part in enumerate(wrapped) for line in ([""] * bool(number) + part)]
    return [f"# {line}".rstrip() for line in lines]


def _value(value: Any) -> str:
    """A TOML value; large numbers with underscores."""
    match value:
        case bool():
            return str(value).lower()
        case int() if abs(value) >= 10_000:
            return f"{value:_}"
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)


if __name__ == "__main__":
    sys.exit(main())
