"""`/privacy`: what is kept of a member, to take along or to have forgotten."""

import io
import re
from typing import Any

import discord
from discord import ButtonStyle, app_commands, ui
from discord.app_commands import locale_str
from discord.ext import commands

from bot.discord.replies import (
    Interaction,
    defer_answer,
    defer_update,
    guarded,
    language_of,
    owner_of,
    respond,
    twice,
)
from bot.i18n.messages import say
from bot.studio import Studio


class Export(ui.DynamicItem[ui.Button[Any]], template="irodori:export:(?P<part>[0-9]+)"):
    """Sends everything of the member's as a zip; of what is too large for one, this part."""

    def __init__(self, part: int, label: str = "") -> None:
        super().__init__(
            ui.Button[Any](label=label, emoji="📦", custom_id=f"irodori:export:{part}")
        )
        self.part = part

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Export":
        return cls(int(match["part"]), "…")

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        await defer_answer(interaction, private=True)
        studio: Studio = interaction.client.studio
        language = await language_of(interaction)
        takeout = await studio.export(
            owner_of(interaction), part=self.part, limit_bytes=interaction.filesize_limit
        )
        facts = {"part": takeout.part, "parts": takeout.parts}
        if takeout.parts == 1:
            text, name = say("privacy-export-all", language), "irodori.zip"
        else:
            text = say("privacy-export-part", language, **facts)
            name = f"irodori-{takeout.part}-of-{takeout.parts}.zip"
        view = None
        if takeout.part < takeout.parts:
            view = ui.View(timeout=None)
            after = takeout.part + 1
            view.add_item(Export(after, say("privacy-export-next", language, part=after)))

        async def send() -> None:
            file = discord.File(io.BytesIO(takeout.data), filename=name)
            await interaction.edit_original_response(content=text, attachments=[file], view=view)

        await twice(send)


class Forget(ui.DynamicItem[ui.Button[Any]], template="irodori:forget:(?P<step>ask|yes|no)"):
    """Asks once, then forgets the member."""

    def __init__(self, step: str, label: str = "…") -> None:
        style = ButtonStyle.secondary if step == "no" else ButtonStyle.danger
        super().__init__(
            ui.Button[Any](style=style, label=label, custom_id=f"irodori:forget:{step}")
        )
        self.step = step

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Forget":
        return cls(match["step"])

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        language = await language_of(interaction)
        view = ui.LayoutView(timeout=None)
        if self.step == "ask":
            view.add_item(ui.TextDisplay(f"⚠️ {say('privacy-sure', language)}"))
            yes = Forget("yes", say("privacy-yes", language))
            view.add_item(ui.ActionRow(yes, Forget("no", say("privacy-no", language))))
        elif self.step == "no":
            view.add_item(ui.TextDisplay(say("privacy-kept", language)))
        else:
            studio: Studio = interaction.client.studio
            count = await studio.forget(owner_of(interaction))
            view.add_item(ui.TextDisplay(say("privacy-forgotten", language, count=count)))
        await twice(lambda: interaction.edit_original_response(view=view))


class PrivacyPanel(ui.LayoutView):
    def __init__(self, language: str) -> None:
        super().__init__(timeout=None)
        paragraphs = [say(f"privacy-{what}", language) for what in ("what", "who", "how")]
        text = "\n\n".join([f"### 🔏 {say('privacy-title', language)}", *paragraphs])
        self.add_item(ui.TextDisplay(text))
        export = Export(1, say("privacy-export", language))
        self.add_item(ui.ActionRow(export, Forget("ask", say("privacy-forget", language))))


class PrivacyCog(commands.Cog):
    components = (Export, Forget)

    def __init__(self, bot: Any) -> None:
        self.bot = bot

    @app_commands.command(
        name=locale_str("privacy"),
        description=locale_str("What I keep of you; take it with you, or have it forgotten"),
    )
    async def privacy(self, interaction: Interaction) -> None:
        view = PrivacyPanel(await language_of(interaction))
        await respond(lambda: interaction.response.send_message(view=view, ephemeral=True))
