"""The one service behind the Discord face and the web face: wishes in, avatars out."""

import asyncio
import functools
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from bot.animation import Animation, Format, encode, lay_path
from bot.errors import BadPrompt, NotAllowed, NotFound
from bot.i18n.messages import LANGUAGES
from bot.inference.catalog import ModelCatalog
from bot.inference.conditions import complete_wish, mix_conditions
from bot.inference.engine import Engine, Model, Stats
from bot.inference.latents import draw_candidates, mix_latents, perturb, slerp
from bot.moderation import Gate, check_limits
from bot.pictures import encode_png, strip, thumbnail
from bot.prompts.parser import check_wish, format_wish, read_prompt, tidy_prompt
from bot.prompts.vocabulary import quote, vocabulary
from bot.showcase import Cell, count_facets, count_matching, lay_matrix
from bot.takeout import Takeout, pack
from db.store import (
    Avatar,
    BadCursor,
    Family,
    GalleryQuery,
    GuildLimits,
    MemberSettings,
    NewAvatar,
    Owed,
    Owner,
    Page,
    Picture,
    Statistics,
    Store,
)
from export.manifest import Attribute

MAX_COUNT = 9
MAX_PAGE = 100  # avatars
MAX_MORPH = 5  # faces
MAX_FRAMES = 33  # of a transition
TRANSITION_SIZE = 128  # pixels at most: it is looked at while it moves
RELATIVES = 12  # children, and siblings, that a family shows
VARIATIONS = 9
SEEDS = 2**32
UPLOAD_BYTES = 10 * 2**20  # what Discord takes in a server without boosts, and in a DM

_ID = re.compile(r"[a-z0-9]{1,32}")

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Transition:
    """`data` is a WebP: so many frames side by side, each square, of so many pixels."""

    data: bytes
    frames: int
    size: int


