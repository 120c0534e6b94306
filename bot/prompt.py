"""Reads a prompt: `hair:pink eyes:orange`, `pink hair, orange eyes`, a blonde with blue eyes, …

The text is cut into items (values, attributes, joints, …), the longest known phrase first. Then
what belongs together is paired: what a colon binds, then neighbours from left to right, then what
stands alone. Whatever could be a wish and cannot be granted is refused by its name: a wish that
is silently left out would be worse than a question.
"""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from bot.errors import BadPrompt
from bot.words import (
    ANYTHING,
    BREAKS,
    FILLERS,
    JOINTS,
    LINKS,
    NEGATIONS,
    SHADES,
    SWITCHES,
    SYNONYMS,
)
from export.manifest import Attribute

MAX_LENGTH = 500  # characters
CLOSE = 0.85  # difflib ratio from which an unknown word is a typo of a known one, and no filler

Phrase = tuple[str, ...]

_TOKEN = re.compile(r"[:=]+|[^\w\s:=#%°'’`_-]+|\n|(?:[^\W_]|[#%°])+")


def read_prompt(text: str, attributes: Sequence[Attribute]) -> dict[str, str]:
    """The wish in a text: attribute to value, in the model's order; what is left out is open.

    Raises BadPrompt, and nothing else whatever the text.
    """
    if len(text) > MAX_LENGTH:
        raise BadPrompt(
            f"This prompt is {len(text)} characters long; {MAX_LENGTH} are the most I read."
        )
    return _Reader(_vocabulary(tuple(attributes)), text).read()


def check_wish(wish: Mapping[str, str], attributes: Sequence[Attribute]) -> dict[str, str]:
    """A wish that came as a mapping, its names and values as the model spells them.

    Raises BadPrompt.
    """
    vocabulary = _vocabulary(tuple(attributes))
    checked = {}
    for name, value in wish.items():
        attribute = vocabulary.attribute(_words(name))
        if attribute is None:
            raise vocabulary.unknown_attribute(name)
        words = _words(value)
        if not words or (words[0] in ANYTHING and words not in vocabulary.values[attribute]):
            continue
        if words not in vocabulary.values[attribute]:
            raise vocabulary.unknown_value(attribute, value)
        checked[attribute] = vocabulary.values[attribute][words].value
    return {name: checked[name] for name in vocabulary.values if name in checked}


def format_wish(wish: Mapping[str, str]) -> str:
    """{"hair": "pink", "eyes": "orange"} to "hair:pink eyes:orange"."""
    return " ".join(f"{name}:{value}" for name, value in wish.items())


def describe(conditions: Mapping[str, str]) -> str:
    """{"hair": "pink", "eyes": "orange"} to "pink hair, orange eyes"."""
    return ", ".join(f"{value} {name}" for name, value in conditions.items())


