"""Servers that the bot was removed from."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot_process import TIMEOUT
from discord_server import DiscordServer
from discord_server.model import Guild

from bot.studio import Studio
from db.store import Store

from ..conftest import Run

TOMORROW = datetime.now(UTC) + timedelta(days=1)


async def test_removals_are_recorded_also_while_the_bot_is_away(
    run: Run, discord: DiscordServer, studio: Studio, store: Store
) -> None:
    first, second = discord.guild("First"), discord.guild("Second")

    async def until_left(*guilds: Guild) -> None:
        expected = sorted(str(guild.id) for guild in guilds)
        async with asyncio.timeout(TIMEOUT):
            while await store.presence.left_before(TOMORROW) != expected:  # noqa: ASYNC110
                await asyncio.sleep(0)  # the database has no event for it

    async with run(studio):
        await discord.dispatch("GUILD_DELETE", {"id": str(first.id)}, first)
        unavailable = {"id": str(second.id), "unavailable": True}
        await discord.dispatch("GUILD_DELETE", unavailable, second)
        await until_left(first)
    for guild in (first, second):
        discord.guilds.remove(guild)
    async with run(studio):
        await until_left(first, second)
    discord.guilds.append(first)
    async with run(studio):
        await until_left(second)
