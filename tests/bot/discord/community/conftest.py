"""Fixtures for tests of what the bot posts by itself."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from discord_server import MANAGE_GUILD, Channel, DiscordServer, Reply, UserClient

from bot.discord.community import scheduler
from bot.studio import Request, Studio
from db.records import Avatar, Owner


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


Paint = Callable[..., Awaitable[list[Avatar]]]


@pytest.fixture
def paint(studio: Studio, guild: str) -> Paint:
    """`paint(client, count=3, private=False)` paints pictures in the default guild."""

    async def paint(client: UserClient, count: int = 1, private: bool = False) -> list[Avatar]:
        owner = Owner("discord", str(client.id), client.user.name)
        request = Request(owner, guild=guild, channel="1", private=private)
        return await studio.painting.create({}, request, count=count)

    return paint


Love = Callable[[Avatar, int], Awaitable[None]]


@pytest.fixture
def love(studio: Studio) -> Love:
    """`love(avatar, 3)` makes it a favorite of three members."""

    async def love(avatar: Avatar, count: int) -> None:
        for number in range(count):
            await studio.avatars.toggle_favorite(avatar.id, Owner("discord", str(1000 + number)))

    return love


Posts = Callable[[int], Awaitable[list[Reply]]]


@pytest.fixture
def posts(
    discord: DiscordServer, admin: UserClient, news: Channel
) -> Callable[..., Awaitable[list[Reply]]]:
    """`await posts(2)` waits for two messages in the channel of news."""

    async def posts(count: int) -> list[Reply]:
        shown = lambda: len(admin.messages(news)) == count  # noqa: E731
        found = [message.text for message in admin.messages(news)]
        await discord.wait_until(shown, f"not {count} posts, first {found}", within=20)
        return admin.messages(news)

    return posts
