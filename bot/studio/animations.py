"""Animations from face to face: morphs, which loop, and transitions, a strip of frames."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.errors import BadPrompt
from bot.inference.engine import Engine
from bot.inference.latents import slerp
from bot.studio.avatars import AvatarService
from bot.studio.family import model_for
from bot.studio.images import strip
from bot.studio.morph_file import Format, Morph, encode, plan_frames
from bot.studio.painter import check_size
from bot.studio.request import Request
from db.usage import UsageRepository

MAX_MORPH = 5  # faces
MAX_FRAMES = 33  # of a transition
TRANSITION_SIZE = 128  # pixels at most; more would not be seen in motion
UPLOAD_BYTES = 10 * 2**20  # Discord's limit in servers without boosts and in direct messages


@dataclass(frozen=True, slots=True)
class Transition:
    """`data` is a WebP: `frames` square pictures side by side, each of `size` pixels."""

    data: bytes
    frames: int
    size: int


class AnimationService:
    """Animations are not stored."""

    def __init__(self, engine: Engine, avatars: AvatarService, usage: UsageRepository) -> None:
        self._engine = engine
        self._avatars = avatars
        self._usage = usage

    async def morph(
        self,
        ids: Sequence[str],
        request: Request,
        *,
        format: Format = "webp",
        size: int | None = None,
        limit_bytes: int = UPLOAD_BYTES,
    ) -> Morph:
        """A loop through two to five faces and back to the first. It counts as one picture.

        Raises NotFound, BadPrompt (too large for `limit_bytes` even when reduced), Busy,
        ModelUnavailable.
        """
        if not 2 <= len(ids) <= MAX_MORPH:
            raise BadPrompt("morph-count", most=MAX_MORPH, count=len(ids))
        faces = [await self._avatars.get(id, request.owner) for id in ids]
        if len({face.id for face in faces}) < len(faces):
            raise BadPrompt("morph-same")
        model = await model_for(self._engine, faces)
        plan = plan_frames(
            [face.latent for face in faces],
            [model.manifest.encode(face.conditions) for face in faces],
        )
        images = await self._engine.paint(
            plan.latents,
            plan.conditions,
            model,
            size=check_size(model, size),
            user=request.user,
        )
        face_ids = tuple(face.id for face in faces)
        morph = await asyncio.to_thread(encode, plan, images, format, limit_bytes, face_ids)
        await self._usage.add(request.owner, request.guild, 1)
        return morph

    async def transition(self, a: str, b: str, frames: int, request: Request) -> Transition:
        """The frames from one face to another in even steps, both included.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        if not 2 <= frames <= MAX_FRAMES:
            raise BadPrompt("transition-frames", most=MAX_FRAMES, count=frames)
        first, last = [await self._avatars.get(id, request.owner) for id in (a, b)]
        model = await model_for(self._engine, [first, last])
        shares = np.linspace(0, 1, frames, dtype=np.float32)
        start, end = (model.manifest.encode(face.conditions) for face in (first, last))
        conditions = start + shares[:, None] * (end - start)
        size = model.size_up_to(TRANSITION_SIZE)
        latents = slerp(first.latent, last.latent, shares)
        images = await self._engine.paint(latents, conditions, model, size=size, user=request.user)
        return Transition(await asyncio.to_thread(strip, images), frames, size)
