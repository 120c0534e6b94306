"""Searches for a face by choosing: their sheets, and the faces that are adopted from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.errors import BadPrompt
from bot.inference.engine import Engine
from bot.inference.model_info import ModelInfo
from bot.prompts.traits import format_prompt
from bot.prompts.vocabulary import quote
from bot.prompts.wish import check_wish
from bot.studio.models import model_named
from bot.studio.painter import Painter, PaintJob, draw_seeds
from bot.studio.painting import read_shaped_prompt
from bot.studio.request import Request
from bot.studio.search import (
    ROUNDS,
    Choice,
    Faces,
    Search,
    draw_faces,
    format_choices,
    parse_choices,
)
from db.records import Avatar
from db.usage import UsageRepository

SHEET_SIZE = 256  # pixels at most, of each face on a sheet


@dataclass(frozen=True, slots=True)
class Sheet:
    """The current sheet of a search: the conditions of its faces, and `images` uint8 [n, S, S, 3]
    RGB.
    """

    search: Search
    conditions: Sequence[Mapping[str, str]]
    images: np.ndarray


class FindService:
    """Sheets are not stored. Adopted faces are, like other pictures."""

    def __init__(self, engine: Engine, painter: Painter, usage: UsageRepository) -> None:
        self._engine = engine
        self._painter = painter
        self._usage = usage

    async def open(
        self,
        wish: Mapping[str, str] | str,
        seed: int | None = None,
        *,
        choices: Sequence[Choice] = (),
        model: str | None = None,
    ) -> Search:
        """A search for a wish or prompt, with a random seed and the model in use unless they are
        given. Words of a prompt such as "long hair" shape all faces, if the model has these
        directions. Raises BadPrompt, NotFound (no such model), ModelUnavailable.
        """
        found = self._engine.model if model is None else await model_named(model, self._engine)
        shape: Mapping[str, float] = {}
        if isinstance(wish, str):
            wish, shape = read_shaped_prompt(wish, found)
        wish = check_wish(wish, found.manifest.attributes)
        (seed,) = draw_seeds(seed)
        return Search(found.name, wish, seed, tuple(choices), shape)

    async def describe(self, search: Search) -> Sequence[Mapping[str, str]]:
        """The conditions of the faces on the current sheet, which is not painted.

        Raises BadPrompt, ModelUnavailable.
        """
        _, faces = await self._draw(search)
        return faces.conditions

    async def paint(self, search: Search, request: Request) -> Sheet:
        """The current sheet, which counts as one picture.

        Raises BadPrompt, Busy, ModelUnavailable.
        """
        model, faces = await self._draw(search)
        images = await self._engine.paint(
            faces.latents,
            np.stack([model.manifest.encode(c) for c in faces.conditions]),
            model,
            size=model.size_up_to(SHEET_SIZE),
            user=request.user,
        )
        await self._usage.add(request.owner, request.guild, 1)
        return Sheet(search, faces.conditions, images)

    async def adopt(
        self,
        search: Search,
        number: int,
        request: Request,
        *,
        size: int | None = None,
    ) -> list[Avatar]:
        """Stores a face of the current sheet, `number` from 1, and the choices that led to it.

        Raises BadPrompt, Busy, ModelUnavailable.
        """
        model, faces = await self._draw(search)
        index = number - 1
        job = PaintJob(
            model,
            search.wish,
            [search.seed],
            [faces.conditions[index]],
            faces.latents[None, None, index],
            prompt=prompt_of(search),
            size=size,
            choices=format_choices((*search.choices, (number,))),
        )
        return await self._painter.paint(job, request)

    async def _draw(self, search: Search) -> tuple[ModelInfo, Faces]:
        if search.round > ROUNDS:
            raise BadPrompt("find-rounds", most=ROUNDS)
        model = await self._engine.get(search.model)
        wish = check_wish(search.wish, model.manifest.attributes)
        faces = draw_faces(replace(search, wish=wish), model.manifest)
        return model, replace(faces, latents=model.directions.move(faces.latents, search.shape))


def prompt_of(search: Search) -> str:
    """The wish and the shape of a search, in short form."""
    return format_prompt(search.wish, search.shape)


def read_choices(text: str) -> tuple[Choice, ...]:
    """See `parse_choices`. Raises BadPrompt."""
    try:
        return parse_choices(text)
    except ValueError:
        raise BadPrompt("find-choices", choices=quote(text)) from None


def read_path(text: str) -> tuple[tuple[Choice, ...], int]:
    """The choices that led to an adopted face, and the face's number, from choices as in `Avatar`.

    Raises BadPrompt.
    """
    *before, last = read_choices(text) or ((),)
    if len(last) != 1:
        raise BadPrompt("find-one-face")
    return tuple(before), last[0]
