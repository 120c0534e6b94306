"""`/link`: a one-time code that links a browser with the member, and removes the links."""

import re
from datetime import datetime
from typing import Self

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.command_texts import description
from bot.discord.components import Button, Component
from bot.discord.context import language_of, owner_of
from bot.discord.replies import defer_answer, defer_update, retry_once
from bot.i18n.messages import say


class Unlink(Component[Button], template="irodori:unlink"):
    """Removes the links of all of the member's browsers."""

    def __init__(self, label: str = "…") -> None:
        super().__init__(Button(label=label, emoji="✂️", custom_id="irodori:unlink"))

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls()

    async def on_use(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        count = await interaction.client.studio.links.unlink(owner_of(interaction))
        text = say("link-unlinked", await language_of(interaction), count=count)
        await retry_once(lambda: interaction.edit_original_response(content=text, view=None))


class LinkCog(commands.Cog):
    components = (Unlink,)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(name="link", description=description("link"))
    async def link(self, interaction: Interaction) -> None:
        await defer_answer(interaction, private=True)
        studio, member = interaction.client.studio, owner_of(interaction)
        language = await language_of(interaction)
        code, until = await studio.links.create_code(member)
        browsers = await studio.links.count_browsers(member)
        text = _instructions(code, until, browsers, studio.page_url, language)
        view = ui.View(timeout=None)
        if browsers:
            view.add_item(Unlink(say("link-unlink", language)))
        await retry_once(lambda: interaction.edit_original_response(content=text, view=view))


def _instructions(code: str, until: datetime, browsers: int, page_url: str, language: str) -> str:
    page = f"<{page_url}/mine>" if page_url else "`/mine`"
    lines = [
        f"## `{code}`",
        say("link-how", language, page=page, when=discord.utils.format_dt(until, "R")),
        f"-# {say('link-secret', language)}",
    ]
    if browsers:
        lines.append(say("link-browsers", language, count=browsers))
    return "\n".join(lines)
