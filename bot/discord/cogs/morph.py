"""`/morph`: a seamless animation between pictures."""

from discord import app_commands
from discord.ext import commands

from bot.discord.animations import Gif, morph_command
from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.command_texts import describe_options, description
from bot.discord.picker import complete_id

PICTURES = ("a", "b", "c", "d", "e")


class MorphCog(commands.Cog):
    components = (Gif,)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(name="morph", description=description("morph"))
    @describe_options("morph", *PICTURES)
    @app_commands.autocomplete(**dict.fromkeys(PICTURES, complete_id))
    async def morph(
        self,
        interaction: Interaction,
        a: str,
        b: str,
        c: str | None = None,
        d: str | None = None,
        e: str | None = None,
    ) -> None:
        ids = [id for id in (a, b, c, d, e) if id is not None]
        await interaction.client.paint(interaction, await morph_command(interaction, ids))
