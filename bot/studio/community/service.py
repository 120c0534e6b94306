"""The features for communities: what a server has turned on, and one service for each feature."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.errors import BadPrompt
from bot.inference.engine import Engine
from bot.studio.community.bracket import BracketService
from bot.studio.community.guessing import GuessService
from bot.studio.community.portrait import PortraitService
from bot.studio.gallery import GalleryService
from db.records import Avatar, CommunitySettings, MessageLink
from db.store import Store

HEARTS = (1, 2, 3, 5, 10, 20)  # from which a picture is showcased
RETRACT_MINUTES = (1, 5, 10, 30, 60)
FLOOD = 5  # replies within RETRACT_MINUTES that a channel may get without any being deleted
CACHE_SECONDS = 5  # in which replies may not notice that another process has changed settings
STATUS = "status"  # the note of whether the bot's status shows the model


class CommunityService:
    """Settings are by server. `posts` has the messages that the bot posts by itself."""

    def __init__(self, engine: Engine, store: Store, gallery: GalleryService) -> None:
        self._store = store
        self._cached: dict[str, tuple[float, CommunitySettings]] = {}  # with the time of reading
        self.settings = store.community.settings
        self.all_settings = store.community.all_settings
        self.posts = store.posts
        self.find_loved = store.posts.find_loved
        self.portrait = PortraitService(engine, store.community)
        self.bracket = BracketService(store.brackets, store.avatars)
        self.guessing = GuessService(engine, store, gallery)

    async def settings_for_reply(self, guild: str) -> CommunitySettings:
        """The settings, which every reply needs, at most CACHE_SECONDS old."""
        cached = self._cached.get(guild)
        if cached is None or time.monotonic() - cached[0] > CACHE_SECONDS:
            self._cached[guild] = cached = time.monotonic(), await self.settings(guild)
        return cached[1]

    async def change(self, guild: str, **changes: Any) -> CommunitySettings:
        """Changes fields of the settings. Raises BadPrompt for a number that is not offered."""
        before = await self.settings(guild)
        settings = replace(before, **changes)
        if settings.hearts not in HEARTS or settings.retract_minutes not in RETRACT_MINUTES:
            raise BadPrompt("failure-no-choice")
        now = datetime.now(UTC)
        if settings.showcase is not None and (settings.showcase, settings.hearts) != (
            before.showcase,
            before.hearts,
        ):
            # pictures that were loved before are not posted all at once
            await self.posts.skip_loved(guild, settings.hearts, settings.showcase, now)
        await self._store.community.save_settings(guild, settings)
        self._cached.pop(guild, None)
        for kind in ("welcome", "showcase", "bracket"):
            if getattr(settings, kind) != getattr(before, kind):
                await self.posts.delete_waiting(kind, guild)
        if settings.retract != before.retract:
            await self.posts.forget_replies(guild)
        if settings.portrait != before.portrait:  # it is posted in the new channel, if any
            await self.posts.withdraw("portrait", guild, now)
        return settings

    async def note_reply(
        self, settings: CommunitySettings, link: MessageLink, retracts: bool, avatars: list[str]
    ) -> None:
        """Stores a public reply, as far as the settings need it; `retracts` is whether it is in
        one of the channels where replies are deleted if there are many.
        """
        if retracts:
            window = timedelta(minutes=settings.retract_minutes)
            await self.posts.add_reply(link, datetime.now(UTC), window, FLOOD)
        if settings.links:
            for id in avatars:
                await self._store.community.show(id, link)

    async def links(self, avatar: Avatar, guild: str) -> dict[str, MessageLink]:
        """By parent, the message of the server that shows it."""
        if not avatar.parents or not (await self.settings_for_reply(guild)).links:
            return {}
        return await self._store.community.links(avatar.parents, guild)

    async def shows_model(self) -> bool:
        """Whether the bot's status shows the model in use."""
        return await self._store.notes.get(STATUS) == "model"

    async def set_shows_model(self, shown: bool) -> None:
        await self._store.notes.set(STATUS, "model" if shown else "")
