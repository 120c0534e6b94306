"""The words for a model's attributes and values: its own, synonyms, and other languages'."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal, TypeAlias

from bot.errors import BadPrompt
from bot.i18n.messages import attribute_name, listed, say, shorten, value_name
from bot.prompts import words_zh_ja
from bot.prompts.colors import color_distance
from bot.prompts.fuzzy import MAX_TEXT, closest
from bot.prompts.words import SYNONYMS
from export.manifest import Attribute

Phrase = tuple[str, ...]
Text: TypeAlias = Callable[[str], str]  # in each language

LITERAL = "\0"
"""First character of a token that stands for a name with its punctuation, such as c++."""
NEAR = 0.7
"""Similarity from which a choice is suggested for an unknown word."""
MAX_CHOICES = 1000
"""Characters of the sentences that list what to choose; the first one is always complete."""
EMOJI_STYLE = "\ufe0f"
"""Follows a character that is displayed as an emoji; some keyboards leave it out."""
_APOSTROPHES = "'’`´"
_MARKS = ":=&+/,;|.!?\n、。"
_TOKEN = re.compile(r"[:=]+|[&+/]|[,;|.!?\n、。]+|(?:[^\s:=&+/,;|.!?、。]|(?<=\d)\.(?=\d))+")

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_KNOWN = "|".join(sorted(map(re.escape, words_zh_ja.ALL), key=len, reverse=True))
_UNSPACED = re.compile(rf"{_KNOWN}|(?:(?!{_KNOWN}){_CJK.pattern})+|[^\u3040-\u30ff\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """Meaning of a phrase for one attribute; `exact` if it is the model's own word."""

    value: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Nearest:
    """A wish for another model; `exact` are the attributes whose values that model has."""

    wish: dict[str, str]
    exact: frozenset[str]


class Vocabulary:
    """`names`, and `values` of each attribute, are keyed by normalized phrases."""

    def __init__(self, attributes: tuple[Attribute, ...]) -> None:
        self.attributes = {attribute.name: attribute for attribute in attributes}
        self.names = _phrases([attribute.name for attribute in attributes])
        self.values = {attribute.name: _readings(attribute) for attribute in attributes}
        for attribute in attributes:
            for form in _forms(words_of(attribute.name)):
                self.names.setdefault(form, attribute.name)
            for word in _translations(attribute.name):
                self.names.setdefault(word, attribute.name)
        # Suggestions are the model's own words.
        self._canonical = {
            phrase: reading.value for own in self.values.values() for phrase, reading in own.items()
        } | self.names
        self.words = sorted({word for phrase in self._canonical for word in phrase})
        self.longest = max(map(len, self._canonical), default=1)
        self._literals = {
            word for phrase in self._canonical for word in phrase if word.startswith(LITERAL)
        }
        self._literal_pattern = _literal_pattern(self._literals)

    def tokens(self, text: str, noise: re.Pattern[str]) -> list[str]:
        """As `tokens_of`, but each literal of the model is one token. `noise` is ignored."""
        # The text between literals, and literals, in turn.
        parts = self._literal_pattern.split(_exact(text)) if self._literals else [text]
        tokens: list[str] = []
        for i, part in enumerate(parts):
            tokens += [LITERAL + _hyphened(part)] if i % 2 else tokens_of(noise.sub(" ", part))
        return tokens

    def phrase(self, text: str) -> Phrase:
        """The words of a value or of an attribute's name, or its literal."""
        literal = LITERAL + _hyphened(_exact(text.strip()))
        return (literal,) if literal in self._literals else words_of(text)

    def readings(self, phrase: Phrase) -> dict[str, Reading]:
        """Meanings of a phrase, by attribute."""
        return {name: own[phrase] for name, own in self.values.items() if phrase in own}

    def nearest(self, wish: Mapping[str, str]) -> "Nearest":
        """The wish in this model's values, with the most similar one where a value is missing.
        Attributes and values without a similar one are left out.
        """
        found, exact = {}, set()
        for name, value in wish.items():
            if name not in self.attributes:
                continue
            reading = self.values[name].get(self.phrase(value))
            if reading is not None:
                found[name] = reading.value
                exact.add(name)
            elif near := _nearest_value(value, self.attributes[name].values):
                found[name] = near
        return Nearest(found, frozenset(exact))

    def is_typo(self, word: str, attribute: str = "") -> bool:
        """Whether an unknown word is similar enough to a known word to be a typo. With `attribute`,
        the word is in the position of a value and compared with that attribute's values.
        """
        if attribute:
            values = [" ".join(phrase) for phrase in self.values[attribute]]
            return bool(closest(word, values, 1, 0.7))
        return bool(closest(word, self.words, 1, 0.85))

    def unknown_attribute(self, said: str) -> BadPrompt:
        if not self.attributes:
            return self.unknown_word(said)
        near = _nearest(said, self.names)
        return BadPrompt(
            "prompt-unknown-attribute",
            near or tuple(self.attributes),
            said=quote(said),
            near=_did_you_mean(near, attribute_name),
            attributes=names_of(self.attributes),
        )

    def unknown_value(self, attribute: str, said: str) -> BadPrompt:
        own = {phrase: reading.value for phrase, reading in self.values[attribute].items()}
        near = _nearest(said, own)
        return BadPrompt(
            "prompt-unknown-value",
            near or self.attributes[attribute].values,
            attribute=partial(attribute_name, attribute),
            said=quote(said),
            near=_did_you_mean(near, value_name),
            choices=self.choices([attribute]),
        )

    def unknown_word(self, said: str) -> BadPrompt:
        near = _nearest(said, self._canonical)
        return BadPrompt(
            "prompt-unknown-word",
            near,
            said=quote(said),
            near=_did_you_mean(near, self._name),
            choices=self.choices(),
        )

    def choices(self, attributes: Iterable[str] | None = None) -> Text:
        """The values to choose from, in sentences, of these attributes or of all; of many
        attributes, the last ones are only named.
        """
        names = list(self.attributes if attributes is None else attributes)

        def text(language: str) -> str:
            if not names:
                return say("prompt-no-choice", language)
            sentences: list[str] = []
            for at, name in enumerate(names):
                values = names_of(self.attributes[name].values, value_name, last="or")
                attribute = attribute_name(name, language)
                sentence = say("prompt-choices", language, attribute=attribute, values=values)
                if sentences and sum(map(len, sentences)) + len(sentence) > MAX_CHOICES:
                    rest = names_of(names[at:])
                    sentences.append(say("prompt-choices-more", language, attributes=rest))
                    break
                sentences.append(sentence)
            return say("prompt-choices-joint", language).join(sentences)

        return text

    def _name(self, word: str, language: str) -> str:
        return (attribute_name if word in self.attributes else value_name)(word, language)


