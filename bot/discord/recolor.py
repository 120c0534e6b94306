"""The panel to choose other colors for the same face."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Self
from urllib.parse import parse_qsl, urlencode

from discord import ButtonStyle, SelectOption, ui

from bot.discord.bot import Interaction
from bot.discord.components import (
    ID,
    MAX_OPTIONS,
    PRIVATE,
    Button,
    Component,
    Select,
    choose,
    components_of,
    is_reply_private,
)
from bot.discord.context import language_of, owner_of
from bot.discord.family import child_command
from bot.discord.permissions import require_admission
from bot.discord.replies import respond
from bot.discord.text import LABEL, swatch
from bot.errors import BadPrompt, NotFound
from bot.i18n.messages import describe, say, shorten
from db.records import Avatar
from db.tasks import RecolorTask
from export.manifest import Attribute

COLOR_ID = "irodori:colour:"
MAX_SELECTS = 18  # of one panel; each counts as 2 of a message's 40 components


async def open_panel(interaction: Interaction, avatar_id: str) -> None:
    """Raises NotFound, Blocked, WrongChannel."""
    studio = interaction.client.studio
    await require_admission(interaction)
    avatar = await studio.avatars.get(avatar_id, owner_of(interaction))
    language = await language_of(interaction)
    rows = color_options(avatar, studio.attributes, language)
    if not rows:
        raise NotFound("card-no-values")
    private = await is_reply_private(interaction, avatar)
    panel = ColorPanel(rows, Paint(avatar.id, private, language))
    await respond(lambda: interaction.response.send_message(view=panel, ephemeral=True))


def color_options(
    avatar: Avatar, attributes: Sequence[Attribute], language: str = "en"
) -> list[list[SelectOption]]:
    """One select for each attribute, prefilled with the avatar's values.

    An attribute with more values than a select holds offers its most frequent ones.
    """
    rows = []
    for attribute in attributes:
        present = avatar.conditions.get(attribute.name)
        if present is None:
            continue
        frequency = dict(zip(attribute.values, attribute.frequencies, strict=True))
        offered = sorted(frequency, key=lambda v: (v != present, -frequency[v]))[:MAX_OPTIONS]
        values = [v for v in attribute.values if v in offered]
        if present not in frequency:
            values = [present, *values][:MAX_OPTIONS]
        options = [
            SelectOption(
                label=shorten(describe({attribute.name: value}, language), LABEL),
                value=urlencode({attribute.name: value}),
                emoji=swatch(value),
                default=value == present,
            )
            for value in values
        ]
        if all(len(option.value) <= LABEL for option in options):
            rows.append(options)
    return rows[:MAX_SELECTS]


class ColorSelect(Component[Select], template=COLOR_ID + "(?P<index>[0-9]+)"):
    """One attribute of the panel. An option's value is a query string, `hair=pink`."""

    def __init__(self, index: int, options: Sequence[SelectOption]) -> None:
        super().__init__(Select(custom_id=f"{COLOR_ID}{index}", options=list(options)))

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(int(match["index"]), item.options)

    async def on_use(self, interaction: Interaction) -> None:
        # Discord does not send the state of the other selects, so the message stores it.
        chosen = self.item.values[0]
        rows, button = [], None
        for component in components_of(interaction):
            custom_id = component.custom_id
            if custom_id == self.custom_id:
                rows.append([choose(option, chosen) for option in component.options])
            elif custom_id.startswith(COLOR_ID):
                rows.append(component.options)
            elif (match := Paint.pattern().fullmatch(custom_id)) is not None:
                language = await language_of(interaction)
                button = Paint(match["id"], match["private"] == "1", language)
        assert button is not None, "a color panel has its paint button"
        panel = ColorPanel(rows, button)
        await respond(lambda: interaction.response.edit_message(view=panel))


class Paint(Component[Button], template=f"irodori:paint:{ID}:{PRIVATE}"):
    """Paints the face with the colors that the panel shows."""

    def __init__(self, avatar_id: str, reply_private: bool, language: str = "en") -> None:
        super().__init__(
            Button(
                style=ButtonStyle.primary,
                label=say("recolor-paint", language),
                emoji="🎨",
                custom_id=f"irodori:paint:{avatar_id}:{int(reply_private)}",
            )
        )
        self.avatar_id = avatar_id
        self.reply_private = reply_private
        self.language = language

    @classmethod
    def pattern(cls) -> re.Pattern[str]:
        return cls.__discord_ui_compiled_template__

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["id"], match["private"] == "1")

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        avatar = await studio.avatars.get(self.avatar_id, owner_of(interaction))
        shown = [
            parse_qsl(option.value)[0]
            for component in components_of(interaction)
            if component.custom_id.startswith(COLOR_ID)
            for option in component.options
            if option.default
        ]
        changes = {name: value for name, value in shown if avatar.conditions.get(name) != value}
        if not changes:
            raise BadPrompt("recolor-same")
        # The panel is always private, so it does not decide.
        task = partial(RecolorTask, wish=changes)
        command = await child_command(interaction, avatar, task, self.reply_private)
        await interaction.client.paint(interaction, command)


class ColorPanel(ui.LayoutView):
    def __init__(self, rows: Sequence[Sequence[SelectOption]], button: Paint) -> None:
        super().__init__(timeout=None)
        self.add_item(ui.TextDisplay(say("recolor-title", button.language)))
        for index, options in enumerate(rows):
            self.add_item(ui.ActionRow(ColorSelect(index, options)))
        self.add_item(ui.ActionRow(button))


COMPONENTS = (ColorSelect, Paint)
