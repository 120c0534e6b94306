"""Fixtures for tests of what the bot posts by itself."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from discord_server import MANAGE_GUILD, Channel, DiscordServer, Reply, UserClient

from bot.discord.community import scheduler
from bot.studio import Request, Studio
from db.records import Avatar, Owner

from ..conftest import Run


class Clock:
    """The clock of the schedule, which tests set forward."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, **span: float) -> None:
        self.offset += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Also makes the steps of the schedule frequent."""
    clock = Clock()
    monkeypatch.setattr(scheduler, "now", clock.now)
    monkeypatch.setattr(scheduler, "STEP_SECONDS", 0.05)
    return clock


@pytest.fixture
def admin(discord: DiscordServer) -> UserClient:
    return discord.member("Ada", permissions=MANAGE_GUILD)


@pytest.fixture
def guild(discord: DiscordServer) -> str:
    return str(discord.default_guild.id)


@pytest.fixture
def news(discord: DiscordServer) -> Channel:
    """The channel where the bot posts."""
    return discord.channel("news")


@dataclass(frozen=True)
class Community:
    """The default guild: the bot, the settings of the guild, its members, and the posts of the bot
    in the channel `news`.
    """

    discord: DiscordServer
    studio: Studio
    start: Run
    admin: UserClient
    guild: str
    news: Channel

    @property
    def channel(self) -> str:
        """The id of `news`."""
        return str(self.news.id)

    def run(self, **settings: Any) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """`async with community.run(): ...` runs the bot."""
        return self.start(self.studio, **settings)

    async def change(self, **settings: Any) -> None:
        """Changes the settings of the guild."""
        await self.studio.community.change(self.guild, **settings)

    async def paint(
        self, client: UserClient, count: int = 1, private: bool = False
    ) -> list[Avatar]:
        """Paints pictures in the guild."""
        owner = Owner("discord", str(client.id), client.user.name)
        request = Request(owner, guild=self.guild, channel="1", private=private)
        return await self.studio.painting.create({}, request, count=count)

    async def love(self, avatar: Avatar, count: int) -> None:
        """Makes the avatar a favorite of so many members."""
        for number in range(count):
            member = Owner("discord", str(1000 + number))
            await self.studio.avatars.toggle_favorite(avatar.id, member)

    async def posts(self, count: int) -> list[Reply]:
        """Waits for so many messages in `news`."""
        shown = lambda: len(self.admin.messages(self.news)) == count  # noqa: E731
        found = [message.text for message in self.admin.messages(self.news)]
        await self.discord.wait_until(shown, f"not {count} posts, first {found}", within=20)
        return self.admin.messages(self.news)


@pytest.fixture
def community(
    discord: DiscordServer, studio: Studio, run: Run, admin: UserClient, guild: str, news: Channel
) -> Community:
    return Community(discord, studio, run, admin, guild, news)