@lru_cache(maxsize=16)
def vocabulary(attributes: tuple[Attribute, ...]) -> Vocabulary:
    return Vocabulary(attributes)


def tokens_of(text: str) -> list[str]:
    """Normalized words and punctuation: binding `:=`, joining `&+/`, and breaks.

    Chinese and Japanese text is split into known words and the text between them.
    """
    return [
        word
        for token in _TOKEN.findall(_normalize(text))
        for word in (_UNSPACED.findall(token) if _CJK.search(token) else [token])
    ]


def words_of(text: str) -> Phrase:
    return tuple(filter(is_word, tokens_of(text)))


def is_word(token: str) -> bool:
    return token[0] not in _MARKS


def tidy(text: str, length: int) -> str:
    """The printable characters of the text on one line, shortened to `length`."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:length]


def quote(text: str) -> str:
    return shorten(tidy(text[:MAX_TEXT], MAX_TEXT), 40)


def names_of(
    words: Iterable[str],
    name: Callable[[str, str], str] = attribute_name,
    *,
    last: Literal["and", "or"] = "and",
) -> Text:
    """The list of the words, each in the reader's language."""
    words = tuple(words)
    return lambda language: listed([name(word, language) for word in words], language, last=last)


def _phrases(names: Sequence[str]) -> dict[Phrase, str]:
    """Values of an attribute, or names of attributes, by their words.

    A name without words, such as an emoji, has a literal instead. So has a name that punctuation
    divides, and each of several names with the same words, such as c and c++.
    """
    groups: dict[Phrase, list[str]] = {}
    for name in names:
        groups.setdefault(words_of(name), []).append(name)
    phrases: dict[Phrase, str] = {}
    for words, group in groups.items():
        plain = [name for name in group if _hyphened(_exact(name)) == "-".join(words)]
        if words and (plain or len(group) == 1):
            phrases[words] = (plain or group)[0]
        for name in group:
            if len(group) > 1 or not words or not all(map(is_word, tokens_of(name))):
                phrases.setdefault((LITERAL + _hyphened(_exact(name)),), name)
    return phrases


