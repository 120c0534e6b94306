"""Parses prompts such as `hair:pink eyes:orange` or `a girl with pink hair and orange eyes`.

The text is split into items (values, attributes, conjunctions, …), the longest known phrase first.
Then attributes and values are paired: first those joined by a colon, then neighbors from left to
right, then single ones. A word that may be part of a wish and is not understood is an error: to
ignore it silently would be worse.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from bot.errors import BadPrompt
from bot.i18n.messages import attribute_name, listed, value_name
from bot.prompts.vocabulary import (
    Reading,
    Vocabulary,
    is_word,
    names_of,
    tidy,
    tokens_of,
    vocabulary,
    words_of,
)
from bot.prompts.words import (
    ANYTHING,
    BREAKS,
    FILLERS,
    HOMES,
    JOINTS,
    LINKS,
    NEGATIONS,
    SHADES,
    SWITCHES,
)
from export.manifest import Attribute

MAX_LENGTH = 300  # characters

# Discord's custom emoji and mentions, and smileys such as :) and =D, contain no binding colon.
_NOISE = re.compile(r"<[^<>\s]*\d+>|(?<!\S)[:;=xX8]['-]?[()\[\]dDpPoO3/|*]+(?!\S)")


def read_prompt(text: str, attributes: Sequence[Attribute]) -> dict[str, str]:
    """The wish in a prompt: values by attribute, in the model's order.

    Raises BadPrompt, and nothing else whatever the text is.
    """
    if len(text) > MAX_LENGTH:
        raise BadPrompt("prompt-too-long", length=len(text), most=MAX_LENGTH)
    return _Parser(vocabulary(tuple(attributes)), text).parse()


def check_wish(wish: Mapping[str, str], attributes: Sequence[Attribute]) -> dict[str, str]:
    """Validates a wish given as a mapping: in the model's spelling and order, without "any".

    Raises BadPrompt.
    """
    known = vocabulary(tuple(attributes))
    checked = {}
    for said_name, said in wish.items():
        name = said_name if said_name in known.attributes else known.names.get(words_of(said_name))
        if name is None:
            raise known.unknown_attribute(said_name)
        words = words_of(said)
        if said in known.attributes[name].values:
            checked[name] = said
        elif words in known.values[name]:
            checked[name] = known.values[name][words].value
        elif words and not _is_open(words):
            raise known.unknown_value(name, said)
    return {name: checked[name] for name in known.attributes if name in checked}


def _is_open(words: Sequence[str]) -> bool:
    """ "any", "surprise me", "whatever you want"; but not "any bleu"."""
    return not ANYTHING.isdisjoint(words) and (ANYTHING | LINKS | FILLERS).issuperset(words)


def format_wish(wish: Mapping[str, str]) -> str:
    """{"hair": "pink", "eyes": "orange"} to "hair:pink eyes:orange"."""
    return " ".join(f"{name}:{value}" for name, value in wish.items())


def tidy_prompt(text: str) -> str:
    """A prompt as it is stored: one line of printable characters."""
    return tidy(text, MAX_LENGTH)


@dataclass(slots=True)
class _Item:
    """`kind` is value, attribute, bind, and, break, not, any or unknown."""

    kind: str
    text: str
    readings: dict[str, Reading] = field(default_factory=dict)  # a value's, by attribute
    attribute: str = ""
    partner: "_Item | None" = None  # a value's attribute, or an attribute's value
    open: bool = False  # an attribute that may be anything
    index: int = 0


_END = _Item("break", "")


class _Parser:
    """Parses one text."""

    def __init__(self, known: Vocabulary, text: str) -> None:
        self.known = known
        self.items = self._items(tokens_of(_NOISE.sub(" ", text)))
        self.wish: dict[str, str] = {}

    def parse(self) -> dict[str, str]:
        self._pair_bound()
        self._pair_neighbors()
        self._share_values()
        for at, item in enumerate(self.items):
            if item.kind == "attribute" and item.partner is None and not item.open:
                self._single_attribute(at, item)
            elif item.kind == "value" and item.partner is None:
                self._single_value(at, item)
        self._reject_unknown()
        return {name: self.wish[name] for name in self.known.attributes if name in self.wish}

    # Splitting the text into items

    def _items(self, tokens: list[str]) -> list[_Item]:
        items: list[_Item] = []
        at = 0
        while at < len(tokens):
            item, length = self._item(tokens, at, items)
            if item is not None:
                items.append(item)
            at += length
        items = _join_synonyms(items)
        for index, item in enumerate(items):
            item.index = index
        return items

    def _item(self, tokens: list[str], at: int, before: list[_Item]) -> tuple[_Item | None, int]:
        """The item that starts at this token, or None for a filler, and its number of tokens."""
        token = tokens[at]
        if token[0] in ":=":
            return _Item("bind", token), 1
        if token in JOINTS:
            return _Item("and", token), 1
        if not is_word(token):
            return _Item("break", token), 1
        item, length = self._phrase(tokens, at, _bound_attribute(before))
        if item is not None:
            return item, length
        if token in NEGATIONS:
            return _Item("not", token), 1
        if token in ANYTHING:
            return _Item("any", token), 1
        if token in BREAKS:
            return _Item("break", token), 1
        if token in LINKS or (token in SHADES and self._value_follows(tokens, at)):
            return None, 1
        if token in FILLERS:
            introduces = tokens[at + 1 : at + 2] in ([":"], ["="])  # "prompt: pink hair"
            return (_Item("break", token), 2) if introduces else (None, 1)
        return _Item("unknown", token), 1

    def _phrase(self, tokens: list[str], at: int, bound: str) -> tuple[_Item | None, int]:
        """The longest known phrase that starts here; after "hair:", values of hair come first."""
        phrases: list[tuple[str, ...]] = []
        for token in tokens[at : at + self.known.longest]:
            if not is_word(token):
                break
            phrases.append((*(phrases[-1] if phrases else ()), token))
        if tokens[at] in SHADES and self._value_follows(tokens, at):
            phrases = phrases[1:]  # "dark" alone is a value, "dark blue" is one value
        for own_first in (True, False) if bound else (False,):
            for phrase in reversed(phrases):
                text = " ".join(phrase)
                readings = self.known.readings(phrase)
                if own_first:
                    if bound in readings:
                        return _Item("value", text, readings), len(phrase)
                elif phrase in self.known.names:
                    name = self.known.names[phrase]
                    return _Item("attribute", text, attribute=name), len(phrase)
                elif readings:
                    return _Item("value", text, readings), len(phrase)
        return None, 0

    def _value_follows(self, tokens: list[str], at: int) -> bool:
        return any(
            self.known.readings(tuple(tokens[at + 1 : at + 1 + n]))
            for n in range(1, self.known.longest + 1)
        )

    # Pairing attributes and values

    def _pair_bound(self) -> None:
        for at, item in enumerate(self.items):
            if item.kind != "bind":
                continue
            left, right = self._at(at - 1), self._at(at + 1)
            if left.kind == "unknown":
                raise self.known.unknown_attribute(left.text)
            if left.kind == "value" and left.partner is None:
                if right.kind != "attribute":
                    raise self.known.unknown_attribute(left.text)
                self._pair(right, left)
            elif left.kind == "attribute" and right.kind == "any":
                left.open = True
            elif left.kind == "attribute" and right.kind == "value":
                self._pair(left, right)
            elif left.kind == "attribute" and right.kind in ("attribute", "not", "unknown"):
                raise self.known.unknown_value(left.attribute, right.text)
            elif left.kind == "attribute":
                raise BadPrompt(
                    "prompt-what-value",
                    self.known.attributes[left.attribute].values,
                    attribute=partial(attribute_name, left.attribute),
                    choices=self.known.choices([left.attribute]),
                )

    def _pair_neighbors(self) -> None:
        for at, (left, right) in enumerate(pairwise(self.items)):
            if left.kind == "not" and right.kind in ("attribute", "value"):
                raise _cannot_leave_out(left, right)
            if left.partner or right.partner or left.open or right.open:
                continue
            if {left.kind, right.kind} != {"attribute", "value"}:
                continue
            attribute, value = (left, right) if left.kind == "attribute" else (right, left)
            fits = attribute.attribute in value.readings
            if fits or not self._fits_better(right, self._at(at + 2)):
                self._pair(attribute, value)

    def _fits_better(self, item: _Item, after: _Item) -> bool:
        """Whether an item that does not fit the previous one belongs to the next one."""
        if after.partner is not None:
            return False
        if item.kind == "value":
            return after.kind == "attribute" and after.attribute in item.readings
        return after.kind == "value" and item.attribute in after.readings

    def _share_values(self) -> None:
        """Gives two attributes the same value: "pink hair and eyes", "hair and eyes are pink"."""
        for at, item in enumerate(self.items):
            if item.kind != "attribute" or item.partner is not None or item.open:
                continue
            for step in (-1, 1):
                other = self._at(at + 2 * step)
                if self._at(at + step).kind != "and" or other.kind != "attribute":
                    continue
                value = other.partner
                if value is not None and (value.index - other.index) * step > 0:
                    self._pair(item, value)
                    break

    # Single attributes and values

    def _single_attribute(self, at: int, item: _Item) -> None:
        before, after = self._at(at - 1), self._at(at + 1)
        if before.kind == "unknown":
            raise self.known.unknown_value(item.attribute, before.text)
        if after.kind == "unknown" and self.known.is_typo(after.text, item.attribute):
            raise self.known.unknown_value(item.attribute, after.text)
        yes = self.known.values[item.attribute].get(("yes",))  # "with glasses"
        if yes is not None:
            self._choose(item.attribute, yes.value)

    def _single_value(self, at: int, item: _Item) -> None:
        after = self._at(at + 1)
        if item.text in SWITCHES:
            if item.text in NEGATIONS and after.kind == "value":
                raise _cannot_leave_out(item, after)
            return
        exact = [name for name, reading in item.readings.items() if reading.exact]
        options = exact or list(item.readings)
        if HOMES.get(item.text) in item.readings:
            options = [HOMES[item.text]]
        elif after.kind == "unknown":  # "white dress", "pink hiar"
            raise self.known.unknown_word(after.text)
        else:
            for step in (-1, 1):  # "pink and blue hair"
                joined = self._at(at + 2 * step).partner
                if self._at(at + step).kind == "and" and joined is not None:
                    options = [joined.attribute] if joined.attribute in item.readings else options
        if len(options) > 1:
            ways = [f"{name}:{item.readings[name].value}" for name in options]
            raise BadPrompt(
                "prompt-ambiguous",
                ways,
                said=item.text,
                attributes=names_of(options, last="or"),
                ways=partial(listed, ways, last="or"),
            )
        self._choose(options[0], item.readings[options[0]].value)

    def _reject_unknown(self) -> None:
        unknown = [item.text for item in self.items if item.kind == "unknown"]
        for word in dict.fromkeys(unknown):
            if self.known.is_typo(word):
                raise self.known.unknown_word(word)
        if unknown and not any(i.kind in ("attribute", "value", "any") for i in self.items):
            raise self.known.unknown_word(" ".join(unknown))

    def _at(self, index: int) -> _Item:
        return self.items[index] if 0 <= index < len(self.items) else _END

    def _pair(self, attribute: _Item, value: _Item) -> None:
        reading = value.readings.get(attribute.attribute)
        if reading is None:
            raise self.known.unknown_value(attribute.attribute, value.text)
        attribute.partner = value
        value.partner = value.partner or attribute
        self._choose(attribute.attribute, reading.value)

    def _choose(self, attribute: str, value: str) -> None:
        chosen = self.wish.setdefault(attribute, value)
        if chosen != value:
            raise BadPrompt(
                "prompt-both",
                [f"{attribute}:{chosen}", f"{attribute}:{value}"],
                attribute=partial(attribute_name, attribute),
                one=partial(value_name, chosen),
                other=partial(value_name, value),
            )


def _bound_attribute(items: list[_Item]) -> str:
    """The attribute that a colon binds to the next item, or an empty string."""
    if len(items) > 1 and items[-1].kind == "bind" and items[-2].kind == "attribute":
        return items[-2].attribute
    return ""


def _join_synonyms(items: list[_Item]) -> list[_Item]:
    """Joins adjacent synonyms of one value into one item: "navy blue", "emerald green"."""
    joined: list[_Item] = []
    for at, item in enumerate(items):
        last = joined[-1] if joined else _END
        if item.kind == last.kind == "value" and last.text not in (*HOMES, item.text):
            both = {
                name: reading
                for name, reading in item.readings.items()
                if name in last.readings and last.readings[name].value == reading.value
            }
            # "hair blonde golden eyes" are two wishes
            before = joined[-2].kind if len(joined) > 1 else ""
            after = items[at + 1].kind if at + 1 < len(items) else ""
            apart = before in ("attribute", "bind") and after == "attribute"
            if both and not apart:
                joined[-1] = _Item("value", f"{last.text} {item.text}", both)
                continue
        joined.append(item)
    return joined


def _cannot_leave_out(no: _Item, what: _Item) -> BadPrompt:
    return BadPrompt("prompt-cannot-leave-out", said=f"{no.text} {what.text}")