def tidy(text: str) -> str:
    """The text on one line, without characters that a database or a page chokes on."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_LENGTH]


@dataclass(frozen=True, slots=True)
class _Reading:
    value: str
    exact: bool  # the model's own word, or else a synonym


@dataclass(slots=True)
class _Item:
    """`kind` is value, attribute, bind, break, joint, not, any or unknown."""

    kind: str
    text: str
    readings: dict[str, _Reading] = field(default_factory=dict)  # of a value, by attribute
    attribute: str = ""
    used: bool = False


class _Vocabulary:
    """The model's words and what else they are called. All are normalised tuples of words."""

    def __init__(self, attributes: tuple[Attribute, ...]) -> None:
        self.attributes = attributes
        self.names: dict[Phrase, str] = {}
        self.values: dict[str, dict[Phrase, _Reading]] = {}
        for attribute in attributes:
            self.names.setdefault(_words(attribute.name), attribute.name)
            own = {_words(value): value for value in reversed(attribute.values)}
            readings = {words: _Reading(value, True) for words, value in own.items()}
            for word, targets in SYNONYMS.items():
                found = next((own[t] for t in map(_words, targets) if t in own), None)
                if found is not None:
                    readings.setdefault(_words(word), _Reading(found, False))
            self.values[attribute.name] = readings
        for attribute in attributes:
            for form in _forms(_words(attribute.name)):
                self.names.setdefault(form, attribute.name)
        phrases = [*self.names, *(words for own in self.values.values() for words in own)]
        self.longest = max(map(len, phrases), default=1)
        self.known = {word for phrase in phrases for word in phrase}

    def attribute(self, words: Phrase) -> str | None:
        return self.names.get(words)

    def readings(self, words: Phrase) -> dict[str, _Reading]:
        return {name: own[words] for name, own in self.values.items() if words in own}

    def unknown_attribute(self, said: str) -> BadPrompt:
        names = [attribute.name for attribute in self.attributes]
        if not names:
            return BadPrompt(
                f"I do not know “{_quote(said)}”: this model has nothing to choose, "
                "every picture is a surprise."
            )
        near = _nearest(said, names)
        return BadPrompt(
            f"There is no attribute “{_quote(said)}”. {_did_you_mean(near)}"
            f"You can choose {_listed(names)}.",
            near or names,
        )

    def unknown_value(self, attribute: str, said: str) -> BadPrompt:
        values = next(a.values for a in self.attributes if a.name == attribute)
        near = _nearest(said, values)
        return BadPrompt(
            f"“{_quote(said)}” is no value of {attribute}. {_did_you_mean(near)}"
            f"{attribute} can be {_listed(values)}.",
            near or values,
        )

    def unknown_word(self, said: str) -> BadPrompt:
        near = _nearest(said, sorted(self.known))
        return BadPrompt(
            f"I do not know “{_quote(said)}”. {_did_you_mean(near)}{self.help()}",
            near,
        )

    def help(self) -> str:
        if not self.attributes:
            return "This model has nothing to choose: leave the prompt empty for a surprise."
        return " ".join(f"{a.name} can be {_listed(a.values)}." for a in self.attributes)


