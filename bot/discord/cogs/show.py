"""`/show`: one picture with all its buttons."""

from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.card import open_card
from bot.discord.command_texts import describe_options, description
from bot.discord.picker import complete_id


class ShowCog(commands.Cog):
    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(description=description("show"))
    @describe_options("show", "id")
    @app_commands.autocomplete(id=complete_id)
    async def show(self, interaction: Interaction, id: str) -> None:
        await open_card(interaction, id, private=False)
