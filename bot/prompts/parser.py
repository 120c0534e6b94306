"""Parses prompts such as `hair:pink eyes:orange` or `a girl with pink hair and orange eyes`.

`lexer` splits the text into items (values, attributes, conjunctions, …). Then attributes and values
are paired: first those joined by a colon, then neighbors from left to right, then single ones. An
unknown word that may be part of a wish is an error; ignoring it would paint something else than
what was meant.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from bot.errors import BadPrompt
from bot.i18n.messages import attribute_name, listed, value_name
from bot.prompts.lexer import END, Item, Lexer
from bot.prompts.vocabulary import Vocabulary, names_of, tidy, vocabulary
from bot.prompts.words import IMPLIED_ATTRIBUTES, NEGATIONS, SWITCHES
from export.manifest import Attribute

MAX_LENGTH = 300  # characters


def read_prompt(text: str, attributes: Sequence[Attribute]) -> dict[str, str]:
    """The wish in a prompt: values by attribute, in the model's order.

    Raises BadPrompt, and nothing else whatever the text is.
    """
    if len(text) > MAX_LENGTH:
        raise BadPrompt("prompt-too-long", length=len(text), most=MAX_LENGTH)
    return _Parser(vocabulary(tuple(attributes)), text).parse()


def unused_words(text: str, attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """Words of a valid prompt that describe something and are not used: "male", "sunglasses"."""
    lexer = Lexer(vocabulary(tuple(attributes)))
    unknown = [item.text for item in lexer.split(text[:MAX_LENGTH]) if item.kind == "unknown"]
    return tuple(dict.fromkeys((*lexer.unused, *unknown)))


def tidy_prompt(text: str) -> str:
    """A prompt as it is stored: one line of printable characters."""
    return tidy(text, MAX_LENGTH)


class _Parser:
    """Pairs the attributes and values of one prompt."""

    def __init__(self, known: Vocabulary, text: str) -> None:
        self.known = known
        self.items = Lexer(known).split(text)
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

    # Pairs

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

    def _fits_better(self, item: Item, after: Item) -> bool:
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

    def _single_attribute(self, at: int, item: Item) -> None:
        before, after = self._at(at - 1), self._at(at + 1)
        if before.kind == "unknown":
            raise self.known.unknown_value(item.attribute, before.text)
        if after.kind == "unknown" and self.known.is_typo(after.text, item.attribute):
            raise self.known.unknown_value(item.attribute, after.text)
        yes = self.known.values[item.attribute].get(("yes",))  # "with glasses"
        if yes is not None:
            self._choose(item.attribute, yes.value)

    def _single_value(self, at: int, item: Item) -> None:
        after = self._at(at + 1)
        if item.text in SWITCHES:
            if item.text in NEGATIONS and after.kind == "value":
                raise _cannot_leave_out(item, after)
            return
        exact = [name for name, reading in item.readings.items() if reading.exact]
        options = exact or list(item.readings)
        if IMPLIED_ATTRIBUTES.get(item.text) in item.readings:
            options = [IMPLIED_ATTRIBUTES[item.text]]
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

    def _at(self, index: int) -> Item:
        return self.items[index] if 0 <= index < len(self.items) else END

    def _pair(self, attribute: Item, value: Item) -> None:
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


def _cannot_leave_out(no: Item, what: Item) -> BadPrompt:
    return BadPrompt("prompt-cannot-leave-out", said=f"{no.text} {what.text}")
