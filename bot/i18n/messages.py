"""Messages in three languages, from the Fluent files in `bot/i18n/locales`, one file per topic.

See https://projectfluent.org for the format.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from babel.lists import format_list
from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_number

LANGUAGE_NAMES = {"en": "English", "zh-CN": "简体中文", "ja": "日本語"}  # each in its own language
LANGUAGES = tuple(LANGUAGE_NAMES)
# For lists, dates and link previews. en_US: "a, b, and c", "November 29, 2025"
REGIONS = {"en": "en_GB", "zh-CN": "zh_CN", "ja": "ja_JP"}

LOCALES = Path(__file__).parent / "locales"
JAPANESE = "髪黒緑桜絵顔気図変戦"
"""Han characters of prompts that are written differently in Chinese, simplified and traditional."""
MAX_LISTED = 25  # words in a list
MAX_FACT = 2500  # characters of a variable; Fluent refuses longer ones

# A variable of a message; a function is called with the language.
Fact: TypeAlias = str | int | float | Callable[[str], str]


def say(key: str, language: str = "en", /, **facts: Fact) -> str:
    """The message of this key. A variable above MAX_FACT characters is shortened.

    Raises KeyError for an unknown key or a missing variable.
    """
    message = _bundle(language).get_message(key)
    if message.value is None:
        raise KeyError(f"the message {key} has no text of its own, only attributes")
    return _formatted(key, message.value, language, facts)


def command_text(key: str, attribute: str, language: str) -> str | None:
    """Name or description of a command, option or choice; None if it has no message."""
    bundle = _bundle(language)
    if not bundle.has_message(key):
        return None
    message = bundle.get_message(key)
    pattern = message.attributes.get(attribute) if attribute else message.value
    return None if pattern is None else _formatted(key, pattern, language, {})


@lru_cache(maxsize=100)  # a start translates thousands of texts
def language_for(locale: str) -> str:
    """The best of LANGUAGES for a Discord locale: zh-CN for zh-TW, en for sv-SE."""
    spoken = locale.partition("-")[0].lower()
    return next((language for language in LANGUAGES if language.startswith(spoken)), "en")


def language_in(text: str) -> str | None:
    """Japanese for text with kana or with a character that only Japanese has (銀髪), Chinese for
    other text with Han characters, otherwise None.
    """
    if re.search(rf"[\u3041-\u30fa{JAPANESE}]", text):
        return "ja"
    return "zh-CN" if re.search(r"[\u4e00-\u9fff]", text) else None


def describe(conditions: Mapping[str, str], language: str = "en") -> str:
    """{"hair": "pink"} to "pink hair", "粉色头发" or "ピンクの髪"; a comma between several."""
    return say("words-comma", language).join(
        _pair(attribute_name(attribute, language), value_name(value, language), language)
        for attribute, value in conditions.items()
    )


def value_name(value: str, language: str = "en") -> str:
    """A model's value in this language, or unchanged without a translation."""
    return _name("value", value, language)


def attribute_name(attribute: str, language: str = "en") -> str:
    """A model's attribute in this language, or unchanged without a translation."""
    return _name("attribute", attribute, language)


def direction_name(direction: str, language: str = "en") -> str:
    """A model's latent direction in this language, or its own words without a translation."""
    return command_text(_direction_key(direction), "", language) or direction.replace("_", " ")


def direction_ends(direction: str, language: str = "en") -> tuple[str, str]:
    """The names of a direction's negative and positive end, as the labels of buttons."""
    key, name = _direction_key(direction), direction_name(direction, language)
    less, more = (command_text(key, end, language) for end in ("less", "more"))
    return less or f"{name} −", more or f"{name} +"


def _direction_key(direction: str) -> str:
    return "-".join(("direction", *direction.split("_")))


def listed(words: Iterable[str], language: str = "en", *, last: str = "and") -> str:
    """ "a, b and c", or with `last="or"` "a, b or c"; a long list is shortened."""
    words = list(words)
    if len(words) > MAX_LISTED:
        more = say("words-more", language, count=len(words) - MAX_LISTED + 1)
        words = [*words[: MAX_LISTED - 1], more]
    return format_list(words, "or" if last == "or" else "standard", REGIONS[language])


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _pair(attribute: str, value: str, language: str) -> str:
    if (value + attribute).isascii():  # neither is translated
        language = "en"
    return say("words-pair", language, value=value, attribute=attribute)


def _name(kind: str, name: str, language: str) -> str:
    if language == "en" or not re.fullmatch(r"[\w\- ]+", name, re.ASCII):
        return name
    words = re.findall(r"[a-z0-9]+", name.casefold())
    if kind == "attribute" and words[1:] and words[-1] in ("color", "colour"):
        words.pop()  # hair_color is hair
    return command_text("-".join((kind, *words)), "", language) or name


def _formatted(key: str, pattern: Any, language: str, facts: Mapping[str, Fact]) -> str:
    given: dict[str, Any] = {}
    for name, fact in facts.items():
        fact = fact(language) if callable(fact) else fact
        if isinstance(fact, str):
            given[name] = shorten(fact, MAX_FACT)
        else:  # no thousands separators: seeds are 4294967295, not 4,294,967,295
            given[name] = fluent_number(fact, useGrouping=False)
    text, errors = _bundle(language).format_pattern(pattern, given)
    if errors:
        raise KeyError(f"{key} in {language}: {errors[0]}")
    return str(text)


@cache
def _bundle(language: str) -> FluentBundle:
    # Isolation marks are displayed as boxes in some clients.
    bundle = FluentBundle([language], use_isolating=False)
    for file in sorted((LOCALES / language).glob("*.ftl")):
        bundle.add_resource(FluentResource(file.read_text("utf-8")))
    return bundle