def _exact(text: str) -> str:
    """Text that is compared with its punctuation, in any case and width."""
    return unicodedata.normalize("NFKC", text).casefold().replace(EMOJI_STYLE, "")


def _hyphened(text: str) -> str:
    """With hyphens for spaces, as training writes values."""
    return text.replace(" ", "-")


def _literal_pattern(literals: Iterable[str]) -> re.Pattern[str]:
    """Matches one of the literals between spaces or punctuation; the longest one comes first."""
    texts = sorted((literal.removeprefix(LITERAL) for literal in literals), key=len, reverse=True)
    choices = "|".join(
        text[0] + text[1:].replace(r"\-", "[ -]") for text in map(re.escape, filter(None, texts))
    )
    return re.compile(rf"(?<![^\s:=,;|、。])({choices})(?=$|[\s:=,;|、。]|[.!?]+(?!\S))")


def _readings(attribute: Attribute) -> dict[Phrase, Reading]:
    own = _phrases(attribute.values)
    readings = {phrase: Reading(value, True) for phrase, value in own.items()}
    for word, targets in SYNONYMS.items():
        value = next((own[t] for t in map(words_of, targets) if t in own), None)
        if value is not None:
            readings.setdefault(words_of(word), Reading(value, False))
    return readings


def _forms(name: Phrase) -> list[Phrase]:
    """Other forms of an attribute's name: eye, eyed and eye color for eyes; hair for hair_color."""
    if not name:
        return []
    *start, last = name
    if start and last in ("color", "colour"):
        return [tuple(start), *_forms(tuple(start))]
    single = last[:-1] if last.endswith("s") and len(last) > 2 else last
    lasts = [single, f"{single}s", f"{single}d" if single.endswith("e") else f"{single}ed"]
    forms: list[Phrase] = [(*start, form) for form in lasts]
    return forms + [(*form, word) for form in (name, *forms) for word in ("color", "colour")]


def _translations(name: str) -> list[Phrase]:
    """Names of an attribute in Chinese and Japanese."""
    phrase = words_of(name)
    forms = {phrase, *_forms(phrase)}
    return [
        words_of(word)
        for called, words in words_zh_ja.ATTRIBUTES.items()
        if words_of(called) in forms
        for word in sorted(words)
    ]


def _normalize(text: str) -> str:
    """Replaces full-width, accented, styled and invisible characters by plain ones."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKD", text)
    text = re.sub(
        r"([a-z])[\u0300-\u036f]+", r"\1", text
    )  # in other scripts, a mark makes another letter
    return unicodedata.normalize("NFKC", "".join(map(_plain, text)))


def _plain(character: str) -> str:
    if character in _MARKS:
        return character
    kind = unicodedata.category(character)
    if kind == "Cf" or character in _APOSTROPHES or character == EMOJI_STYLE:
        return ""
    return character if kind[0] in "LMN" else " "


def _nearest_value(value: str, values: Sequence[str]) -> str | None:
    """The value with the most similar color, or spelling for values that are not colors."""
    distances = {other: color_distance(value, other) for other in values}
    colors = {other: far for other, far in distances.items() if far is not None}
    if colors:
        return min(colors, key=lambda other: colors[other])
    return next(iter(closest(value, values, 1, 0.6)), None)


def _nearest(said: str, choices: dict[Phrase, str]) -> tuple[str, ...]:
    """Up to three meanings of the most similar choices, the most similar first."""
    word = " ".join(words_of(said[:MAX_TEXT]))[:60]
    phrases = {" ".join(phrase): meaning for phrase, meaning in choices.items()}
    prefixed = [phrase for phrase in phrases if word and phrase.startswith(word)]
    near = prefixed + closest(word, phrases, 6, NEAR)
    return tuple(dict.fromkeys(phrases[phrase] for phrase in near))[:3]


def _did_you_mean(near: Sequence[str], name: Callable[[str, str], str]) -> Text:
    words = names_of(near, name, last="or")
    return lambda language: say("prompt-near", language, words=words) if near else ""
