"""`/guess`: whose child is this? Only in servers that have turned it on."""

from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot, PaintCommand
from bot.discord.command_texts import description
from bot.discord.guessing import Guess
from bot.errors import NotAllowed
from db.tasks import GuessTask


class GuessCog(commands.Cog):
    components = (Guess,)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(name="guess", description=description("guess"))
    @app_commands.guild_only()
    async def guess(self, interaction: Interaction) -> None:
        guild = str(interaction.guild_id)
        if not (await interaction.client.studio.community.settings(guild)).guess:
            raise NotAllowed("guess-off")
        await interaction.client.paint(interaction, PaintCommand(GuessTask()))
