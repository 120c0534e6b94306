"""The one service behind the Discord face and the web face: wishes in, avatars out."""

import asyncio
import io
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from bot.engine import Engine, Model
from bot.errors import BadPrompt, NotAllowed, NotFound
from bot.prompt import check_wish, format_wish, read_prompt, tidy_prompt
from bot.vocabulary import quote
from db.store import Avatar, BadCursor, GalleryQuery, NewAvatar, Owner, Page, Picture, Store
from export.manifest import Attribute, Manifest

MAX_COUNT = 9
MAX_PAGE = 100  # avatars
SEEDS = 2**32

_ID = re.compile(r"[a-z0-9]{1,32}")


class Studio:
    """Turns wishes into avatars and remembers them. All refusals are `bot.errors.Refusal`s."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """What can be chosen with the model in use."""
        return self._engine.model.manifest.attributes

    @property
    def model_name(self) -> str:
        return self._engine.model.name

    def read(self, prompt: str) -> dict[str, str]:
        """Raises BadPrompt."""
        return read_prompt(prompt, self.attributes)

    async def create(
        self,
        wish: Mapping[str, str] | str,
        *,
        owner: Owner,
        count: int = 1,
        seed: int | None = None,
        private: bool = False,
        guild: str | None = None,
        channel: str | None = None,
        prompt: str | None = None,
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
        if seed is None:
            seed = secrets.randbelow(SEEDS)
        elif not 0 <= seed < SEEDS:
            raise BadPrompt("studio-seed", most=SEEDS - 1, seed=seed)
        seeds = [(seed + i) % SEEDS for i in range(count)]
        return await self._paint(
            model,
            wish,
            seeds,
            [complete_wish(wish, s, model.manifest) for s in seeds],
            np.stack([draw_latent(s, model.manifest.latent_dim) for s in seeds]),
            owner=owner,
            guild=guild,
            channel=channel,
            private=private,
            prompt=format_wish(wish) if prompt is None else tidy_prompt(prompt),
        )

    async def again(
        self, id: str, *, owner: Owner, guild: str | None = None, channel: str | None = None
    ) -> Avatar:
        """The same wish with a fresh seed, by the model in use.

        Raises NotFound, BadPrompt (the model has changed), Busy, ModelUnavailable.
        """
        parent = await self.get(id, owner)
        model = self._engine.model
        wish = check_wish(parent.wish, model.manifest.attributes)
        seed = secrets.randbelow(SEEDS)
        (avatar,) = await self._paint(
            model,
            wish,
            [seed],
            [complete_wish(wish, seed, model.manifest)],
            draw_latent(seed, model.manifest.latent_dim)[None],
            owner=owner,
            guild=guild,
            channel=channel,
            private=parent.private,
            prompt=parent.prompt,
            parents=(parent.id,),
        )
        return avatar

    async def recolour(
        self,
        id: str,
        wish: Mapping[str, str],
        *,
        owner: Owner,
        guild: str | None = None,
        channel: str | None = None,
    ) -> Avatar:
        """The same face (latent, and the model that painted it) with other values.

        Raises NotFound, BadPrompt, Busy, ModelUnavailable.
        """
        parent = await self.get(id, owner)
        model = await self._engine.get(parent.model)
        changes = check_wish(wish, model.manifest.attributes)
        if not changes:
            raise BadPrompt("studio-no-change")
        whole = {**parent.wish, **changes}
        (avatar,) = await self._paint(
            model,
            whole,
            [parent.seed],
            [{**parent.conditions, **changes}],
            parent.latent[None],
            owner=owner,
            guild=guild,
            channel=channel,
            private=parent.private,
            prompt=format_wish(whole),
            parents=(parent.id,),
        )
        return avatar

    async def get(self, id: str, viewer: Owner | None) -> Avatar:
        """Raises NotFound, for somebody else's private avatar as well."""
        avatar = await self._find(id)
        if avatar.private and avatar.owner != viewer:
            raise _no_avatar(id)
        return avatar

    async def picture(self, id: str, viewer: Owner | None) -> Picture:
        """Raises NotFound."""
        avatar = await self.get(id, viewer)
        picture = await self._store.picture(avatar.id)
        if picture is None:
            raise _no_avatar(id)
        return picture

    async def gallery(self, query: GalleryQuery) -> Page:
        """Raises BadPrompt for an unknown attribute or value, and for a broken cursor."""
        if query.scope in ("mine", "favourites") and query.viewer is None:
            raise BadPrompt("studio-nobody")
        if query.scope == "guild" and query.guild is None:
            raise BadPrompt("studio-no-server")
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

    async def delete(self, id: str, by: Owner, moderator: bool = False) -> Avatar:
        """Deletes one's own avatar, or as a moderator anybody's. Raises NotFound, NotAllowed."""
        avatar = await (self._find(id) if moderator else self.get(id, by))
        if not moderator and avatar.owner != by:
            raise NotAllowed("studio-not-yours")
        if not await self._store.delete(avatar.id):
            raise _no_avatar(id)
        return avatar

    async def _find(self, id: str) -> Avatar:
        plain = id.strip().lower()
        avatar = await self._store.get(plain) if _ID.fullmatch(plain) else None
        if avatar is None:
            raise _no_avatar(id)
        return avatar

    async def _paint(
        self,
        model: Model,
        wish: Mapping[str, str],
        seeds: Sequence[int],
        conditions: Sequence[dict[str, str]],
        latents: np.ndarray,
        *,
        owner: Owner,
        guild: str | None,
        channel: str | None,
        private: bool,
        prompt: str,
        parents: tuple[str, ...] = (),
    ) -> list[Avatar]:
        encoded = np.stack([model.manifest.encode(c) for c in conditions])
        images = await self._engine.paint(latents, encoded, model)
        pictures = await asyncio.to_thread(lambda: [encode_png(image) for image in images])
        return await self._store.add(
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
                    conditions=conditions[i],
                    latent=latents[i],
                    condition=encoded[i],
                    parents=parents,
                    picture=pictures[i],
                    format="png",
                    width=images.shape[2],
                    height=images.shape[1],
                )
                for i in range(len(seeds))
            ]
        )


def draw_latent(seed: int, latent_dim: int) -> np.ndarray:
    """float32 [Z], standard normal. RandomState's stream is frozen: a seed keeps its face."""
    return np.random.RandomState(seed).standard_normal(latent_dim).astype(np.float32)


def complete_wish(wish: Mapping[str, str], seed: int, manifest: Manifest) -> dict[str, str]:
    """The wish with its open attributes drawn, by the seed, as often as the training data has."""
    conditions = {}
    for index, attribute in enumerate(manifest.attributes):
        if attribute.name in wish:
            conditions[attribute.name] = wish[attribute.name]
        else:
            shares = np.cumsum(attribute.frequencies)
            drawn = np.random.RandomState([seed, index]).random_sample() * shares[-1]
            place = min(int(np.searchsorted(shares, drawn, "right")), len(shares) - 1)
            conditions[attribute.name] = attribute.values[place]
    return conditions


def encode_png(image: np.ndarray) -> bytes:
    """uint8 [S, S, 3] RGB to a lossless PNG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _no_avatar(id: str) -> NotFound:
    return NotFound("studio-no-avatar", id=quote(id))
