"""Fixtures for tests of the bot against the fake Discord server."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from discord_server import DiscordServer, Reply, UserClient

from bot.discord import delivery
from bot.discord.client import run_discord
from bot.settings import DiscordSettings
from bot.studio import Studio

ROOT = Path(__file__).parents[3]
TIMEOUT = 60  # seconds; on a machine that does other things, too

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


@pytest.fixture
async def bot(run: Run, studio: Studio) -> AsyncIterator[None]:
    async with run(studio):
        yield


@dataclass
class BotProcess:
    """A process of `python -m bot`; `log` is its standard error."""

    process: asyncio.subprocess.Process
    file: Path

    @property
    def log(self) -> str:
        return self.file.read_text("utf-8")

    async def stop(self, number: signal.Signals) -> int:
        """Sends a signal and returns the exit status."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), TIMEOUT)


StartProcess = Callable[..., AbstractAsyncContextManager[BotProcess]]


@pytest.fixture
def process(discord: DiscordServer, tmp_path: Path) -> StartProcess:
    """`async with process(): ...` runs a connected bot process, stopped by SIGKILL.

    Its database and models are in `tmp_path`.
    """

    @contextlib.asynccontextmanager
    async def running(*arguments: str) -> AsyncIterator[BotProcess]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DISCORD_TOKEN": discord.token,
            "IRODORI_DISCORD__API_URL": discord.api_url,
            "IRODORI_DISCORD__GATEWAY_URL": discord.gateway_url,
        }
        settings = [
            *("--db.url", f"sqlite+aiosqlite:///{tmp_path}/irodori.db"),
            *("--models.dir", str(tmp_path / "models")),
            *("--engine.provider", "cpu"),
            *("--web.enabled", "false"),
        ]
        file = tmp_path / "bot.log"
        with file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", *settings, *arguments),
                cwd=tmp_path,
                env=environment,
                stderr=log,
            )
        bot = BotProcess(process, file)
        try:
            await discord.wait_connected(within=TIMEOUT)
            yield bot
        finally:
            await bot.stop(signal.SIGKILL)
            sys.stderr.write(bot.log[-5000:])  # pytest shows it if the test fails
            await discord.wait_disconnected()

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
