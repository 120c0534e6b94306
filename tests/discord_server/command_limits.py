"""Discord's limits on commands and their choices, with its error codes and messages.

Every function adds errors to a `Form`; `path` is the path of the checked part in the body.
"""

import json
import re
from typing import Any

from .errors import Form
from .limits import Json, Path, check_text

# Letters, digits, - and _ of any script; Discord refuses capitals of scripts that have them.
COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")
COMMAND_CHARACTERS = 8000
LOCALES = re.findall(
    r"\S+",
    "ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro "
    "ru sv-SE th tr uk vi zh-CN zh-TW",
)
MAX_COMMANDS = {1: 100, 2: 15, 3: 15}
CHOICES = 25
SUBCOMMAND, GROUP = 1, 2


def check_commands(form: Form, commands: list[Json]) -> None:
    """Checks a bulk overwrite; paths begin with indices of the list."""
    seen: set[tuple[int, str]] = set()
    for index, command in enumerate(commands):
        check_command(form, command, [index])
        key = (command.get("type") or 1, str(command.get("name")))
        if key in seen:
            reason = "Application command names must be unique"
            form.add([index, "name"], "APPLICATION_COMMANDS_DUPLICATE_NAME", reason)
        seen.add(key)


def check_command(form: Form, command: Json, path: Path) -> None:
    kind = command.get("type") or 1
    _check_translations(form, command, path, as_name=kind == 1)
    if kind == 1:
        _check_named(form, command, path)
        _check_options(form, command.get("options") or [], [*path, "options"])
        if _characters(command) > COMMAND_CHARACTERS:
            reason = f"Command exceeds maximum size ({COMMAND_CHARACTERS})"
            form.add(path, "APPLICATION_COMMAND_TOO_LARGE", reason)
    else:
        check_text(form, [*path, "name"], command.get("name"), 32, minimum=1)
        for field in ("description", "options"):
            if command.get(field):
                reason = f"Context menu commands cannot have {field}"
                form.add([*path, field], "APPLICATION_COMMAND_CONTEXT_MENU_FIELD", reason)
    for field in ("contexts", "integration_types"):
        if command.get(field) == []:
            form.bad_length([*path, field], 1, 3)


def _check_named(form: Form, thing: Json, path: Path) -> None:
    name = str(thing.get("name"))
    if not COMMAND_NAME.fullmatch(name) or name != name.lower():
        reason = f"Command name {name!r} is invalid"
        form.add([*path, "name"], "APPLICATION_COMMAND_INVALID_NAME", reason)
    if not thing.get("description"):
        form.required([*path, "description"])
    check_text(form, [*path, "description"], thing.get("description"), 100, minimum=1)


def _check_options(form: Form, options: list[Json], path: Path) -> None:
    if len(options) > 25:
        form.too_long(path, 25)
    optional_seen = False
    names: set[tuple[str, str]] = set()  # with their locale
    for index, option in enumerate(options):
        item_path = [*path, index]
        _check_named(form, option, item_path)
        _check_translations(form, option, item_path, as_name=True)
        own = {("", str(option.get("name")))} | {
            (locale, name) for locale, name in (option.get("name_localizations") or {}).items()
        }
        if own & names:
            form.add(
                [*item_path, "name"],
                "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                "Option names must be unique",
            )
        names |= own
        if option.get("type") in (SUBCOMMAND, GROUP):
            _check_options(form, option.get("options") or [], [*item_path, "options"])
            continue
        if option.get("required") and optional_seen:
            form.add(
                item_path,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen |= not option.get("required")
        check_choices(form, option.get("choices"), [*item_path, "choices"])
        if option.get("choices") and option.get("autocomplete"):
            form.add(
                [*item_path, "autocomplete"],
                "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_WITH_CHOICES",
                "An option has either choices or autocomplete",
            )


def check_choices(form: Form, choices: Any, path: Path) -> None:
    """Of an option, or of an autocomplete's answer."""
    if not isinstance(choices, list):
        return
    if len(choices) > CHOICES:
        form.too_long(path, CHOICES)
    for index, choice in enumerate(choices):
        check_text(form, [*path, index, "name"], choice.get("name"), 100, minimum=1)
        _check_translations(form, choice, [*path, index], as_name=False)
        value = choice.get("value")
        check_text(form, [*path, index, "value"], value, 100, minimum=1)


def _check_translations(form: Form, thing: Json, path: Path, *, as_name: bool) -> None:
    """`as_name`: of a slash command or an option; menus and choices may be called anything."""
    for field, minimum, maximum in (("name", 1, 32 if as_name else 100), ("description", 1, 100)):
        for locale, text in (thing.get(f"{field}_localizations") or {}).items():
            item_path = [*path, f"{field}_localizations", locale]
            if locale not in LOCALES:
                form.add(item_path, "BASE_TYPE_CHOICES", f"Value must be one of {LOCALES}.")
            check_text(form, item_path, text, maximum, minimum=minimum)
            invalid = not COMMAND_NAME.fullmatch(text) or text != text.lower()
            if field == "name" and as_name and invalid:
                reason = f"Command name {text!r} is invalid"
                form.add(item_path, "APPLICATION_COMMAND_INVALID_NAME", reason)


def _longest(thing: Json, field: str) -> int:
    translations = (thing.get(f"{field}_localizations") or {}).values()
    return max(len(str(text)) for text in (thing.get(field) or "", *translations))


def _characters(command: Json) -> int:
    """Combined length of names, descriptions and values, as Discord counts a command's size: of
    what is translated, the longest."""
    counted = _longest(command, "name") + _longest(command, "description")
    for option in command.get("options") or []:
        counted += _characters(option)
    for choice in command.get("choices") or []:
        counted += len(json.dumps(choice.get("value"))) + _longest(choice, "name")
    return counted
