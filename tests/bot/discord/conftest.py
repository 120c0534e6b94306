"""Fixtures for tests of the bot against the fake Discord server."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from bot_process import TIMEOUT, BotProcess, bot_process
from discord_server import DiscordServer, Reply, UserClient
from paused_engine import PausedEngine

from bot.discord import delivery
from bot.discord.client import ServingBot, run_discord
from bot.inference.engine import Engine
from bot.settings import DiscordSettings
from bot.studio import Studio

Run = Callable[..., AbstractAsyncContextManager[asyncio.Task[None]]]


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    """The fake Discord server; the test fails if the bot has violated Discord's rules."""
    async with DiscordServer() as server:
        yield server
        assert server.violations == []


@pytest.fixture
def run(discord: DiscordServer) -> Run:
    """`async with run(studio) as task: ...` runs the bot from login to shutdown in a task."""

    @contextlib.asynccontextmanager
    async def running(studio: Studio, **settings: Any) -> AsyncIterator[asyncio.Task[None]]:
        connection = DiscordSettings(
            api_url=discord.api_url, gateway_url=discord.gateway_url, **settings
        )
        task = asyncio.create_task(run_discord(studio, connection, discord.token))
        connected = asyncio.create_task(discord.wait_connected())
        try:
            await asyncio.wait([task, connected], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
            await connected
            yield task
        finally:
            connected.cancel()
            if not task.cancelling():  # by the test itself
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await discord.wait_disconnected()

    return running


@pytest.fixture(autouse=True)
def unlimited_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies are sent when complete, without "Painting…" before, even on a slow machine."""
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", TIMEOUT)


@pytest.fixture(autouse=True)
def ready_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated Discord sends its few guilds at once."""
    monkeypatch.setattr("bot.discord.bot.READY_SECONDS", 0.1)


@pytest.fixture
def identify_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an invalid session, a client identifies without waiting five seconds."""

    async def wait(bot: ServingBot, shard: int | None, *, initial: bool) -> None:
        pass

    monkeypatch.setattr(ServingBot, "before_identify_hook", wait)


@pytest.fixture
async def bot(run: Run, studio: Studio) -> AsyncIterator[None]:
    async with run(studio):
        yield


StartProcess = Callable[..., AbstractAsyncContextManager[BotProcess]]


@pytest.fixture
def process(discord: DiscordServer, tmp_path: Path) -> StartProcess:
    """`async with process(): ...` runs a connected bot process, stopped by SIGKILL.

    Its database and models are in `tmp_path`.
    """

    @contextlib.asynccontextmanager
    async def running(*arguments: str, commit_seconds: float = 0) -> AsyncIterator[BotProcess]:
        try:
            async with bot_process(
                discord, tmp_path, *arguments, commit_seconds=commit_seconds
            ) as bot:
                yield bot
        finally:
            sys.stderr.write((tmp_path / "bot.log").read_text("utf-8")[-5000:])  # shown on failure

    return running


def slowness() -> float:
    """Wall time per CPU time of this process: 1 on an idle machine."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.process_time() - cpu < 0.5:
        sum(range(1000))
    return max(1.0, (time.perf_counter() - wall) / 0.5)


@pytest.fixture
def mika(discord: DiscordServer) -> UserClient:
    return discord.member("Mika")


@pytest.fixture
def ren(discord: DiscordServer) -> UserClient:
    return discord.member("Ren")


def avatar_id(reply: Reply) -> str:
    """The id of the avatar that the buttons of the message act on."""
    return str(reply.buttons[0].custom_id).rpartition(":")[2]


@pytest.fixture
def paused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[PausedEngine]:
    """Nothing is painted until the engine is resumed."""
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(delivery, "EDIT_SECONDS", 0.05)
    paused = PausedEngine(engine, monkeypatch)
    yield paused
    paused.resume()
