"""`/privacy`: says what is stored about a member, exports it or deletes it."""

import io
import re
from typing import Self

import discord
from discord import ButtonStyle, app_commands, ui
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.command_texts import description
from bot.discord.components import Button, Component
from bot.discord.context import language_of, owner_of
from bot.discord.replies import defer_answer, defer_update, respond, retry_once
from bot.i18n.messages import say


class Export(
    Component[Button],
    template=r"irodori:export:(?P<part>[0-9]{1,9})(?:\.(?P<after>[a-z0-9]{1,8}))?",
):
    """Sends the member's data as a zip, or one part of it if it is too large for one file. `after`
    is the id of the last avatar of the part before; buttons of earlier versions do not have it.
    """

    def __init__(self, part: int, after: str | None = None, label: str = "…") -> None:
        suffix = str(part) if after is None else f"{part}.{after}"
        super().__init__(Button(label=label, emoji="📦", custom_id=f"irodori:export:{suffix}"))
        self.part, self.after = part, after

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(int(match["part"]), match["after"])

    async def on_use(self, interaction: Interaction) -> None:
        await defer_answer(interaction, private=True)
        studio = interaction.client.studio
        language = await language_of(interaction)
        export = await studio.exports.export(
            owner_of(interaction),
            part=self.part,
            after=self.after,
            limit_bytes=interaction.filesize_limit,
        )
        facts = {"part": export.part, "parts": export.parts}
        if export.parts == 1:
            text, name = say("privacy-export-all", language), "irodori.zip"
        else:
            text = say("privacy-export-part", language, **facts)
            name = f"irodori-{export.part}-of-{export.parts}.zip"
        view = None
        if export.last is not None:
            view = ui.View(timeout=None)
            part = export.part + 1
            label = say("privacy-export-next", language, part=part)
            view.add_item(Export(part, export.last, label))

        async def send() -> None:
            file = discord.File(io.BytesIO(export.data), filename=name)
            await interaction.edit_original_response(content=text, attachments=[file], view=view)

        await retry_once(send)


class Forget(Component[Button], template="irodori:forget:(?P<step>ask|yes|no)"):
    """Deletes the member's data, after a confirmation."""

    def __init__(self, step: str, label: str = "…") -> None:
        style = ButtonStyle.secondary if step == "no" else ButtonStyle.danger
        super().__init__(Button(style=style, label=label, custom_id=f"irodori:forget:{step}"))
        self.step = step

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["step"])

    async def on_use(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        language = await language_of(interaction)
        view = ui.LayoutView(timeout=None)
        if self.step == "ask":
            view.add_item(ui.TextDisplay(f"⚠️ {say('privacy-sure', language)}"))
            yes = Forget("yes", say("privacy-yes", language))
            view.add_item(ui.ActionRow(yes, Forget("no", say("privacy-no", language))))
        elif self.step == "no":
            view.add_item(ui.TextDisplay(say("privacy-not-deleted", language)))
        else:
            studio = interaction.client.studio
            count = await studio.members.delete_everything(owner_of(interaction))
            interaction.client.dispatch("community_change")
            view.add_item(ui.TextDisplay(say("privacy-forgotten", language, count=count)))
        await retry_once(lambda: interaction.edit_original_response(view=view))


class PrivacyPanel(ui.LayoutView):
    def __init__(self, language: str) -> None:
        super().__init__(timeout=None)
        paragraphs = [say(f"privacy-{what}", language) for what in ("what", "who", "how")]
        text = "\n\n".join([f"### 🔏 {say('privacy-title', language)}", *paragraphs])
        self.add_item(ui.TextDisplay(text))
        export = Export(1, label=say("privacy-export", language))
        self.add_item(ui.ActionRow(export, Forget("ask", say("privacy-forget", language))))


class PrivacyCog(commands.Cog):
    components = (Export, Forget)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(name="privacy", description=description("privacy"))
    async def privacy(self, interaction: Interaction) -> None:
        view = PrivacyPanel(await language_of(interaction))
        await respond(lambda: interaction.response.send_message(view=view, ephemeral=True))
