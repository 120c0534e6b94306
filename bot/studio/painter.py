"""Paints and stores pictures: candidates go to the engine, chosen pictures to the database."""

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.errors import BadPrompt, NotFound
from bot.inference.engine import Engine
from bot.inference.latents import draw_candidates
from bot.inference.model_info import ModelInfo
from bot.studio.images import encode_png
from bot.studio.request import Request
from db.avatars import AvatarRepository
from db.forgetting import OwnerForgotten
from db.records import Avatar, NewAvatar
from db.tasks import SEEDS

MAX_REMEMBERED = 1000  # ids of published avatars

Listener = Callable[[Avatar | None], None]


@dataclass(frozen=True, slots=True)
class PaintJob:
    """n pictures of one wish by one model: n `seeds`, n `conditions` (the wish completed) and
    `latents` float32 [n, N, Z] (N candidates each). `size` is in pixels, None for the largest.
    `choices` and `portrait` are as in `NewAvatar`.
    """

    model: ModelInfo
    wish: Mapping[str, str]
    seeds: Sequence[int]
    conditions: Sequence[Mapping[str, str]]
    latents: np.ndarray
    prompt: str
    parents: tuple[str, ...] = ()
    size: int | None = None
    choices: str | None = None
    portrait: bool = False


class Painter:
    def __init__(self, engine: Engine, avatars: AvatarRepository) -> None:
        self._engine = engine
        self._avatars = avatars
        self._listeners: list[Listener] = []
        self._published: deque[str] = deque(maxlen=MAX_REMEMBERED)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener with every public avatar once it is stored, by this process or by
        another one on the same database, and with None if some may be missing. Returns the function
        that unsubscribes. A listener must neither block nor raise.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def has_listeners(self) -> bool:
        return bool(self._listeners)

    def publish(self, avatar: Avatar | None) -> None:
        """Calls the listeners, unless they have been called with the avatar already."""
        if avatar is not None:
            if avatar.private or avatar.id in self._published:
                return
            self._published.append(avatar.id)
        for listener in tuple(self._listeners):
            listener(avatar)

    async def paint(self, job: PaintJob, request: Request) -> list[Avatar]:
        """Raises BadPrompt (size), Busy, ModelUnavailable, NotFound (the owner's data is deleted
        meanwhile).
        """
        try:
            added = await self._paint(job, request)
        except OwnerForgotten:
            raise NotFound("privacy-not-kept") from None
        for avatar in added:
            self.publish(avatar)
        return added

    async def _paint(self, job: PaintJob, request: Request) -> list[Avatar]:
        model, size = job.model, check_size(job.model, job.size)
        if request.order_id is not None:
            painted = await self._avatars.of_order(request.order_id)
            if painted:
                return painted
        encoded = np.stack([model.manifest.encode(c) for c in job.conditions])
        images, chosen = await self._engine.paint_best(
            job.latents, encoded, model, size=size, user=request.user
        )
        # beside the engine, which paints the next batch meanwhile
        pictures = await asyncio.gather(*(asyncio.to_thread(encode_png, i) for i in images))
        return await self._avatars.add(
            [
                NewAvatar(
                    owner=request.owner,
                    guild=request.guild,
                    channel=request.channel,
                    private=request.private,
                    model=model.name,
                    seed=seed,
                    prompt=job.prompt,
                    wish=dict(job.wish),
                    conditions=dict(job.conditions[i]),
                    latent=chosen[i],
                    condition=encoded[i],
                    parents=job.parents,
                    picture=pictures[i],
                    format="png",
                    width=images.shape[2],
                    height=images.shape[1],
                    order_id=request.order_id,
                    choices=job.choices,
                    portrait=job.portrait,
                )
                for i, seed in enumerate(job.seeds)
            ],
            request.began,
        )


def draw_seeds(seed: int | None, count: int = 1) -> list[int]:
    """seed, seed + 1, … (modulo 2^32), starting at a random one if it is None. Raises BadPrompt."""
    if seed is None:
        seed = secrets.randbelow(SEEDS)
    elif not 0 <= seed < SEEDS:
        raise BadPrompt("studio-seed", most=SEEDS - 1, seed=seed)
    return [(seed + i) % SEEDS for i in range(count)]


def seed_of(text: str) -> int:
    """The seed that a text always gives: the first four bytes of its SHA-256, big-endian."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big")


def candidates_for(model: ModelInfo, seeds: Sequence[int]) -> np.ndarray:
    """Latents float32 [n, N, Z], N being the model's number of candidates."""
    return np.stack(
        [draw_candidates(seed, model.candidates, model.manifest.latent_dim) for seed in seeds]
    )


def check_size(model: ModelInfo, size: int | None) -> int:
    """The size in pixels; the model's largest for None. Raises BadPrompt."""
    if size is None:
        return model.sizes[-1]
    if size not in model.sizes:
        raise BadPrompt("studio-size", size=size, sizes=", ".join(map(str, model.sizes)))
    return size
