"""`/guess`: a child of two of a server's pictures, and four pictures, one of which is a parent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.errors import NotAllowed, NotFound
from bot.inference.conditions import mix_conditions
from bot.inference.engine import Engine
from bot.inference.latents import mix_latents
from bot.studio.family import can_paint
from bot.studio.gallery import GalleryService
from bot.studio.images import puzzle, square
from bot.studio.painter import draw_seeds
from bot.studio.request import Request
from db.records import Avatar, GalleryQuery, Owner, Score
from db.store import Store

CHOICES = 4
RECENT = 100  # pictures of the server that are drawn from
SIDE = 160  # pixels of one choice; the child is twice as large
BEST = 3  # members of the table of scores


@dataclass(frozen=True, slots=True)
class Puzzle:
    """A question: a WebP of the child and the numbered choices, and the server's best scores."""

    id: str
    picture: bytes
    choices: tuple[Avatar, ...]
    best: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of an answer: the right number, whether the member has answered before, and the score."""

    answer: int
    repeated: bool
    score: Score


class GuessService:
    def __init__(self, engine: Engine, store: Store, gallery: GalleryService) -> None:
        self._engine = engine
        self._store = store
        self._gallery = gallery

    async def pose(self, request: Request, seed: int | None = None) -> Puzzle:
        """A new question, which counts as one picture. The child is not stored.

        Raises NotAllowed where it is off or the gallery is closed, NotFound if the server has too
        few pictures, Busy, ModelUnavailable.
        """
        guild = request.guild
        if guild is None or not (await self._store.community.settings(guild)).guess:
            raise NotAllowed("guess-off")
        model = self._engine.model
        page = await self._gallery.page(GalleryQuery("guild", None, guild, {}, limit=RECENT))
        known = [avatar for avatar in page.avatars if can_paint(model, avatar)]
        if len(known) <= CHOICES:
            raise NotFound("guess-too-few", count=CHOICES + 1)
        (seed,) = draw_seeds(seed)
        random = np.random.RandomState([seed, 5])
        first, second, *others = (known[i] for i in random.permutation(len(known))[: CHOICES + 1])
        names = [attribute.name for attribute in model.manifest.attributes]
        values = mix_conditions(first.conditions, second.conditions, names, seed)
        parent = max((first, second), key=lambda a: _shared(a, values))
        answer = int(random.randint(CHOICES)) + 1
        choices = [*others[: answer - 1], parent, *others[answer - 1 :]]
        images = await self._engine.paint(
            mix_latents(first.latent, second.latent, seed)[None],
            model.manifest.encode(values)[None],
            model,
            size=model.size_up_to(2 * SIDE),
            user=request.user,
        )
        files = [await self._store.avatars.picture(choice.id) for choice in choices]
        data = [file.data for file in files if file is not None]
        if len(data) < CHOICES:  # one was deleted just now
            raise NotFound("guess-too-few", count=CHOICES + 1)
        picture = await asyncio.to_thread(_draw, images[0], data)
        await self._store.usage.add(request.owner, guild, 1)
        id = request.order_id or f"{seed}"
        await self._store.puzzles.save(id, guild, answer)
        best = await self._store.puzzles.scores(guild, BEST)
        return Puzzle(id, picture, tuple(choices), tuple(best))

    async def answer(self, id: str, number: int, owner: Owner, guild: str) -> Outcome:
        """Only a member's first answer counts. Raises NotFound."""
        result = await self._store.puzzles.answer(id, owner, number)
        if result is None:
            raise NotFound("guess-gone")
        return Outcome(*result, await self._store.puzzles.score(guild, owner))


def _shared(avatar: Avatar, values: dict[str, str]) -> int:
    """Number of the values that the avatar has."""
    return sum(avatar.conditions[name] == value for name, value in values.items())


def _draw(child: np.ndarray, files: Sequence[bytes]) -> bytes:
    return puzzle(child, np.stack([square(file, SIDE) for file in files]))
