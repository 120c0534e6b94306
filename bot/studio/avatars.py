"""Stored avatars: reading, favorites, hiding and deletion, with the checks of permissions."""

import asyncio
import hashlib
import logging
import re
from typing import NamedTuple

from bot.errors import NotAllowed, NotFound
from bot.prompts.vocabulary import quote
from bot.studio.converting import Converter
from bot.studio.images import scaled_png, thumbnail
from bot.studio.recipes import RecipeService
from db.errors import StoreUnavailable
from db.records import Avatar, Family, Owner, Picture
from db.store import Store

log = logging.getLogger(__name__)

MAX_RELATIVES = 12  # children, and siblings, that a family lists

_ID = re.compile(
    r"(?:\S*/)?(?:spoiler_)?(?:irodori-)?(?P<id>[a-z0-9]{1,32})(?:-\d{1,4})?(?:\.(?:png|webp))?(?:[?#]\S*)?"
)
"""An id as people copy it: alone, from a file's name, or from a link."""


class FavoriteState(NamedTuple):
    """Whether an avatar is one of the owner's favorites, and how many owners' favorite it is."""

    favorite: bool
    favorites: int


class AvatarService:
    """Raises NotFound for other owners' private avatars, as for avatars that do not exist."""

    def __init__(self, store: Store, recipes: RecipeService, converter: Converter) -> None:
        self._store = store
        self._recipes = recipes
        self._converter = converter
        self.of_order = store.avatars.of_order

    async def get(self, id: str, viewer: Owner | None, moderator: bool = False) -> Avatar:
        """Raises NotFound. A moderator also sees avatars that were hidden."""
        avatar = await self._find(id)
        is_visible = not avatar.private or (moderator and avatar.hidden)
        if not is_visible and (viewer is None or not await self.owns(viewer, avatar)):
            raise _not_found(id)
        return avatar

    async def owns(self, owner: Owner, avatar: Avatar) -> bool:
        """Whether the avatar belongs to the owner, or to one that is linked with it."""
        if avatar.owner == owner:
            return True
        return avatar.owner in await self._store.links.linked_owners(owner)

    async def picture(self, id: str, viewer: Owner | None, size: int | None = None) -> Picture:
        """The picture, with its recipe unless it is private. A `size` in pixels below the
        picture's scales it down, to a PNG. Raises NotFound, and Busy if it is scaled.
        """
        avatar = await self.get(id, viewer)
        picture = await self._store.avatars.picture(avatar.id)
        if picture is None:
            raise _not_found(id)
        if size is not None and size < picture.width:
            data = await self._converter.run(scaled_png, picture.data, size)
            picture = Picture(data, "png", size, size, hashlib.sha256(data).hexdigest())
        return await self._recipes.sign(avatar, picture)

    async def thumbnail(self, id: str, viewer: Owner | None, moderator: bool = False) -> bytes:
        """A WebP of at most 128 pixels, made when it is first requested. Raises NotFound."""
        avatar = await self.get(id, viewer, moderator)
        data = await self._store.avatars.thumbnail(avatar.id)
        if data is None:
            picture = await self._store.avatars.picture(avatar.id)
            if picture is None:
                raise _not_found(id)
            data = await asyncio.to_thread(thumbnail, picture.data)
            try:
                await self._store.avatars.save_thumbnail(avatar.id, data)
            except StoreUnavailable as error:  # it is shown nevertheless, and made again next time
                log.debug("a thumbnail is not stored: %s", error)
        return data

    async def family(self, avatar: Avatar) -> Family:
        """The newest public relatives of each kind."""
        return await self._store.avatars.family(avatar, MAX_RELATIVES)

    async def toggle_favorite(self, id: str, owner: Owner) -> FavoriteState:
        """Raises NotFound."""
        avatar = await self.get(id, owner)
        state = await self._store.favorites.toggle(avatar.id, owner)
        if state is None:
            raise _not_found(id)
        return FavoriteState(*state)

    async def is_favorite(self, avatar: Avatar, owner: Owner) -> bool:
        return await self._store.favorites.contains(avatar.id, owner)

    async def set_hidden(self, id: str, hidden: bool) -> Avatar:
        """Hides a public avatar from everybody but its owner, or shows a hidden one again. Raises
        NotFound for one that is neither public nor hidden.
        """
        avatar = await self.get(id, viewer=None, moderator=True)
        if not await self._store.avatars.set_hidden(avatar.id, hidden):
            raise _not_found(id)
        if hidden:
            await self._store.reports.close(avatar.id)
        return await self.get(id, viewer=None, moderator=True)

    async def delete(self, id: str, by: Owner, moderator: bool = False) -> Avatar:
        """Deletes an avatar as its owner, or any avatar as a moderator. Raises NotFound,
        NotAllowed.
        """
        avatar = await (self._find(id) if moderator else self.get(id, by))
        if not moderator and not await self.owns(by, avatar):
            raise NotAllowed("studio-not-yours")
        if not await self._store.avatars.delete(avatar.id):
            raise _not_found(id)
        return avatar

    async def _find(self, id: str) -> Avatar:
        written = _ID.fullmatch(id.strip().strip("`").lower())
        avatar = await self._store.avatars.get(written["id"]) if written else None
        if avatar is None:
            raise _not_found(id)
        return avatar


def _not_found(id: str) -> NotFound:
    return NotFound("studio-no-avatar", id=quote(id))
