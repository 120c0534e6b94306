"""`/morph`: a seamless animation between pictures."""

from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.discord.animations import Gif, morph_command
from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.picker import complete_id

PICTURES = ("a", "b", "c", "d", "e")


class MorphCog(commands.Cog):
    components = (Gif,)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(
        name=locale_str("morph"),
        description=locale_str("A seamless animation that turns one face into another, and back"),
    )
    @app_commands.describe(
        a=locale_str("The first picture: choose it, or type its id"),
        b=locale_str("The second picture"),
        c=locale_str("A third picture"),
        d=locale_str("A fourth picture"),
        e=locale_str("A fifth picture"),
    )
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
