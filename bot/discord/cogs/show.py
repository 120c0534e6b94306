"""`/show`: one picture with all its buttons."""

from typing import Any

from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import open_card
from bot.discord.picker import complete_id
from bot.discord.replies import Interaction


class ShowCog(commands.Cog):
    def __init__(self, bot: Any) -> None:
        self.bot = bot

    @app_commands.command(description="Show one picture with all its buttons")
    @app_commands.describe(id="Choose one of yours or your favourites, or type any picture's id")
    @app_commands.autocomplete(id=complete_id)
    async def show(self, interaction: Interaction, id: str) -> None:
        await open_card(interaction, id, alone=False)
