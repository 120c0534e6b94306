"""Command-line options for the keys of settings sections."""

import argparse
from collections.abc import Sequence
from typing import Any, get_origin

from pydantic.fields import FieldInfo
from rich.console import Console

from config import Section
from train.arguments import parse
from train.settings import TrainSettings, nested_section

SHORT_SECTIONS = ("network", "objective", "optimizer", "lineage")
"""Nested sections whose keys also have a flag without the section's name, such as `--batch`."""


def add_flags(
    parser: argparse.ArgumentParser,
    name: str,
    section: type[Section],
    shown: Sequence[str] | None = None,
    prefix: str = "",
) -> None:
    """Adds a flag for each key of a section: `--<prefix>key` or `--nested.key`.

    Values are stored in the attributes `name.key` and `name.nested.key` of the arguments. `--help`
    lists only the keys in `shown`; by default all.
    """
    for key, field in section.model_fields.items():
        nested = nested_section(field.annotation)
        if nested is None:
            about, flag = _help(key, field, shown), _flag(prefix + key)
            _add_flag(parser, f"{name}.{key}", [flag], field.annotation, about)
            continue
        for inner, inner_field in nested.model_fields.items():
            flags = [_flag(inner)] if key in SHORT_SECTIONS else []
            flags.append(f"--{key}.{inner.replace('_', '-')}")
            about = _help(inner if flags[1:] else "", inner_field, shown)
            _add_flag(parser, f"{name}.{key}.{inner}", flags, inner_field.annotation, about)


def _help(key: str, field: FieldInfo, shown: Sequence[str] | None) -> str | None:
    if shown is not None and key not in shown:
        return argparse.SUPPRESS
    return (field.description or "").replace("\n", " ")


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _add_flag(
    parser: argparse.ArgumentParser,
    target: str,
    flags: list[str],
    annotation: Any,
    about: str | None,
) -> None:
    metavar = target.split(".")[-1].upper()
    if annotation is bool:
        action = argparse.BooleanOptionalAction
        parser.add_argument(*flags, dest=target, action=action, help=about)
    elif get_origin(annotation) is tuple:
        parser.add_argument(*flags, dest=target, nargs="+", metavar=metavar, help=about)
    else:
        parser.add_argument(*flags, dest=target, metavar=metavar, help=about)


def main(given: Sequence[str], console: Console) -> None:
    """Prints all options of a training with their defaults."""
    parser = argparse.ArgumentParser(
        prog="python -m train settings",
        description="List all options of a training with their defaults.",
    )
    parse(parser, given)
    for key, field in TrainSettings.model_fields.items():
        nested = nested_section(field.annotation)
        if nested is None:
            console.print(_line([_flag(key)], field), markup=False, highlight=False)
            continue
        console.print(f"\n[train.{key}]  {nested.__doc__}", markup=False, highlight=False)
        for inner, inner_field in nested.model_fields.items():
            flags = [_flag(inner)] if key in SHORT_SECTIONS else []
            flags.append(f"--{key}.{inner.replace('_', '-')}")
            console.print(_line(flags, inner_field), markup=False, highlight=False)


def _line(flags: list[str], field: FieldInfo) -> str:
    about = (field.description or "").replace("\n", " ")
    return f"  {flags[0]:24} {field.default!s:12} {about}"


def changed_settings(settings: TrainSettings) -> list[str]:
    """The settings of a training that differ from the defaults, as options."""
    lines = []
    for key in TrainSettings.model_fields:
        value, default = getattr(settings, key), TrainSettings.model_fields[key].default
        if isinstance(value, Section):
            base = default or type(value)()
            lines += [
                f"  --{key}.{inner.replace('_', '-')} {getattr(value, inner)}"
                for inner in type(value).model_fields
                if getattr(value, inner) != getattr(base, inner)
            ]
        elif value != default:
            lines.append(f"  {_flag(key)} {value}")
    return ["settings that differ from the defaults:", *lines] if lines else ["default settings"]


def given_flags(arguments: argparse.Namespace, name: str) -> dict[str, Any]:
    """The settings of section `name` on the command line, as a nested table."""
    given: dict[str, Any] = {}
    for target, value in vars(arguments).items():
        if target.startswith(f"{name}.") and value is not None:
            *sections, key = target.split(".")[1:]
            table = given
            for section in sections:
                table = table.setdefault(section, {})
            # `4,8` is one text, which the section reads
            table[key] = value[0] if isinstance(value, list) and len(value) == 1 else value
    if "images" in given and name != "judge":
        given.setdefault("minutes", None)  # else those of the file or run would win
    return given
