"""Pictures of a wish: new ones, the same wish again, and members' portraits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from bot.errors import BadPrompt
from bot.inference.conditions import complete_wish
from bot.inference.engine import Engine
from bot.inference.model_info import ModelInfo
from bot.prompts.parser import MAX_LENGTH, read_prompt, tidy_prompt, unused_words
from bot.prompts.traits import format_prompt, read_traits
from bot.prompts.wish import check_wish, format_wish
from bot.studio.avatars import AvatarService
from bot.studio.painter import (
    Painter,
    PaintJob,
    candidates_for,
    check_size,
    draw_seeds,
    seed_of,
)
from bot.studio.request import Request, user_of
from db.avatars import AvatarRepository
from db.records import Avatar, Owner

MAX_COUNT = 9


@dataclass(frozen=True, slots=True)
class PromptReading:
    """The wish and the shape of a prompt; `used` is both in short form; `unused` are words that
    describe something that the model does not know.
    """

    wish: Mapping[str, str]
    shape: Mapping[str, float]
    used: str
    unused: tuple[str, ...]


class PaintingService:
    """Every method paints with the model in use. Sizes are in pixels."""

    def __init__(
        self,
        engine: Engine,
        painter: Painter,
        avatars: AvatarService,
        repository: AvatarRepository,
    ) -> None:
        self._engine = engine
        self._painter = painter
        self._avatars = avatars
        self._repository = repository
        self._portrait_locks: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()
        self.subscribe = painter.subscribe

    def parse(self, prompt: str) -> dict[str, str]:
        """The wish that a prompt expresses. Raises BadPrompt."""
        return read_shaped_prompt(prompt, self._engine.model)[0]

    def explain(self, prompt: str) -> "PromptReading":
        """How a prompt is understood. Raises BadPrompt."""
        model = self._engine.model
        attributes = model.manifest.attributes
        wish, shape = read_shaped_prompt(prompt, model)
        _, rest = read_traits(prompt, model.directions.names, attributes)
        return PromptReading(
            wish, shape, format_prompt(wish, shape), unused_words(rest, attributes)
        )

    def queue_position(self, owner: Owner) -> int:
        """Number of pictures that are painted before the owner's next one."""
        return self._engine.queue_position(user_of(owner))

    def is_repeatable(self, avatar: Avatar) -> bool:
        """Whether its wish and seed paint the same picture: other models paint other faces from
        them, and pictures made from others or found by a search have latents of their own.
        """
        own_latent = bool(avatar.parents) or avatar.choices is not None
        return not own_latent and self.is_model_in_use(avatar)

    def is_model_in_use(self, avatar: Avatar) -> bool:
        """Whether the model in use painted the avatar."""
        return avatar.model == self._engine.model.name

    async def create(
        self,
        wish: Mapping[str, str] | str,
        request: Request,
        *,
        count: int = 1,
        seed: int | None = None,
        size: int | None = None,
        prompt: str | None = None,
    ) -> list[Avatar]:
        """`count` avatars with the seeds seed, seed + 1, … (modulo 2^32). Words of the prompt such
        as "long hair" shape them, if the model has these directions.

        Raises BadPrompt, Busy, ModelUnavailable.
        """
        model = self._engine.model
        attributes = model.manifest.attributes
        if isinstance(wish, str):
            prompt = wish if prompt is None else prompt
            wish, shape = read_shaped_prompt(wish, model)
        else:
            wish, shape = check_wish(wish, attributes), shape_of(prompt, model)
        if not 1 <= count <= MAX_COUNT:
            raise BadPrompt("studio-count", most=MAX_COUNT, count=count)
        seeds = draw_seeds(seed, count)
        job = PaintJob(
            model,
            wish,
            seeds,
            [complete_wish(wish, s, model.manifest) for s in seeds],
            model.directions.move(candidates_for(model, seeds), shape),
            prompt=format_wish(wish) if prompt is None else tidy_prompt(prompt),
            size=size,
        )
        return await self._painter.paint(job, request)

    async def again(self, id: str, request: Request, *, seed: int | None = None) -> list[Avatar]:
        """The wish of an avatar with another seed; private if that avatar is.

        Raises NotFound, BadPrompt (the model has changed), Busy, ModelUnavailable.
        """
        parent = await self._avatars.get(id, request.owner)
        model = self._engine.model
        wish = check_wish(parent.wish, model.manifest.attributes)
        seeds = draw_seeds(seed)
        shape = shape_of(parent.prompt, model)
        job = PaintJob(
            model,
            wish,
            seeds,
            [complete_wish(wish, s, model.manifest) for s in seeds],
            model.directions.move(candidates_for(model, seeds), shape),
            prompt=inherited_prompt(parent, request.owner, model),
            parents=(parent.id,),
            size=inherited_size(parent, model.sizes),
        )
        private = request.private or parent.private
        return await self._painter.paint(job, replace(request, private=private))

    async def portrait(
        self, member: Owner | str, request: Request, *, size: int | None = None
    ) -> list[Avatar]:
        """A member's personal avatar, always the same face by the same model; a string is the key
        of a Discord member. The requester owns the picture, which is painted only once.

        Raises BadPrompt, Busy, ModelUnavailable.
        """
        member = member if isinstance(member, Owner) else Owner("discord", member)
        seed = seed_of(f"{member.kind}:{member.key}")
        model = self._engine.model
        size = check_size(model, size)
        portrait = request.owner, model.name, seed, request.private, size
        # concurrent requests must not paint it twice; those of two processes do, and store one
        lock = self._portrait_locks.setdefault(portrait, asyncio.Lock())
        async with lock:
            stored = await self._repository.portrait(*portrait)
            if stored is not None:
                return [stored]
            job = PaintJob(
                model,
                {},
                [seed],
                [complete_wish({}, seed, model.manifest)],
                candidates_for(model, [seed]),
                prompt="",
                size=size,
                portrait=True,
            )
            return await self._painter.paint(job, request)


def read_shaped_prompt(text: str, model: ModelInfo) -> tuple[dict[str, str], dict[str, float]]:
    """The wish and the shape that a prompt expresses. Raises BadPrompt."""
    if len(text) > MAX_LENGTH:
        return read_prompt(text, model.manifest.attributes), {}  # raises
    shape, rest = read_traits(text, model.directions.names, model.manifest.attributes)
    return read_prompt(rest, model.manifest.attributes), shape


def shape_of(prompt: str | None, model: ModelInfo) -> dict[str, float]:
    """The shape that a prompt expresses, in the directions of this model."""
    names = model.directions.names
    return read_traits((prompt or "")[:MAX_LENGTH], names, model.manifest.attributes)[0]


def prompt_for(wish: Mapping[str, str], parent: Avatar, model: ModelInfo) -> str:
    """A prompt for another wish that keeps the shape of the parent's prompt."""
    return format_prompt(wish, shape_of(parent.prompt, model))


def inherited_prompt(parent: Avatar, owner: Owner, model: ModelInfo) -> str:
    """The parent's prompt if both have the same owner, otherwise its wish and shape: text that an
    owner wrote must disappear when the owner deletes it.
    """
    return parent.prompt if parent.owner == owner else prompt_for(parent.wish, parent, model)


def inherited_size(parent: Avatar, sizes: tuple[int, ...]) -> int | None:
    """The parent's size, if the model can paint it."""
    return parent.width if parent.width in sizes else None
