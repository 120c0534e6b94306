"""Records which servers the bot is in, so that data of those that it has left can be deleted."""

import logging
from collections.abc import Awaitable
from datetime import UTC, datetime

import discord
from discord.ext import commands

from bot.discord.bot import IrodoriBot
from bot.studio import StoreUnavailable

log = logging.getLogger(__name__)


class GuildsCog(commands.Cog):
    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        guilds = [str(guild.id) for guild in self.bot.guilds]
        now = datetime.now(UTC)
        retention = self.bot.studio.retention
        await _record(retention.present_in(self._application, guilds, now, self.bot.serves))

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await _record(self.bot.studio.retention.joined(self._application, str(guild.id)))

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        now = datetime.now(UTC)
        await _record(self.bot.studio.retention.left(self._application, str(guild.id), now))

    @property
    def _application(self) -> str:
        return str(self.bot.application_id)


async def _record(change: Awaitable[None]) -> None:
    try:
        await change
    except StoreUnavailable as error:  # recorded when the bot connects again
        log.warning("the servers of the bot cannot be recorded: %s", error)
