"""Components that open one picture with its buttons: a select, and a form for an id."""

import re
from collections.abc import Sequence
from typing import Any, Self

from discord import SelectOption, ui

from bot.discord.bot import Interaction
from bot.discord.card import open_card
from bot.discord.components import Button, Component, Select
from bot.discord.context import language_of
from bot.discord.replies import respond
from bot.i18n.messages import say

ID_FORM = "irodori:jump"


class OpenSelect(Component[Select], template="irodori:open"):
    """Opens one of the listed pictures with its buttons, below the message."""

    def __init__(self, options: Sequence[SelectOption], placeholder: str = "") -> None:
        super().__init__(
            Select(custom_id="irodori:open", placeholder=placeholder, options=list(options))
        )

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(item.options)

    async def on_use(self, interaction: Interaction) -> None:
        await open_card(interaction, self.item.values[0])


class IdButton(Component[Button], template=ID_FORM):
    """Opens a form for a picture's id."""

    def __init__(self, language: str = "en") -> None:
        super().__init__(Button(label=say("gallery-jump", language), emoji="🔎", custom_id=ID_FORM))

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls()

    async def on_use(self, interaction: Interaction) -> None:
        form = IdForm(await language_of(interaction))
        await respond(lambda: interaction.response.send_modal(form))


class IdForm(ui.Modal):
    """Submissions are handled by `GalleryCog.on_interaction`, which also receives those of forms
    that were opened before a restart.
    """

    def __init__(self, language: str) -> None:
        super().__init__(title=say("gallery-jump-title", language), custom_id=ID_FORM, timeout=None)
        hint = say("gallery-jump-hint", language)
        text = ui.TextInput[Any](custom_id="id", placeholder=hint, max_length=200)
        self.add_item(ui.Label(text=say("gallery-jump-label", language), component=text))


def id_in_form(interaction: Interaction) -> str:
    """The id that was typed into the form."""
    data: Any = interaction.data
    return str(data["components"][0]["component"]["value"])
