"""`/show`: one picture with all its buttons, by its id or its file."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.card import open_card, open_file
from bot.discord.command_texts import describe_options, description
from bot.discord.picker import complete_id
from bot.errors import BadPrompt


class ShowCog(commands.Cog):
    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(description=description("show"))
    @describe_options("show", "id", "picture")
    @app_commands.autocomplete(id=complete_id)
    async def show(
        self,
        interaction: Interaction,
        id: str | None = None,
        picture: discord.Attachment | None = None,
    ) -> None:
        if picture is not None:
            await open_file(interaction, picture)
        elif id is not None:
            await open_card(interaction, id, private=False)
        else:
            raise BadPrompt("recipe-show-what")
