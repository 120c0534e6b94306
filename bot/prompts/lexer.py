"""Splits a prompt into items: attributes, values, conjunctions, and words that are not known."""

import re
from dataclasses import dataclass, field

from bot.prompts.vocabulary import LITERAL, Reading, Vocabulary, is_word
from bot.prompts.words import (
    ANYTHING,
    BREAKS,
    DESCRIPTIONS,
    FILLERS,
    IMPLIED_ATTRIBUTES,
    JOINTS,
    LINKS,
    NEGATIONS,
    SHADES,
)

# Discord's custom emoji and mentions, and smileys such as :) and =D, contain no binding colon.
_NOISE = re.compile(r"<[^<>\s]*\d+>|(?<!\S)[:;=xX8]['-]?[()\[\]dDpPoO3/|*]+(?!\S)")


@dataclass(slots=True)
class Item:
    """`kind` is value, attribute, bind, and, break, not, any or unknown."""

    kind: str
    text: str
    readings: dict[str, Reading] = field(default_factory=dict)  # a value's, by attribute
    attribute: str = ""
    partner: "Item | None" = None  # a value's attribute, or an attribute's value
    open: bool = False  # an attribute that may be anything
    index: int = 0


END = Item("break", "")  # before the first item and after the last one


class Lexer:
    def __init__(self, known: Vocabulary) -> None:
        self.known = known
        self.unused: list[str] = []
        """Words of the last text that describe a face and are not used."""

    def split(self, text: str) -> list[Item]:
        """Splits the text; the longest known phrase comes first."""
        self.unused = []
        tokens = self.known.tokens(text, _NOISE)
        items: list[Item] = []
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

    def _item(self, tokens: list[str], at: int, before: list[Item]) -> tuple[Item | None, int]:
        """The item that starts at this token, or None for a filler, and its number of tokens."""
        token = tokens[at]
        if token[0] in ":=":
            return Item("bind", token), 1
        if token in JOINTS:
            return Item("and", token), 1
        if not is_word(token):
            return Item("break", token), 1
        item, length = self._phrase(tokens, at, _bound_attribute(before))
        if item is not None:
            return item, length
        if token in NEGATIONS:
            return Item("not", token), 1
        if token in ANYTHING:
            return Item("any", token), 1
        if token in BREAKS:
            return Item("break", token), 1
        if token in LINKS or (token in SHADES and self._value_follows(tokens, at)):
            return None, 1
        if token in FILLERS:
            if token in DESCRIPTIONS:
                self.unused.append(token)
            introduces = tokens[at + 1 : at + 2] in ([":"], ["="])  # "prompt: pink hair"
            return (Item("break", token), 2) if introduces else (None, 1)
        return Item("unknown", token), 1

    def _phrase(self, tokens: list[str], at: int, bound: str) -> tuple[Item | None, int]:
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
                text = " ".join(phrase).replace(LITERAL, "")
                readings = self.known.readings(phrase)
                if own_first:
                    if bound in readings:
                        return Item("value", text, readings), len(phrase)
                elif phrase in self.known.names:
                    name = self.known.names[phrase]
                    return Item("attribute", text, attribute=name), len(phrase)
                elif readings:
                    return Item("value", text, readings), len(phrase)
        return None, 0

    def _value_follows(self, tokens: list[str], at: int) -> bool:
        return any(
            self.known.readings(tuple(tokens[at + 1 : at + 1 + n]))
            for n in range(1, self.known.longest + 1)
        )


def _bound_attribute(items: list[Item]) -> str:
    """The attribute that a colon binds to the next item, or an empty string."""
    if len(items) > 1 and items[-1].kind == "bind" and items[-2].kind == "attribute":
        return items[-2].attribute
    return ""


def _join_synonyms(items: list[Item]) -> list[Item]:
    """Joins adjacent synonyms of one value into one item: "navy blue", "emerald green"."""
    joined: list[Item] = []
    for at, item in enumerate(items):
        last = joined[-1] if joined else END
        if item.kind == last.kind == "value" and last.text not in (*IMPLIED_ATTRIBUTES, item.text):
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
                joined[-1] = Item("value", f"{last.text} {item.text}", both)
                continue
        joined.append(item)
    return joined
