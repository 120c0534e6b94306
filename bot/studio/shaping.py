"""Children of stored avatars, moved along the latent directions of their model."""

import asyncio
from collections.abc import Mapping

from bot.errors import BadPrompt
from bot.inference.engine import Engine
from bot.inference.model_info import ModelInfo
from bot.prompts.vocabulary import quote
from bot.studio.avatars import AvatarService
from bot.studio.family import with_privacy_of
from bot.studio.images import strip
from bot.studio.painter import Painter, PaintJob
from bot.studio.painting import inherited_prompt, inherited_size
from bot.studio.request import Request
from db.records import Avatar

PREVIEW_SIZE = 128  # pixels at most


class ShapingService:
    """A shape is the positions on directions, by name, from -1 to 1; the latent keeps its positions
    on other ones.
    """

    def __init__(self, engine: Engine, painter: Painter, avatars: AvatarService) -> None:
        self._engine = engine
        self._painter = painter
        self._avatars = avatars

    @property
    def directions(self) -> tuple[str, ...]:
        """The names of the directions of the model in use."""
        return self._engine.model.directions.names

    def is_offered(self, avatar: Avatar) -> bool:
        """Whether the model in use painted the avatar, and has directions."""
        return avatar.model == self._engine.model.name and bool(self.directions)

    async def positions(self, avatar: Avatar) -> dict[str, float]:
        """The avatar's shape: its positions on all directions of its model, maybe none.

        Raises ModelUnavailable.
        """
        model = await self._engine.get(avatar.model)
        return model.directions.positions(avatar.latent)

    async def shape(self, id: str, shape: Mapping[str, float], request: Request) -> list[Avatar]:
        """The same face and values with another shape, by the model that painted it; a private
        avatar's child is private.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        parent = await self._avatars.get(id, request.owner)
        model = await self._engine.get(parent.model)
        _check_shape(shape, model)
        job = PaintJob(
            model,
            parent.wish,
            [parent.seed],
            [parent.conditions],
            model.directions.move(parent.latent, shape)[None, None],
            prompt=inherited_prompt(parent, request.owner, model),
            parents=(parent.id,),
            size=inherited_size(parent, model.sizes),
        )
        return await self._painter.paint(job, with_privacy_of([parent], request))

    async def preview(self, id: str, shape: Mapping[str, float], request: Request) -> bytes:
        """The picture that `shape` would paint, as a WebP of at most PREVIEW_SIZE; not stored.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        parent = await self._avatars.get(id, request.owner)
        model = await self._engine.get(parent.model)
        if shape:
            _check_shape(shape, model)
        images = await self._engine.paint(
            model.directions.move(parent.latent, shape)[None],
            model.manifest.encode(parent.conditions)[None],
            model,
            size=model.size_up_to(PREVIEW_SIZE),
            user=request.user,
        )
        return await asyncio.to_thread(strip, images)


def _check_shape(shape: Mapping[str, float], model: ModelInfo) -> None:
    """Raises BadPrompt."""
    names = model.directions.names
    if not names:
        raise BadPrompt("shape-none", model=model.name)
    if not shape:
        raise BadPrompt("shape-no-change")
    for name, position in shape.items():
        if name not in names:
            raise BadPrompt("shape-unknown", said=quote(name), names=", ".join(names))
        if not -1 <= position <= 1:
            raise BadPrompt("shape-position", position=str(position))
