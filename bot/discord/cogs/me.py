"""`/me`: a member's personal avatar, always the same face."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot, PaintCommand
from bot.discord.command_texts import describe_options, description
from bot.discord.context import settings_of
from db.tasks import PortraitTask

Member = discord.User | discord.Member


class MeCog(commands.Cog):
    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot
        self.menu = app_commands.ContextMenu(name="Avatar of this member", callback=self.of_member)
        bot.tree.add_command(self.menu)

    @app_commands.command(description=description("me"))
    @describe_options("me", "user")
    async def me(self, interaction: Interaction, user: discord.User | None = None) -> None:
        await _paint(interaction, user or interaction.user)

    async def of_member(self, interaction: Interaction, user: Member) -> None:
        await _paint(interaction, user)


async def _paint(interaction: Interaction, member: Member) -> None:
    settings = await settings_of(interaction)
    private = settings.private or False
    task = PortraitTask(member=str(member.id), size=settings.size, private=private)
    await interaction.client.paint(interaction, PaintCommand(task, private))