def _admitted(
    pictures: int | None = None,
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """What was admitted is not under way any more when this is done: so many pictures, or else as
    many as its `count` says.
    """

    def admitted(paint: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(paint)
        async def painting(*args: P.args, **given: P.kwargs) -> T:
            studio, owner, guild = args[0], given["owner"], given.get("guild")
            count = given.get("count", 1) if pictures is None else pictures
            assert isinstance(studio, Studio)
            assert isinstance(owner, Owner)
            assert isinstance(guild, str | None)
            assert isinstance(count, int)
            try:
                return await paint(*args, **given)
            finally:
                studio._gate.leave(owner, guild, count)

        return painting

    return admitted


class Studio:
    """Turns wishes into avatars and remembers them. All refusals are `bot.errors.Refusal`s.

    Sizes are in pixels. An `order` names what somebody asked for: asked for again, it answers with
    what was painted then. A child of a private avatar is private.
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self.models = ModelCatalog(engine)
        self._engine = engine
        self._store = store
        self._gate = Gate(store.desk)
        self._listeners: list[Callable[[Avatar], None]] = []
        self._portraits: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """What can be chosen with the model in use."""
        return self._engine.model.manifest.attributes

    @property
    def model_name(self) -> str:
        return self._engine.model.name

    @property
    def sizes(self) -> tuple[int, ...]:
        """What the model in use can paint, the smallest first."""
        return self._engine.model.sizes

    @property
    def engine_stats(self) -> Stats:
        return self._engine.stats

    def read(self, prompt: str) -> dict[str, str]:
        """Raises BadPrompt."""
        return read_prompt(prompt, self.attributes)

    # Painting

    @_admitted()
    async def create(
        self,
        wish: Mapping[str, str] | str,
        *,
        owner: Owner,
        count: int = 1,
        seed: int | None = None,
        size: int | None = None,
        private: bool = False,
        guild: str | None = None,
        channel: str | None = None,
        prompt: str | None = None,
        order: str | None = None,
    ) -> list[Avatar]:
        """Paints `count` avatars with the seeds seed, seed + 1, … (modulo 2^32) and stores them.

        Raises BadPrompt, Busy, ModelUnavailable.
        """
        model = self._engine.model
        attributes = model.manifest.attributes
        if isinstance(wish, str):
            prompt = wish if prompt is None else prompt
            wish = read_prompt(wish, attributes)
        else:
            wish = check_wish(wish, attributes)
        if not 1 <= count <= MAX_COUNT:
            raise BadPrompt("studio-count", most=MAX_COUNT, count=count)
        seeds = _seeds(seed, count)
        return await self._paint(
            model,
            wish,
            seeds,
            [complete_wish(wish, s, model.manifest) for s in seeds],
            _candidates(model, seeds),
            owner=owner,
            guild=guild,
            channel=channel,
            private=private,
            prompt=format_wish(wish) if prompt is None else tidy_prompt(prompt),
            size=size,
            order=order,
        )

    @_admitted(1)
    async def again(
        self,
        id: str,
        *,
        owner: Owner,
        guild: str | None = None,
        channel: str | None = None,
        seed: int | None = None,
        private: bool = False,
        order: str | None = None,
    ) -> list[Avatar]:
        """The same wish with a fresh seed, by the model in use.

        Raises NotFound, BadPrompt (the model has changed), Busy, ModelUnavailable.
        """
        parent = await self.get(id, owner)
        model = self._engine.model
        wish = check_wish(parent.wish, model.manifest.attributes)
        seeds = _seeds(seed)
        return await self._paint(
            model,
            wish,
            seeds,
            [complete_wish(wish, s, model.manifest) for s in seeds],
            _candidates(model, seeds),
            owner=owner,
            guild=guild,
            channel=channel,
            private=private or parent.private,
            prompt=_prompt(parent, owner),
            parents=(parent.id,),
            size=_size_like(parent, model),
            order=order,
        )

    @_admitted(1)
    async def recolour(
        self,
        id: str,
        wish: Mapping[str, str],
        *,
        owner: Owner,
        guild: str | None = None,
        channel: str | None = None,
        private: bool = False,
        order: str | None = None,
    ) -> list[Avatar]:
        """The same face (latent, and the model that painted it) with other values.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        parent = await self.get(id, owner)
        model = await self._engine.get(parent.model)
        changes = check_wish(wish, model.manifest.attributes)
        if not changes:
            raise BadPrompt("studio-no-change")
        whole = {**parent.wish, **changes}
        return await self._paint(
            model,
            whole,
            [parent.seed],
            [{**parent.conditions, **changes}],
            parent.latent[None, None],
            owner=owner,
            guild=guild,
            channel=channel,
            private=private or parent.private,
            prompt=format_wish(whole),
            parents=(parent.id,),
            size=_size_like(parent, model),
            order=order,
        )

    @_admitted(VARIATIONS)
    async def variations(
        self,
        id: str,
        *,
        owner: Owner,
        guild: str | None = None,
        channel: str | None = None,
        seed: int | None = None,
        private: bool = False,
        order: str | None = None,
    ) -> list[Avatar]:
        """Faces near this one, in its colours, by the model that painted it.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        parent = await self.get(id, owner)
        model = await self._engine.get(parent.model)
        seeds = _seeds(seed, VARIATIONS)
        return await self._paint(
            model,
            parent.wish,
            seeds,
            [parent.conditions] * VARIATIONS,
            np.stack([perturb(parent.latent, s) for s in seeds])[:, None],
            owner=owner,
            guild=guild,
            channel=channel,
            private=private or parent.private,
            prompt=_prompt(parent, owner),
            parents=(parent.id,),
            size=_size_like(parent, model),
            order=order,
        )

    @_admitted(1)
    async def mix(
        self,
        a: str,
        b: str,
        *,
        owner: Owner,
        guild: str | None = None,
        channel: str | None = None,
        seed: int | None = None,
        size: int | None = None,
        private: bool = False,
        order: str | None = None,
    ) -> list[Avatar]:
        """A child of two avatars: a face between theirs, each colour from the one or the other.
        Another seed makes a sibling.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        parents = [await self.get(a, owner), await self.get(b, owner)]
        if parents[0].id == parents[1].id:
            raise BadPrompt("mix-same")
        model = await self._model_for(parents)
        (seed,) = _seeds(seed)
        first, second = parents
        names = [attribute.name for attribute in model.manifest.attributes]
        conditions = mix_conditions(first.conditions, second.conditions, names, seed)
        return await self._paint(
            model,
            conditions,
            [seed],
            [conditions],
            mix_latents(first.latent, second.latent, seed)[None, None],
            owner=owner,
            guild=guild,
            channel=channel,
            private=private or any(parent.private for parent in parents),
            prompt=format_wish(conditions),
            parents=(first.id, second.id),
            size=size,
            order=order,
        )

    @_admitted(1)
    async def me(
        self,
        member: Owner | str,
        *,
        owner: Owner,
        guild: str | None = None,
        channel: str | None = None,
        size: int | None = None,
        private: bool = False,
        order: str | None = None,
    ) -> list[Avatar]:
        """The face of a member (or of who has this key in Discord), always the same one by the
        same model. Who asks owns the picture, and gets the same one when asking again.

        Raises BadPrompt, Busy, ModelUnavailable.
        """
        member = member if isinstance(member, Owner) else Owner("discord", member)
        digest = hashlib.sha256(f"{member.kind}:{member.key}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big")
        model = self._engine.model
        size = _size(model, size)
        portrait = owner, model.name, seed, private, size
        # who asks twice at once gets it twice, not two of them
        painting = self._portraits.setdefault(portrait, asyncio.Lock())
        async with painting:
            stored = await self._store.portrait(*portrait)
            if stored is not None:
                return [stored]
            return await self._paint(
                model,
                {},
                [seed],
                [complete_wish({}, seed, model.manifest)],
                _candidates(model, [seed]),
                owner=owner,
                guild=guild,
                channel=channel,
                private=private,
                prompt="",
                size=size,
                order=order,
            )

    @_admitted(1)
    async def morph(
        self,
        ids: Sequence[str],
        *,
        owner: Owner,
        limit_bytes: int = UPLOAD_BYTES,
        format: Format = "webp",
        size: int | None = None,
        guild: str | None = None,
    ) -> Animation:
        """A loop through two to five faces and back to the first. It is not kept, but counts as one
        picture of the owner's.

        Raises NotFound, BadPrompt (too large for `limit_bytes` even when reduced), Busy,
        ModelUnavailable.
        """
        if not 2 <= len(ids) <= MAX_MORPH:
            raise BadPrompt("morph-count", most=MAX_MORPH, count=len(ids))
        faces = [await self.get(id, owner) for id in ids]
        if len({face.id for face in faces}) < len(faces):
            raise BadPrompt("morph-same")
        model = await self._model_for(faces)
        path = lay_path(
            [face.latent for face in faces],
            [model.manifest.encode(face.conditions) for face in faces],
        )
        images = await self._engine.paint(
            path.latents, path.conditions, model, size=_size(model, size), user=_user(owner)
        )
        shown = tuple(face.id for face in faces)
        animation = await asyncio.to_thread(encode, path, images, format, limit_bytes, shown)
        await self._store.use(owner, guild, 1)
        return animation

    async def transition(self, a: str, b: str, frames: int, *, owner: Owner) -> Transition:
        """The way from one face to another in even steps, both included. It is not kept.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        if not 2 <= frames <= MAX_FRAMES:
            raise BadPrompt("transition-frames", most=MAX_FRAMES, count=frames)
        first, last = await self.get(a, owner), await self.get(b, owner)
        model = await self._model_for([first, last])
        shares = np.linspace(0, 1, frames, dtype=np.float32)
        start, end = (model.manifest.encode(face.conditions) for face in (first, last))
        conditions = start + shares[:, None] * (end - start)
        size = max((s for s in model.sizes if s <= TRANSITION_SIZE), default=model.sizes[0])
        latents = slerp(first.latent, last.latent, shares)
        images = await self._engine.paint(latents, conditions, model, size=size, user=_user(owner))
        return Transition(await asyncio.to_thread(strip, images), frames, size)

    def place(self, owner: Owner) -> int:
        """How many pictures of others are painted before the owner's next one."""
        return self._engine.queue_position(_user(owner))

    async def painted(self, order: str) -> list[Avatar]:
        """What was painted for this order and has not been deleted."""
        return await self._store.painted(order)

    def listen(self, listener: Callable[[Avatar], None]) -> Callable[[], None]:
        """From now on tells the listener of every public avatar as soon as it is stored; what is
        returned ends that. A listener must neither wait nor fail.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # Avatars

    async def get(self, id: str, viewer: Owner | None, moderator: bool = False) -> Avatar:
        """Raises NotFound, for somebody else's private avatar as well; a moderator sees those that
        were hidden.
        """
        avatar = await self._find(id)
        if avatar.private and avatar.owner != viewer and not (moderator and avatar.hidden):
            raise _no_avatar(id)
        return avatar

    async def picture(self, id: str, viewer: Owner | None) -> Picture:
        """Raises NotFound."""
        avatar = await self.get(id, viewer)
        picture = await self._store.picture(avatar.id)
        if picture is None:
            raise _no_avatar(id)
        return picture

    async def thumbnail(self, id: str, viewer: Owner | None, moderator: bool = False) -> bytes:
        """A WebP of at most 128 pixels, made when it is first asked for. Raises NotFound."""
        avatar = await self.get(id, viewer, moderator)
        data = await self._store.thumbnail(avatar.id)
        if data is None:
            picture = await self._store.picture(avatar.id)
            if picture is None:
                raise _no_avatar(id)
            data = await asyncio.to_thread(thumbnail, picture.data)
            await self._store.keep_thumbnail(avatar.id, data)
        return data

    async def family(self, avatar: Avatar) -> Family:
        """Public relatives, of each kind the newest few."""
        return await self._store.family(avatar, RELATIVES)

    async def count(self, wish: Mapping[str, str]) -> int:
        """How many public avatars have these values. Raises BadPrompt."""
        wish = check_wish(wish, self.attributes)
        return count_matching(await self._store.colours(), wish)

    async def facets(self, wish: Mapping[str, str]) -> dict[str, dict[str, int]]:
        """attribute -> value -> how many public avatars have it, and what the wish says of the
        other attributes. Raises BadPrompt.
        """
        wish = check_wish(wish, self.attributes)
        return count_facets(await self._store.colours(), self.attributes, wish)

    async def matrix(self, rows: str, columns: str) -> dict[str, dict[str, Cell]]:
        """Public avatars by the values of two attributes; what there is none of is left out.

        Raises BadPrompt.
        """
        known = {attribute.name: attribute for attribute in self.attributes}
        for name in (rows, columns):
            if name not in known:
                raise vocabulary(self.attributes).unknown_attribute(name)
        if rows == columns:
            raise BadPrompt("matrix-same")
        return lay_matrix(await self._store.colours(), known[rows], known[columns])

    async def gallery(self, query: GalleryQuery) -> Page:
        """Raises BadPrompt for an unknown attribute or value, and for a broken cursor; NotAllowed
        for a server's gallery that its admins have closed.
        """
        if query.scope in ("mine", "favourites") and query.viewer is None:
            raise BadPrompt("studio-nobody")
        if query.scope == "guild":
            if query.guild is None:
                raise BadPrompt("studio-no-server")
            if not (await self._store.desk.limits(query.guild)).gallery:
                raise NotAllowed("studio-gallery-closed")
        if not 1 <= query.limit <= MAX_PAGE:
            raise BadPrompt("studio-page-size", most=MAX_PAGE, limit=query.limit)
        query = replace(query, values=check_wish(query.values, self.attributes))
        try:
            return await self._store.gallery(query)
        except BadCursor as error:
            raise BadPrompt("studio-page-gone") from error

    async def favourite(self, id: str, owner: Owner) -> tuple[bool, int]:
        """Toggles; whether it is a favourite of the owner's now, and of how many people it is.

        Raises NotFound.
        """
        avatar = await self.get(id, owner)
        state = await self._store.favourite(avatar.id, owner)
        if state is None:
            raise _no_avatar(id)
        return state

    async def is_favourite(self, avatar: Avatar, owner: Owner) -> bool:
        return await self._store.is_favourite(avatar.id, owner)

    async def hide(self, id: str, hidden: bool) -> Avatar:
        """Hides a public avatar from everybody but its owner, or shows it again, as a moderator.
        Raises NotFound for one that is neither public nor hidden.
        """
        avatar = await self.get(id, viewer=None, moderator=True)
        if not await self._store.hide(avatar.id, hidden):
            raise _no_avatar(id)
        return await self.get(id, viewer=None, moderator=True)

    async def delete(self, id: str, by: Owner, moderator: bool = False) -> Avatar:
        """Deletes one's own avatar, or as a moderator anybody's. Raises NotFound, NotAllowed."""
        avatar = await (self._find(id) if moderator else self.get(id, by))
        if not moderator and avatar.owner != by:
            raise NotAllowed("studio-not-yours")
        if not await self._store.delete(avatar.id):
            raise _no_avatar(id)
        return avatar

    # Members

    async def settings(self, owner: Owner) -> MemberSettings:
        """A size that the model in use cannot paint counts as none."""
        settings = await self._store.desk.settings(owner)
        return settings if settings.size in self.sizes else replace(settings, size=None)

    async def save_settings(self, owner: Owner, settings: MemberSettings) -> None:
        """Raises BadPrompt."""
        if settings.size is not None:
            _size(self._engine.model, settings.size)
        if settings.language not in (None, *LANGUAGES):
            raise BadPrompt("studio-language", language=quote(str(settings.language)))
        await self._store.desk.save_settings(owner, settings)

    async def export(
        self, owner: Owner, *, part: int = 1, limit_bytes: int = UPLOAD_BYTES
    ) -> Takeout:
        """Everything of the owner's, in zips of at most so many bytes each.

        Raises NotFound for a part that there is not.
        """
        return await pack(self._store, owner, part, limit_bytes)

    async def forget(self, owner: Owner) -> int:
        """Deletes everything of the owner's; how many avatars there were."""
        return await self._store.forget(owner)

    # Servers

    async def limits(self, guild: str) -> GuildLimits:
        return await self._store.desk.limits(guild)

    async def save_limits(self, guild: str, limits: GuildLimits) -> None:
        """Raises BadPrompt."""
        check_limits(limits)
        await self._store.desk.save_limits(guild, limits)

    async def block(self, guild: str, member: str, blocked: bool) -> None:
        """`member` is the key of an owner."""
        await self._store.desk.block(guild, member, blocked)

    async def blocked(self, guild: str) -> list[str]:
        return await self._store.desk.blocked(guild)

    async def admit(
        self,
        owner: Owner,
        *,
        guild: str | None,
        channel: str | None,
        roles: Collection[str],
        pictures: int,
        parent: str | None = None,
    ) -> None:
        """Whether the owner may ask for so many pictures here and now; they count from now on.
        None are asked for by who only looks. `parent` is the channel that a thread is in.

        Raises Blocked, WrongPlace, TooSoon, and BadPrompt for more than are ever allowed.
        """
        await self._gate.admit(owner, guild, channel, roles, pictures, parent)

    def dismiss(self, owner: Owner, guild: str | None, pictures: int) -> None:
        """So many pictures, admitted together, will not be painted after all and do not count."""
        self._gate.leave(owner, guild, pictures)

    # Orders and notes

    async def owe(self, owed: Owed) -> None:
        """Writes down what somebody waits for, until it is settled."""
        await self._store.desk.owe(owed)

    async def settle(self, id: str) -> None:
        await self._store.desk.settle([id])

    async def owed(self, since: datetime) -> list[Owed]:
        """What is still owed, the oldest first; what is older is forgotten."""
        return await self._store.desk.owed(since)

    async def note(self, key: str) -> str | None:
        return await self._store.desk.note(key)

    async def save_note(self, key: str, value: str) -> None:
        await self._store.desk.save_note(key, value)

    async def statistics(self) -> Statistics:
        return await self._store.statistics()

    async def _find(self, id: str) -> Avatar:
        plain = id.strip().lower()
        avatar = await self._store.get(plain) if _ID.fullmatch(plain) else None
        if avatar is None:
            raise _no_avatar(id)
        return avatar

    async def _model_for(self, avatars: Sequence[Avatar]) -> Model:
        """One that can paint all of them: their own, or else the one in use.

        Raises BadPrompt, ModelUnavailable.
        """
        names = {avatar.model for avatar in avatars}
        if len(names) == 1:
            return await self._engine.get(names.pop())
        model = self._engine.model
        if not all(_suits(model, avatar) for avatar in avatars):
            raise BadPrompt("studio-models-differ")
        return model

    async def _paint(
        self,
        model: Model,
        wish: Mapping[str, str],
        seeds: Sequence[int],
        conditions: Sequence[Mapping[str, str]],
        latents: np.ndarray,
        *,
        owner: Owner,
        guild: str | None,
        channel: str | None,
        private: bool,
        prompt: str,
        parents: tuple[str, ...] = (),
        size: int | None = None,
        order: str | None = None,
    ) -> list[Avatar]:
        """`latents` are candidates [n, N, Z]."""
        size = _size(model, size)
        if order is not None:
            painted = await self._store.painted(order)
            if painted:
                return painted
        encoded = np.stack([model.manifest.encode(c) for c in conditions])
        images, chosen = await self._engine.paint_best(
            latents, encoded, model, size=size, user=_user(owner)
        )
        pictures = await asyncio.to_thread(lambda: [encode_png(image) for image in images])
        added = await self._store.add(
            [
                NewAvatar(
                    owner=owner,
                    guild=guild,
                    channel=channel,
                    private=private,
                    model=model.name,
                    seed=seeds[i],
                    prompt=prompt,
                    wish=dict(wish),
                    conditions=dict(conditions[i]),
                    latent=chosen[i],
                    condition=encoded[i],
                    parents=parents,
                    picture=pictures[i],
                    format="png",
                    width=images.shape[2],
                    height=images.shape[1],
                    order=order,
                )
                for i in range(len(seeds))
            ]
        )
        for avatar in added:
            if not avatar.private:
                for listener in tuple(self._listeners):
                    listener(avatar)
        return added


def _seeds(seed: int | None, count: int = 1) -> list[int]:
    """seed, seed + 1, …, or drawn. Raises BadPrompt."""
    if seed is None:
        seed = secrets.randbelow(SEEDS)
    elif not 0 <= seed < SEEDS:
        raise BadPrompt("studio-seed", most=SEEDS - 1, seed=seed)
    return [(seed + i) % SEEDS for i in range(count)]


def _candidates(model: Model, seeds: Sequence[int]) -> np.ndarray:
    """float32 [n, N, Z]"""
    return np.stack(
        [draw_candidates(seed, model.candidates, model.manifest.latent_dim) for seed in seeds]
    )


def _size(model: Model, size: int | None) -> int:
    """The model's largest where none is asked for. Raises BadPrompt."""
    if size is None:
        return model.sizes[-1]
    if size not in model.sizes:
        raise BadPrompt("studio-size", size=size, sizes=", ".join(map(str, model.sizes)))
    return size


def _size_like(parent: Avatar, model: Model) -> int | None:
    """A child is as large as its parent, where the model can do that."""
    return parent.width if parent.width in model.sizes else None


def _prompt(parent: Avatar, owner: Owner) -> str:
    """Nobody else's words are kept under the owner's name: they are their writer's to delete."""
    return parent.prompt if parent.owner == owner else format_wish(parent.wish)


def _suits(model: Model, avatar: Avatar) -> bool:
    try:
        model.manifest.encode(avatar.conditions)
    except ValueError:
        return False
    return len(avatar.latent) == model.manifest.latent_dim


def _user(owner: Owner) -> str:
    return f"{owner.kind}:{owner.key}"


def _no_avatar(id: str) -> NotFound:
    return NotFound("studio-no-avatar", id=quote(id))
