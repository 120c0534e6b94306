"""`/find`: finds a face by choosing."""

from collections.abc import Sequence
from typing import Any

from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot, PaintCommand
from bot.discord.context import settings_of
from bot.discord.find_state import require_short
from bot.discord.finding import COMPONENTS
from bot.discord.options import CommandOption, wish_command
from db.tasks import FindTask


class FindCog(commands.Cog):
    components = COMPONENTS

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    def wish_commands(self) -> Sequence[app_commands.Command[Any, ..., None]]:
        async def run(
            interaction: Interaction, wish: dict[str, str], _: str | None, *, private: bool | None
        ) -> None:
            require_short(wish)  # before "thinking…" is shown
            if private is None:
                private = (await settings_of(interaction)).private or False
            await interaction.client.paint(interaction, PaintCommand(FindTask(wish=wish), private))

        options = {"private": CommandOption(bool, None)}
        return [wish_command(self.bot.studio, "find", run, options)]
