"""The real client against the stand-in Discord."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from discord_server import DiscordServer, Person

from bot.discord.client import run_discord
from bot.settings import DiscordSettings
from bot.studio import Studio

Run = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    """A test that makes the bot do what Discord does not allow fails in the end."""
    async with DiscordServer() as server:
        yield server
        assert server.violations == []


@pytest.fixture
def run(discord: DiscordServer) -> Run:
    """`async with run(studio): ...` is a bot's life, from login to the end of its process."""

    @contextlib.asynccontextmanager
    async def running(studio: Studio, *, guild: int | None = None) -> AsyncIterator[None]:
        settings = DiscordSettings(
            api_url=discord.api_url, gateway_url=discord.gateway_url, guild=guild
        )
        task = asyncio.create_task(run_discord(studio, settings, discord.token))
        connected = asyncio.create_task(discord.wait_connected())
        try:
            await asyncio.wait([task, connected], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
            await connected
            yield
        finally:
            connected.cancel()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await discord.wait_disconnected()

    return running


@pytest.fixture
async def bot(run: Run, studio: Studio) -> AsyncIterator[None]:
    async with run(studio):
        yield


@pytest.fixture
def mika(discord: DiscordServer) -> Person:
    return discord.member("Mika")


@pytest.fixture
def ren(discord: DiscordServer) -> Person:
    return discord.member("Ren")
