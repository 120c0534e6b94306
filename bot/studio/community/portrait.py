"""Welcomes and family portraits: the faces of members, from their ids."""

import asyncio
import hashlib
import math
from dataclasses import dataclass

from bot.inference.engine import Engine
from bot.studio.community.faces import paint_faces
from bot.studio.images import encode_png, grid
from db.community import CommunityRepository
from db.records import Owner

WELCOME_SIZE = 256  # pixels at most
FACE_SIZE = 128  # pixels at most, in a portrait
MAX_FACES = 100  # in a portrait, those who joined it first


@dataclass(frozen=True, slots=True)
class Portrait:
    """`content` identifies what the portrait shows: its faces and the model that painted them."""

    members: tuple[Owner, ...]
    content: str


class PortraitService:
    def __init__(self, engine: Engine, community: CommunityRepository) -> None:
        self._engine = engine
        self._community = community
        self.toggle = community.toggle_portrait
        self.leave = community.leave_portrait

    async def get(self, guild: str) -> Portrait:
        members = await self._community.portrait(guild)
        names = [self._engine.model.name, *(f"{member.kind}:{member.key}" for member in members)]
        return Portrait(tuple(members), hashlib.sha256("\n".join(names).encode()).hexdigest())

    async def paint(self, portrait: Portrait) -> bytes | None:
        """A WebP of the faces in rows; None without members. Raises Busy, ModelUnavailable."""
        members = portrait.members[:MAX_FACES]
        if not members:
            return None
        images = await paint_faces(self._engine, members, FACE_SIZE)
        return await asyncio.to_thread(grid, images, math.ceil(math.sqrt(len(members))))

    async def welcome(self, member: Owner) -> bytes:
        """A PNG of the member's face. Raises Busy, ModelUnavailable."""
        images = await paint_faces(self._engine, [member], WELCOME_SIZE)
        return await asyncio.to_thread(encode_png, images[0])
