"""Wishes: validation against a model's attributes, and their short form."""

from collections.abc import Mapping, Sequence

from bot.prompts.vocabulary import vocabulary, words_of
from bot.prompts.words import ANYTHING, FILLERS, LINKS, SHADES
from export.manifest import Attribute


def check_wish(wish: Mapping[str, str], attributes: Sequence[Attribute]) -> dict[str, str]:
    """Validates a wish given as a mapping: in the model's spelling and order, without "any". A
    shade before a value is left out, see `has_shade`.

    Raises BadPrompt.
    """
    known = vocabulary(tuple(attributes))
    checked = {}
    for said_name, said in wish.items():
        name = (
            said_name if said_name in known.attributes else known.names.get(known.phrase(said_name))
        )
        if name is None:
            raise known.unknown_attribute(said_name)
        words = known.phrase(said)
        if said in known.attributes[name].values:
            checked[name] = said
        elif words in known.values[name]:
            checked[name] = known.values[name][words].value
        elif words[:1] and words[0] in SHADES and words[1:] in known.values[name]:
            checked[name] = known.values[name][words[1:]].value  # "light pink", as in prompts
        elif words and not _is_open(words):
            raise known.unknown_value(name, said)
    return {name: checked[name] for name in known.attributes if name in checked}


def has_shade(wish: Mapping[str, str]) -> bool:
    """Whether a value is said with a shade, such as "light pink"."""
    return any(len(words) > 1 and words[0] in SHADES for words in map(words_of, wish.values()))


def _is_open(words: Sequence[str]) -> bool:
    """ "any", "surprise me", "whatever you want"; but not "any bleu"."""
    return not ANYTHING.isdisjoint(words) and (ANYTHING | LINKS | FILLERS).issuperset(words)


def format_wish(wish: Mapping[str, str]) -> str:
    """{"hair": "pink", "eyes": "orange"} to "hair:pink eyes:orange"."""
    return " ".join(f"{name}:{value}" for name, value in wish.items())
