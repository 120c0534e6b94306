"""Slash commands with one option for each attribute of the model in use."""

import inspect
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args, get_origin

from discord import app_commands
from discord.app_commands import Choice, locale_str

from bot.discord.autocompletion import limited
from bot.discord.bot import Interaction
from bot.discord.command_texts import description, option_description
from bot.discord.context import language_of
from bot.discord.text import swatch
from bot.i18n.messages import LANGUAGES, attribute_name, command_text, shorten, value_name
from bot.prompts.fuzzy import similarity
from bot.prompts.wish import check_wish, format_wish, has_shade
from bot.prompts.words import SYNONYMS
from bot.studio import Studio
from export.manifest import Attribute

MAX_OPTIONS = 25  # of one command
MAX_CHOICES = 25  # of one autocomplete
MAX_NAME = 32
MAX_TEXT = 100  # of a description, and of a choice


@dataclass(frozen=True, slots=True)
class CommandOption:
    """A command's option that is not an attribute. The choices of a Literal are named by the
    messages `choice-COMMAND-OPTION-VALUE`, if there are any.
    """

    annotation: Any
    default: Any


def option_names(names: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Option names that Discord allows, all different, by attribute name.

    "Eye color" becomes "eye-color"; a second one, or one of `taken`, "eye-color-2".
    """
    used = set(taken)
    options = {}
    for name in names:
        slug = re.sub(r"[^\w]+", "-", name.lower()).strip("-")[:MAX_NAME] or "attribute"
        option, number = slug, 1
        while option in used:
            number += 1
            option = f"{slug[: MAX_NAME - 1 - len(str(number))]}-{number}"
        used.add(option)
        options[name] = option
    return options


def suggest(attribute: Attribute, text: str) -> list[str]:
    """The values that `text` may mean, most relevant first; tolerates typos and synonyms."""
    typed = " ".join(text[:MAX_TEXT].casefold().split())
    frequency = dict(zip(attribute.values, attribute.frequencies, strict=True))
    if not typed:
        ranked = sorted(frequency, key=lambda value: -frequency[value])
    else:
        ranked = sorted(frequency, key=lambda value: -_relevance(typed, value))
    return [value for value in ranked if len(value) <= MAX_TEXT][:MAX_CHOICES]


def _relevance(typed: str, value: str) -> float:
    synonyms = [word for word, values in SYNONYMS.items() if value.casefold() in values]
    return max(
        _similarity(typed, value.casefold()),
        max((0.95 * _similarity(typed, word) for word in synonyms), default=0),
    )


def _similarity(typed: str, word: str) -> float:
    """0 to 3: equal words before prefixes before substrings before typos."""
    ratio = similarity(typed, word)
    if typed == word:
        return 3
    if word.startswith(typed):
        return 2 + ratio / 2
    return 1 + ratio / 2 if typed in word else ratio


def wish_command(
    studio: Studio,
    name: str,
    run: Callable[..., Awaitable[None]],
    fixed: Mapping[str, CommandOption],
) -> app_commands.Command[Any, ..., None]:
    """A command that calls `run(interaction, wish, prompt, **fixed options)`. The prompt has the
    options as they were typed if shades are among them, such as "hair:light pink"; otherwise None.

    The options are the attributes of the current model. Suggestions and validation use the model at
    the time of the interaction.
    """
    names = [a.name for a in studio.attributes][: MAX_OPTIONS - len(fixed)]
    options = option_names(names, taken=fixed)
    # attribute names may not be identifiers, so the parameters are numbered
    attributes = {f"attribute_{i}": attribute for i, attribute in enumerate(options)}

    async def callback(interaction: Interaction, **given: Any) -> None:
        texts = {attributes[key]: given.pop(key) for key in attributes}
        wish = {attribute: text for attribute, text in texts.items() if text is not None}
        prompt = format_wish(wish) if has_shade(wish) else None
        await run(interaction, check_wish(wish, studio.attributes), prompt, **given)

    parameters = [
        inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        *(_keyword(key, app_commands.Range[str, 1, MAX_TEXT], None) for key in attributes),
        *(
            _keyword(key, _plain(option.annotation), option.default)
            for key, option in fixed.items()
        ),
    ]
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    attribute_of = {attribute.name: attribute for attribute in studio.attributes}
    localized = localized_names(name, names, fixed)
    app_commands.describe(
        **{
            key: locale_str(
                _description(attribute_of[attribute], "en"),
                text=partial(_description, attribute_of[attribute]),
            )
            for key, attribute in attributes.items()
        },
        **{key: option_description(name, key) for key in fixed},
    )(callback)
    app_commands.rename(
        **{
            key: locale_str(options[attribute], text=localized[attribute].get)
            for key, attribute in attributes.items()
        }
    )(callback)
    app_commands.autocomplete(
        **{key: _completion(studio, attribute) for key, attribute in attributes.items()}
    )(callback)
    app_commands.choices(
        **{
            key: [choice(name, key, value) for value in get_args(option.annotation)]
            for key, option in fixed.items()
            if get_origin(option.annotation) is Literal
        }
    )(callback)
    return app_commands.Command(name=name, description=description(name), callback=callback)


def choice(command: str, option: str, value: str | int) -> Choice[Any]:
    """One choice of an option, with its name in each language."""
    key = f"choice-{command}-{option}-{value}"
    english = command_text(key, "", "en") or str(value)
    return Choice(
        name=locale_str(english, text=lambda language: command_text(key, "", language)), value=value
    )


def _plain(annotation: Any) -> Any:
    """Literal["new", "loved"] to str."""
    values = get_args(annotation)
    return type(values[0]) if get_origin(annotation) is Literal else annotation


def localized_names(
    command: str, names: Sequence[str], fixed: Collection[str]
) -> dict[str, dict[str, str]]:
    """Option names in other languages: attribute -> language -> name.

    Names that are taken or that Discord does not allow are left out.
    """
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for language in LANGUAGES[1:]:
        taken = {command_text(f"command-{command}", option, language) for option in fixed}
        for name in names:
            localized = attribute_name(name, language)
            valid = option_names([localized], ())[localized] == localized
            if valid and localized not in (name, *taken):
                found[name][language] = localized
                taken.add(localized)
    return found


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


def _completion(studio: Studio, name: str) -> Callable[..., Any]:
    @limited
    async def complete(interaction: Interaction, text: str) -> list[Choice[str]]:
        attribute = next((a for a in studio.attributes if a.name == name), None)
        values = suggest(attribute, text) if attribute is not None else []
        language = await language_of(interaction)
        return [Choice(name=_labelled(value, language), value=value) for value in values]

    return complete


def _labelled(value: str, language: str) -> str:
    """ "🩷 粉色" """
    name = value_name(value, language)
    return shorten(f"{swatch(value)} {name}" if swatch(value) else name, MAX_TEXT)


def _description(attribute: Attribute, language: str) -> str:
    values = ", ".join(value_name(value, language) for value in suggest(attribute, ""))
    return shorten(f"{attribute_name(attribute.name, language)}: {values}", MAX_TEXT)
