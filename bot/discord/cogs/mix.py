"""`/mix`: a child of two pictures."""

from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.command_texts import describe_options, description
from bot.discord.family import Sibling, mix_command
from bot.discord.picker import complete_id
from db.tasks import SEEDS


class MixCog(commands.Cog):
    components = (Sibling,)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(name="mix", description=description("mix"))
    @describe_options("mix", "a", "b", "seed", "private")
    @app_commands.autocomplete(a=complete_id, b=complete_id)
    async def mix(
        self,
        interaction: Interaction,
        a: str,
        b: str,
        seed: app_commands.Range[int, 0, SEEDS - 1] | None = None,
        private: bool | None = None,
    ) -> None:
        command = await mix_command(interaction, a, b, seed=seed, private=private)
        await interaction.client.paint(interaction, command)