class _Reader:
    def __init__(self, vocabulary: _Vocabulary, text: str) -> None:
        self.vocabulary = vocabulary
        self.items = self._items(_tokens(text))
        self.wish: dict[str, str] = {}

    def read(self) -> dict[str, str]:
        self._bound()
        self._neighbours()
        self._shared()
        self._alone()
        self._unknown()
        return {name: self.wish[name] for name in self.vocabulary.values if name in self.wish}

    # -- cutting the text into items ------------------------------------------------------------

    def _items(self, tokens: list[str]) -> list[_Item]:
        items: list[_Item] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token[0] in ":=":
                items.append(_Item("bind", token))
                at += 1
                continue
            if not _is_word(token):
                items.append(_Item("joint" if token == "&" else "break", token))
                at += 1
                continue
            item, length = self._phrase(tokens, at, items)
            if item is not None:
                items.append(item)
                at += length
                continue
            shaded = token in SHADES and at + 1 < len(tokens)
            if shaded and self._phrase(tokens, at + 1, [])[0] is not None:
                at += 1
                continue
            at += 1
            following = tokens[at] if at < len(tokens) else ""
            items.extend(self._other(token, following))
        return items

    def _phrase(self, tokens: list[str], at: int, before: list[_Item]) -> tuple[_Item | None, int]:
        """The longest known phrase that starts here, and its number of tokens."""
        bound = len(before) > 1 and before[-1].kind == "bind" and before[-2].kind == "attribute"
        own = self.vocabulary.values[before[-2].attribute] if bound else {}
        longest = self.vocabulary.longest
        lengths = [
            n
            for n in range(min(longest, len(tokens) - at), 0, -1)
            if all(map(_is_word, tokens[at : at + n]))
        ]
        for n in lengths:
            words = tuple(tokens[at : at + n])
            if words in own:
                return _Item("value", " ".join(words), {before[-2].attribute: own[words]}), n
        for n in lengths:
            words = tuple(tokens[at : at + n])
            text = " ".join(words)
            name = self.vocabulary.attribute(words)
            if name is not None:
                return _Item("attribute", text, attribute=name), n
            readings = self.vocabulary.readings(words)
            if readings and not (n == 1 and words[0] in SHADES and self._shades(tokens, at)):
                return _Item("value", text, readings), n
        return None, 0

    def _shades(self, tokens: list[str], at: int) -> bool:
        """Whether the shade at this place belongs to a value behind it: "dark blue"."""
        rest = tokens[at + 1 : at + 2]
        return bool(rest) and bool(self.vocabulary.readings(tuple(rest)))

    def _other(self, token: str, following: str) -> list[_Item]:
        if token in NEGATIONS:
            return [_Item("not", token)]
        if token in ANYTHING:
            return [_Item("any", token)]
        if token in JOINTS:
            return [_Item("joint", token)]
        if token in BREAKS:
            return [_Item("break", token)]
        if token in FILLERS or token in LINKS:
            introduces = following[:1] in (":", "=") and token not in LINKS
            return [_Item("break", token)] if introduces else []
        return [_Item("unknown", token)]

    # -- pairing them ---------------------------------------------------------------------------

    def _bound(self) -> None:
        for at, item in enumerate(self.items):
            if item.kind != "bind":
                continue
            left = self.items[at - 1] if at else None
            right = self.items[at + 1] if at + 1 < len(self.items) else None
            if left is None or left.used or left.kind in ("break", "joint", "bind", "any", "not"):
                continue
            if left.kind == "unknown":
                raise self.vocabulary.unknown_attribute(left.text)
            if left.kind == "value":
                if right is not None and right.kind == "attribute":
                    self._pair(right, left)
                    continue
                raise self.vocabulary.unknown_attribute(left.text)
            if right is not None and right.kind == "any":
                left.used = right.used = True
            elif right is not None and right.kind == "value":
                self._pair(left, right)
            elif right is not None and right.kind in ("unknown", "not", "attribute"):
                raise self.vocabulary.unknown_value(left.attribute, right.text)
            else:
                raise BadPrompt(
                    f"What should {left.attribute} be? {self.vocabulary.help()}",
                    [f"{left.attribute}:{v}" for v in self._values(left.attribute)[:3]],
                )

    def _neighbours(self) -> None:
        for at, (left, right) in enumerate(pairwise(self.items)):
            if left.used or right.used:
                continue
            if left.kind == "not" and right.kind in ("value", "attribute"):
                raise BadPrompt(
                    f"I cannot leave things out (“{left.text} {right.text}”): "
                    "say what you want instead."
                )
            after = self.items[at + 2] if at + 2 < len(self.items) else None
            pair = {left.kind: left, right.kind: right}
            if pair.keys() != {"value", "attribute"}:
                continue
            value, attribute = pair["value"], pair["attribute"]
            if attribute.attribute in value.readings:
                self._pair(attribute, value)
            elif not self._fits_better(right, after):
                raise self.vocabulary.unknown_value(attribute.attribute, value.text)

    def _fits_better(self, right: _Item, after: _Item | None) -> bool:
        """Whether the right one of two that do not fit belongs to the one behind it."""
        if after is None or after.used:
            return False
        if right.kind == "value":
            return after.kind == "attribute" and after.attribute in right.readings
        return after.kind == "value" and right.attribute in after.readings

    def _shared(self) -> None:
        """ "pink hair and eyes", "hair and eyes are pink": one value for both."""
        for at, item in enumerate(self.items):
            if item.kind != "attribute" or item.used:
                continue
            if at > 1 and self.items[at - 1].kind == "joint":
                before = self.items[at - 2]
                value = self.items[at - 3] if at > 2 else None
                if before.kind == "attribute" and value is not None and value.kind == "value":
                    self._pair(item, value)
                    continue
            follow = self.items[at + 1 : at + 4]
            if [i.kind for i in follow[:2]] == ["joint", "attribute"] and follow[1].used:
                rest = [i for i in self.items[at + 3 : at + 5] if i.kind != "bind"]
                if rest and rest[0].kind == "value" and follow[1].attribute in rest[0].readings:
                    self._pair(item, rest[0])

    def _alone(self) -> None:
        for at, item in enumerate(self.items):
            if item.used:
                continue
            before = self.items[at - 1] if at else None
            after = self.items[at + 1] if at + 1 < len(self.items) else None
            if item.kind == "attribute":
                if before is not None and before.kind == "unknown":
                    raise self.vocabulary.unknown_value(item.attribute, before.text)
                if after is not None and after.kind == "unknown":
                    near = _nearest(after.text, self._values(item.attribute))
                    if near:
                        raise self.vocabulary.unknown_value(item.attribute, after.text)
                switch = self.vocabulary.values[item.attribute].get(("yes",))
                if switch is not None:
                    self._choose(item.attribute, switch.value)
            elif item.kind == "value" and item.text not in SWITCHES:
                if after is not None and after.kind == "unknown":
                    raise self.vocabulary.unknown_word(after.text)
                self._choose(*self._meant(item))

    def _meant(self, item: _Item) -> tuple[str, str]:
        """The one attribute that a value without one belongs to."""
        exact = [name for name, reading in item.readings.items() if reading.exact]
        able = exact or list(item.readings)
        if len(able) == 1:
            return able[0], item.readings[able[0]].value
        ways = [f"{name}:{item.readings[name].value}" for name in able]
        raise BadPrompt(
            f"“{item.text}” could be {_listed(able, 'or')}. Please write {_listed(ways, 'or')}.",
            ways,
        )

    def _unknown(self) -> None:
        unknown = [item.text for item in self.items if item.kind == "unknown"]
        for word in unknown:
            if difflib.get_close_matches(word, self.vocabulary.known, 1, CLOSE):
                raise self.vocabulary.unknown_word(word)
        understood = any(item.kind in ("value", "attribute", "any") for item in self.items)
        if unknown and not understood:
            raise self.vocabulary.unknown_word(" ".join(unknown))

    def _pair(self, attribute: _Item, value: _Item) -> None:
        reading = value.readings.get(attribute.attribute)
        if reading is None:
            raise self.vocabulary.unknown_value(attribute.attribute, value.text)
        attribute.used = value.used = True
        self._choose(attribute.attribute, reading.value)

    def _choose(self, attribute: str, value: str) -> None:
        chosen = self.wish.setdefault(attribute, value)
        if chosen != value:
            raise BadPrompt(
                f"{attribute} cannot be both {chosen} and {value}. Please choose one.",
                [f"{attribute}:{chosen}", f"{attribute}:{value}"],
            )

    def _values(self, attribute: str) -> tuple[str, ...]:
        return next(a.values for a in self.vocabulary.attributes if a.name == attribute)


