"""The panel where other colours for the same face are chosen."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from discord import ButtonStyle, SelectOption, ui

from bot.discord.components import ALONE, ID, MAX_OPTIONS, answers_alone, choose, components_of
from bot.discord.family import child_order
from bot.discord.orders import paint
from bot.discord.replies import (
    Interaction,
    guarded,
    language_of,
    owner_of,
    require_admission,
    respond,
)
from bot.discord.text import LABEL, shorten, swatch
from bot.errors import BadPrompt, NotFound
from bot.i18n.messages import describe, say
from bot.studio import Studio
from db.store import Avatar
from export.manifest import Attribute

COLOUR = "irodori:colour:"
MAX_COLOURS = 18  # selects of one panel: each takes 2 of a message's 40 components


async def open_panel(interaction: Interaction, avatar_id: str) -> None:
    """Raises NotFound, Blocked, WrongPlace."""
    studio: Studio = interaction.client.studio
    await require_admission(interaction)
    avatar = await studio.get(avatar_id, owner_of(interaction))
    language = await language_of(interaction)
    rows = colour_rows(avatar, studio.attributes, language)
    if not rows:
        raise NotFound("card-no-colours")
    alone = await answers_alone(interaction, avatar)
    panel = ColourPanel(rows, Paint(avatar.id, alone, language))
    await respond(lambda: interaction.response.send_message(view=panel, ephemeral=True))


def colour_rows(
    avatar: Avatar, attributes: Sequence[Attribute], language: str = "en"
) -> list[list[SelectOption]]:
    """One select for each attribute, prefilled with the avatar's values.

    Of an attribute with more values than a select holds, the most frequent ones are offered.
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
    return rows[:MAX_COLOURS]


class Colour(ui.DynamicItem[ui.Select[Any]], template=COLOUR + "(?P<place>[0-9]+)"):
    """One attribute of the panel. An option's value is a query string, `hair=pink`."""

    def __init__(self, place: int, options: Sequence[SelectOption]) -> None:
        super().__init__(ui.Select[Any](custom_id=f"{COLOUR}{place}", options=list(options)))

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Colour":
        return cls(int(match["place"]), item.options)  # type: ignore[attr-defined]

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        # Discord does not send along what the other selects show; so the message remembers it.
        chosen = self.item.values[0]
        rows, button = [], None
        for component in components_of(interaction):
            custom_id = component.custom_id
            if custom_id == self.custom_id:
                rows.append([choose(option, chosen) for option in component.options])
            elif custom_id.startswith(COLOUR):
                rows.append(component.options)
            elif (match := Paint.pattern().fullmatch(custom_id)) is not None:
                language = await language_of(interaction)
                button = Paint(match["id"], match["alone"] == "1", language)
        assert button is not None, "a colour panel has its paint button"
        panel = ColourPanel(rows, button)
        await respond(lambda: interaction.response.edit_message(view=panel))


class Paint(ui.DynamicItem[ui.Button[Any]], template=f"irodori:paint:{ID}:{ALONE}"):
    """Paints the face with the colours that the panel shows."""

    def __init__(self, avatar_id: str, alone: bool, language: str = "en") -> None:
        super().__init__(
            ui.Button[Any](
                style=ButtonStyle.primary,
                label=say("recolour-paint", language),
                emoji="🎨",
                custom_id=f"irodori:paint:{avatar_id}:{int(alone)}",
            )
        )
        self.avatar_id = avatar_id
        self.alone = alone
        self.language = language

    @classmethod
    def pattern(cls) -> re.Pattern[str]:
        return cls.__discord_ui_compiled_template__

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Paint":
        return cls(match["id"], match["alone"] == "1")

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        avatar = await studio.get(self.avatar_id, owner_of(interaction))
        shown = [
            parse_qsl(option.value)[0]
            for component in components_of(interaction)
            if component.custom_id.startswith(COLOUR)
            for option in component.options
            if option.default
        ]
        changes = {name: value for name, value in shown if avatar.conditions.get(name) != value}
        if not changes:
            raise BadPrompt("recolour-same")
        # not as the panel is, which is always seen alone
        order = await child_order(interaction, "recolour", avatar, self.alone, wish=changes)
        await paint(interaction, order)


class ColourPanel(ui.LayoutView):
    def __init__(self, rows: Sequence[Sequence[SelectOption]], button: Paint) -> None:
        super().__init__(timeout=None)
        self.add_item(ui.TextDisplay(say("recolour-title", button.language)))
        for place, options in enumerate(rows):
            self.add_item(ui.ActionRow(Colour(place, options)))
        self.add_item(ui.ActionRow(button))


COMPONENTS = (Colour, Paint)
