"""`/avatar`: paints pictures of a wish."""

from collections.abc import Sequence
from typing import Any, Literal

from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot, PaintCommand
from bot.discord.context import settings_of
from bot.discord.options import CommandOption, wish_command
from bot.studio.painting import MAX_COUNT
from db.tasks import SEEDS, CreateTask

OPTIONS = ("count", "seed", "size", "private")  # besides the attributes


class AvatarCog(commands.Cog):
    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    def wish_commands(self) -> Sequence[app_commands.Command[Any, ..., None]]:
        async def run(
            interaction: Interaction,
            wish: dict[str, str],
            prompt: str | None,
            *,
            count: int,
            seed: int | None,
            size: int | None,
            private: bool | None,
        ) -> None:
            settings = await settings_of(interaction)
            if private is None:
                private = settings.private or False
            task = CreateTask(
                wish=wish,
                count=count,
                seed=seed,
                size=size or settings.size,
                private=private,
                prompt=prompt,
            )
            await interaction.client.paint(interaction, PaintCommand(task, private))

        studio = self.bot.studio
        options = (
            CommandOption(app_commands.Range[int, 1, MAX_COUNT], 1),
            CommandOption(app_commands.Range[int, 0, SEEDS - 1], None),
            CommandOption(Literal[studio.sizes], None),
            CommandOption(bool, None),
        )
        fixed = dict(zip(OPTIONS, options, strict=True))
        return [wish_command(studio, "avatar", run, fixed)]
