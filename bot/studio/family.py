"""Children of stored avatars: other colors, variations, and mixes of two."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bot.errors import BadPrompt
from bot.inference.conditions import mix_conditions
from bot.inference.engine import Engine
from bot.inference.latents import mix_latents, perturb
from bot.inference.model_info import ModelInfo
from bot.prompts.wish import check_wish, format_wish
from bot.studio.avatars import AvatarService
from bot.studio.painter import Painter, PaintJob, draw_seeds
from bot.studio.painting import inherited_prompt, inherited_size, prompt_for
from bot.studio.request import Request
from db.records import Avatar
from db.tasks import VARIATIONS


class FamilyService:
    """A child of a private avatar is private."""

    def __init__(self, engine: Engine, painter: Painter, avatars: AvatarService) -> None:
        self._engine = engine
        self._painter = painter
        self._avatars = avatars

    async def recolor(self, id: str, wish: Mapping[str, str], request: Request) -> list[Avatar]:
        """The same face (latent, and the model that painted it) with other values.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        parent = await self._avatars.get(id, request.owner)
        model = await self._engine.get(parent.model)
        changes = check_wish(wish, model.manifest.attributes)
        if not changes:
            raise BadPrompt("studio-no-change")
        whole = {**parent.wish, **changes}
        job = PaintJob(
            model,
            whole,
            [parent.seed],
            [{**parent.conditions, **changes}],
            parent.latent[None, None],
            prompt=prompt_for(whole, parent, model),
            parents=(parent.id,),
            size=inherited_size(parent, model.sizes),
        )
        return await self._painter.paint(job, with_privacy_of([parent], request))

    async def variations(
        self, id: str, request: Request, *, seed: int | None = None
    ) -> list[Avatar]:
        """VARIATIONS similar faces with the same values, by the model that painted it.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        parent = await self._avatars.get(id, request.owner)
        model = await self._engine.get(parent.model)
        seeds = draw_seeds(seed, VARIATIONS)
        job = PaintJob(
            model,
            parent.wish,
            seeds,
            [parent.conditions] * VARIATIONS,
            np.stack([perturb(parent.latent, s) for s in seeds])[:, None],
            prompt=inherited_prompt(parent, request.owner, model),
            parents=(parent.id,),
            size=inherited_size(parent, model.sizes),
        )
        return await self._painter.paint(job, with_privacy_of([parent], request))

    async def mix(
        self,
        a: str,
        b: str,
        request: Request,
        *,
        seed: int | None = None,
        size: int | None = None,
    ) -> list[Avatar]:
        """A child of two avatars: a face between theirs, each value from one of them. Another seed
        paints a sibling.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        first, second = [await self._avatars.get(id, request.owner) for id in (a, b)]
        if first.id == second.id:
            raise BadPrompt("mix-same")
        model = await model_for(self._engine, [first, second])
        (seed,) = draw_seeds(seed)
        names = [attribute.name for attribute in model.manifest.attributes]
        conditions = mix_conditions(first.conditions, second.conditions, names, seed)
        job = PaintJob(
            model,
            conditions,
            [seed],
            [conditions],
            mix_latents(first.latent, second.latent, seed)[None, None],
            prompt=format_wish(conditions),
            parents=(first.id, second.id),
            size=size,
        )
        return await self._painter.paint(job, with_privacy_of([first, second], request))


async def model_for(engine: Engine, avatars: Sequence[Avatar]) -> ModelInfo:
    """A model that can paint all of these faces: their own if they have the same one, otherwise the
    model in use.

    Raises BadPrompt, ModelUnavailable.
    """
    names = {avatar.model for avatar in avatars}
    if len(names) == 1:
        return await engine.get(names.pop())
    if not all(can_paint(engine.model, avatar) for avatar in avatars):
        raise BadPrompt("studio-models-differ")
    return engine.model


def can_paint(model: ModelInfo, avatar: Avatar) -> bool:
    """Whether the model has the avatar's values and its number of latent dimensions."""
    try:
        model.manifest.encode(avatar.conditions)
    except ValueError:
        return False
    return len(avatar.latent) == model.manifest.latent_dim


def with_privacy_of(parents: Sequence[Avatar], request: Request) -> Request:
    """The request, private if it or a parent is."""
    private = request.private or any(parent.private for parent in parents)
    return replace(request, private=private)
