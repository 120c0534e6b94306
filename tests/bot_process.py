"""A process of `python -m bot` that serves the fake Discord server, and can be killed."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from discord_server import DiscordServer

ROOT = Path(__file__).parents[1]
TIMEOUT = 60  # seconds; on a machine that does other things, too

# Every commit takes `seconds`, as on a slow disk.
SLOW_DISK = """
import asyncio
from sqlalchemy import Engine, event
from sqlalchemy.util import await_only

@event.listens_for(Engine, "commit")
def wait(connection):
    await_only(asyncio.sleep({seconds}))
"""
# As `python -m bot`, after some code. The simulated Discord sends its few guilds at once.
RUN = """
import runpy
from bot.discord import bot
bot.READY_SECONDS = 0.1
runpy.run_module("bot", run_name="__main__", alter_sys=True)
"""


@dataclass
class BotProcess:
    """A process of the bot; `log` is its standard error."""

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


@contextlib.asynccontextmanager
async def bot_process(
    discord: DiscordServer,
    folder: Path,
    *arguments: str,
    commit_seconds: float = 0,
    start_seconds: float = TIMEOUT,
    setup: str = "",
    alone: bool = True,
) -> AsyncIterator[BotProcess]:
    """A connected process, stopped by SIGKILL. Its database, models and log are in `folder`. It
    runs the code `setup` first. One that is not `alone` has a shard among those of others.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DISCORD_TOKEN": discord.token,
        "IRODORI_DISCORD__API_URL": discord.api_url,
        "IRODORI_DISCORD__GATEWAY_URL": discord.gateway_url,
    }
    settings = [
        *("--db.url", f"sqlite+aiosqlite:///{folder}/irodori.db"),
        *("--models.dir", str(folder / "models")),
        *("--engine.provider", "cpu"),
        *("--web.enabled", "false"),
    ]
    if commit_seconds:
        setup += SLOW_DISK.format(seconds=commit_seconds)
    file = folder / "bot.log"
    with file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", setup + RUN, *settings, *arguments),
            cwd=folder,
            env=environment,
            stderr=log,
        )
    bot = BotProcess(process, file)
    try:
        await discord.wait_connected(within=start_seconds)
        yield bot
    finally:
        await bot.stop(signal.SIGKILL)
        if alone:
            await discord.wait_disconnected()
