"""Enlarges stored pictures to LARGE pixels, for downloads."""

import asyncio

from bot.errors import Busy
from bot.inference.engine import Engine
from bot.studio.avatars import AvatarService
from bot.studio.images import encode_png, square
from db.records import Avatar, Owner

LARGE = 512  # pixels
MAX_WAITING = 8  # pictures to enlarge
BUSY_SECONDS = 5  # after which another one may be requested


class EnlargingService:
    """One picture at a time: the upscaler needs as long for it as for 16 pictures of its usual
    size.
    """

    def __init__(self, engine: Engine, avatars: AvatarService) -> None:
        self._engine = engine
        self._avatars = avatars
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def enlarge(self, avatar: Avatar, viewer: Owner | None) -> bytes:
        """A PNG of LARGE pixels, or of the picture's own size if that is larger. The upscaler of
        the picture's model is used once more; without one, the picture is interpolated.

        Raises NotFound, Busy, ModelUnavailable.
        """
        if self._waiting >= MAX_WAITING:
            raise Busy(BUSY_SECONDS)
        self._waiting += 1
        try:
            picture = await self._avatars.picture(avatar.id, viewer)
            if picture.width >= LARGE:
                return picture.data
            model = await self._engine.get(avatar.model)
            async with self._turn:
                image = square(picture.data, picture.width)
                large = await self._engine.enlarge(model, image, LARGE)
                return await asyncio.to_thread(encode_png, large)
        finally:
            self._waiting -= 1
