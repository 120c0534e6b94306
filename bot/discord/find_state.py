"""What the message of a search shows, encoded in the custom ids of its buttons."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from bot.discord.gallery_state import MAX_CUSTOM_ID, pack_values
from bot.errors import BadPrompt, ModelUnavailable
from bot.studio import Studio
from bot.studio.search import FACES, ROUNDS, Choice, Search
from db.tasks import SEEDS

DIGITS = 3  # hexadecimal ones of a choice: one bit for each face
TAG = 6  # characters
STATE = (
    rf"(?P<tag>[0-9a-f]{{{TAG}}}):(?P<seed>[0-9a-f]{{1,8}})"
    rf":(?P<choices>(?:[01][0-9a-f]{{{DIGITS - 1}}}){{1,{ROUNDS}}}):(?P<wish>.*)"
)


@dataclass(frozen=True, slots=True)
class FindState:
    """A search and the faces that are `selected` on its current sheet. `tag` stands for the
    model's name, which may be long.
    """

    tag: str
    wish: Mapping[str, str]
    seed: int
    choices: tuple[Choice, ...] = ()
    selected: Choice = ()

    @classmethod
    def of(cls, search: Search, selected: Choice = ()) -> "FindState":
        return cls(tag_of(search.model), search.wish, search.seed, search.choices, selected)

    @classmethod
    def parse(cls, match: re.Match[str]) -> "FindState":
        """From the groups of STATE."""
        hexadecimal = re.findall("." * DIGITS, match["choices"])
        *before, selected = (_choice(int(bits, 16)) for bits in hexadecimal)
        wish = dict(parse_qsl(match["wish"]))
        return cls(match["tag"], wish, int(match["seed"], 16), tuple(before), selected)

    @property
    def round(self) -> int:
        return len(self.choices) + 1

    def toggled(self, number: int) -> "FindState":
        """With a face selected, or no longer selected."""
        return replace(self, selected=tuple(sorted({*self.selected} ^ {number})))

    def custom_id(self, action: str) -> str:
        """The custom id of a button of the message. Raises BadPrompt if it is too long."""
        choices = "".join(f"{_bits(c):0{DIGITS}x}" for c in (*self.choices, self.selected))
        state = f"{self.tag}:{self.seed:x}:{choices}:{pack_values(self.wish)}"
        custom_id = f"irodori:find:{action}:{state}"
        if len(custom_id) > MAX_CUSTOM_ID:
            raise BadPrompt("find-wish-too-long")
        return custom_id

    async def search(self, studio: Studio) -> Search:
        """Raises ModelUnavailable if the model does not exist any more."""
        names = (studio.model_name, *await studio.models.names())
        name = next((name for name in names if tag_of(name) == self.tag), None)
        if name is None:
            raise ModelUnavailable("find-model-gone")
        return Search(name, self.wish, self.seed, self.choices)


def require_short(wish: Mapping[str, str]) -> None:
    """Raises BadPrompt for a wish that does not fit into the custom ids of a whole search."""
    FindState("0" * TAG, wish, SEEDS - 1, ((1,),) * (ROUNDS - 1)).custom_id("n")


def tag_of(model: str) -> str:
    return hashlib.sha256(model.encode()).hexdigest()[:TAG]


def _bits(choice: Choice) -> int:
    return sum(1 << number - 1 for number in choice)


def _choice(bits: int) -> Choice:
    return tuple(number for number in range(1, FACES + 1) if bits >> number - 1 & 1)
