"""`/stats`: statistics of the bot, for operators."""

import time

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.command_texts import description
from bot.discord.context import language_of
from bot.discord.permissions import require_operator
from bot.discord.replies import defer_answer, fill_in
from bot.i18n.messages import describe, say

MAX_LOVED = 5  # conditions that are listed


class StatsCog(commands.Cog):
    def __init__(self, bot: IrodoriBot) -> None:
        self.studio = bot.studio
        self.started = time.monotonic()

    @app_commands.command(name="stats", description=description("stats"))
    @app_commands.default_permissions()
    async def stats(self, interaction: Interaction) -> None:
        await require_operator(interaction)
        await defer_answer(interaction, private=True)
        language = await language_of(interaction)
        stored, engine = await self.studio.statistics(), self.studio.engine_stats
        minutes = int(time.monotonic() - self.started) // 60
        lines = [
            say(
                "stats-stored",
                language,
                pictures=stored.pictures,
                private=stored.private,
                today=stored.today,
                members=stored.members,
                favorites=stored.favorites,
            ),
            say(
                "stats-engine",
                language,
                painted=engine.pictures,
                p50=round(1000 * engine.latency_p50),
                p99=round(1000 * engine.latency_p99),
                waiting=engine.waiting,
                refused=engine.refused,
                failed=engine.failed,
            ),
            say(
                "stats-life",
                language,
                model=discord.utils.escape_markdown(self.studio.model_name),
                guilds=len(interaction.client.guilds),
                days=minutes // 1440,
                hours=minutes // 60 % 24,
                minutes=minutes % 60,
            ),
        ]
        loved = [
            f"{discord.utils.escape_markdown(describe(pair, language))} ♥ {count}"
            for pair, count in stored.loved[:MAX_LOVED]
        ]
        if loved:
            lines.append(say("stats-loved", language, loved=" · ".join(loved)))
        await fill_in(interaction, "\n".join(lines))