@lru_cache(maxsize=16)
def _vocabulary(attributes: tuple[Attribute, ...]) -> _Vocabulary:
    return _Vocabulary(attributes)


def _normalise(text: str) -> str:
    """Full-width, accented, styled and invisible characters to the plain ones they stand for."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    text = re.sub(r"([a-z])[\u0300-\u036f]+", r"\1", text)
    return unicodedata.normalize("NFKC", text)


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(re.sub("['’`]", "", _normalise(text)))


def _words(text: str) -> Phrase:
    return tuple(filter(_is_word, _tokens(text)))


def _is_word(token: str) -> bool:
    return any(c.isalnum() or c in "#%°" for c in token)


def _forms(name: Phrase) -> list[Phrase]:
    """What else an attribute is called: eyes, eye, eyed; hair, haired, hair color."""
    *start, last = name or ("",)
    single = last[:-1] if last.endswith("s") and len(last) > 2 else last
    lasts = [single, f"{single}s", f"{single}d" if single.endswith("e") else f"{single}ed"]
    forms = [(*start, form) for form in lasts if form]
    colours = [(*form, word) for form in (name, *forms) for word in ("color", "colour")]
    return forms + colours


def _nearest(said: str, choices: Sequence[str]) -> list[str]:
    words = " ".join(_words(said))
    plain = {" ".join(_words(choice)): choice for choice in choices}
    return [plain[near] for near in difflib.get_close_matches(words, plain, 3, 0.6)]


def _quote(text: str) -> str:
    text = tidy(text)
    return text if len(text) <= 40 else text[:39] + "…"


def _did_you_mean(near: Sequence[str]) -> str:
    return f"Did you mean {_listed(near, 'or')}? " if near else ""


def _listed(words: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
