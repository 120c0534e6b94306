"""Reports of pictures: the button and form of members, and the buttons of moderators."""

import re
from typing import Any, Self

import discord
from discord import ButtonStyle, ui

from bot.discord.bot import Interaction
from bot.discord.components import ID, Button, Component
from bot.discord.context import language_of, owner_of
from bot.discord.permissions import is_moderator, require_operator
from bot.discord.replies import defer_update, respond, retry_once
from bot.i18n.messages import say
from bot.studio.reports import MAX_REASON

FORM = re.compile(f"irodori:report-form:{ID}")


class ReportButton(Component[Button], template=f"irodori:report:{ID}"):
    """Opens a form with which the member reports a picture."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("report-button", language), f"irodori:report:{avatar_id}"
        super().__init__(Button(label=label, emoji="🚩", custom_id=custom_id))
        self.avatar_id = avatar_id

    async def on_use(self, interaction: Interaction) -> None:
        form = ReportForm(self.avatar_id, await language_of(interaction))
        await respond(lambda: interaction.response.send_modal(form))


class ReportForm(ui.Modal):
    """Submissions are handled by `ReportCog.on_interaction`."""

    def __init__(self, avatar_id: str, language: str) -> None:
        custom_id = f"irodori:report-form:{avatar_id}"
        super().__init__(title=say("report-title", language), custom_id=custom_id, timeout=None)
        text = ui.TextInput[Any](
            custom_id="reason",
            style=discord.TextStyle.paragraph,
            max_length=MAX_REASON,
            required=False,
        )
        self.add_item(ui.Label(text=say("report-label", language), component=text))


async def submit_report(interaction: Interaction, avatar_id: str) -> None:
    """Stores the report of a submitted form."""
    data: Any = interaction.data
    reason = str(data["components"][0]["component"]["value"] or "")
    await interaction.client.studio.reports.report(avatar_id, owner_of(interaction), reason)
    text = say("report-done", await language_of(interaction))
    await respond(lambda: interaction.response.send_message(text, ephemeral=True))


class Decision(Component[Button], template=f"irodori:reported:(?P<what>hide|dismiss):{ID}"):
    """Hides a reported picture, or dismisses its reports, as an operator or as a moderator of the
    server where it was painted.
    """

    def __init__(self, what: str, avatar_id: str, language: str = "en") -> None:
        style = ButtonStyle.danger if what == "hide" else ButtonStyle.secondary
        custom_id = f"irodori:reported:{what}:{avatar_id}"
        label = say("report-hide" if what == "hide" else "report-dismiss", language)
        super().__init__(Button(style=style, label=label, custom_id=custom_id))
        self.what, self.avatar_id = what, avatar_id

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["what"], match["id"])

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        avatar = await studio.avatars.get(self.avatar_id, owner_of(interaction), moderator=True)
        if not is_moderator(interaction, avatar):
            await require_operator(interaction)
        await defer_update(interaction)
        if self.what == "hide":
            await studio.avatars.set_hidden(self.avatar_id, True)
        else:
            await studio.reports.dismiss(self.avatar_id)
        key = "report-hidden" if self.what == "hide" else "report-dismissed"
        text = say(key, await language_of(interaction), id=self.avatar_id)
        await retry_once(
            lambda: interaction.edit_original_response(content=text, attachments=[], view=None)
        )


def decision_buttons(avatar_id: str, language: str) -> ui.View:
    view = ui.View(timeout=None)
    for what in ("hide", "dismiss"):
        view.add_item(Decision(what, avatar_id, language))
    return view
