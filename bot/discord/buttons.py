"""The buttons below a picture that paint another one or show something about it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import discord
from discord import SelectOption, ui

from bot.discord import recolor, shape
from bot.discord.bot import Interaction, PaintCommand
from bot.discord.components import (
    ID,
    MAX_OPTIONS,
    PRIVATE,
    Button,
    Component,
    Select,
    is_made_private,
    is_reply_private,
)
from bot.discord.context import language_of, owner_of, settings_of
from bot.discord.family import child_command, mix_command
from bot.discord.info import info_of
from bot.discord.permissions import require_admission
from bot.discord.picker import pictures_of
from bot.discord.replies import defer_update, respond, retry_once
from bot.discord.reporting import ReportButton
from bot.discord.text import option_of, title
from bot.errors import NotFound
from bot.i18n.messages import describe, say, shorten
from bot.prompts.vocabulary import vocabulary
from db.records import Avatar
from db.tasks import AgainTask, CreateTask, MixTask, VariationsTask

MAX_LABEL = 80  # characters of a button
MAX_MISSING = 500  # characters of the list of unknown values


class AvatarButton(Component[Button], template=f"irodori:[a-z]+:{ID}"):
    def __init__(self, avatar_id: str, button: Button) -> None:
        super().__init__(button)
        self.avatar_id = avatar_id


class Again(AvatarButton, template=f"irodori:again:{ID}"):
    """Paints the same wish with another seed."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-again", language), f"irodori:again:{avatar_id}"
        super().__init__(avatar_id, Button(label=label, emoji="🎲", custom_id=custom_id))

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        avatar = await studio.avatars.get(self.avatar_id, owner_of(interaction))
        nearest = vocabulary(studio.attributes).nearest(avatar.wish)
        missing = {name: value for name, value in avatar.wish.items() if name not in nearest.exact}
        if missing:
            await _offer_nearest(interaction, avatar, missing, nearest.wish)
            return
        command = await child_command(interaction, avatar, AgainTask)
        await interaction.client.paint(interaction, command)


async def _offer_nearest(
    interaction: Interaction,
    avatar: Avatar,
    missing: dict[str, str],
    nearest: dict[str, str],
) -> None:
    language = await language_of(interaction)
    private = await is_reply_private(interaction, avatar)
    lost = discord.utils.escape_markdown(shorten(describe(missing, language), MAX_MISSING))
    text = say("nearest-title", language, missing=lost)
    offered = describe(nearest, language) or say("info-any", language)
    view = ui.View(timeout=None)
    view.add_item(Nearest(avatar.id, private, shorten(offered, MAX_LABEL)))
    await respond(lambda: interaction.response.send_message(text, view=view, ephemeral=True))


class Nearest(Component[Button], template=f"irodori:nearest:{ID}:{PRIVATE}"):
    """Paints the wish's nearest values that the model in use has."""

    def __init__(self, avatar_id: str, reply_private: bool, label: str | None = None) -> None:
        custom_id = f"irodori:nearest:{avatar_id}:{int(reply_private)}"
        super().__init__(Button(label=label, emoji="🎲", custom_id=custom_id))
        self.avatar_id = avatar_id
        self.reply_private = reply_private

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["id"], match["private"] == "1")

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        avatar = await studio.avatars.get(self.avatar_id, owner_of(interaction))
        private = await is_made_private(interaction, avatar)
        task = CreateTask(
            wish=vocabulary(studio.attributes).nearest(avatar.wish).wish,
            size=(await settings_of(interaction)).size,
            private=private,
        )
        reply_private = private or self.reply_private
        command = PaintCommand(task, reply_private, names_requester=not reply_private)
        await interaction.client.paint(interaction, command)


class Recolor(AvatarButton, template=f"irodori:recolour:{ID}"):
    """Opens the panel to choose other colors for the same face."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-recolor", language), f"irodori:recolour:{avatar_id}"
        super().__init__(avatar_id, Button(label=label, emoji="🎨", custom_id=custom_id))

    async def on_use(self, interaction: Interaction) -> None:
        await recolor.open_panel(interaction, self.avatar_id)


class Shape(AvatarButton, template=f"irodori:shape:{ID}"):
    """Opens the panel to move the face along the directions of its model."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-shape", language), f"irodori:shape:{avatar_id}"
        super().__init__(avatar_id, Button(label=label, emoji="🪄", custom_id=custom_id))

    async def on_use(self, interaction: Interaction) -> None:
        await shape.open_panel(interaction, self.avatar_id)


class Variations(AvatarButton, template=f"irodori:variations:{ID}"):
    """Paints similar faces with the same values."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-variations", language), f"irodori:variations:{avatar_id}"
        super().__init__(avatar_id, Button(label=label, emoji="✨", custom_id=custom_id))

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        avatar = await studio.avatars.get(self.avatar_id, owner_of(interaction))
        command = await child_command(interaction, avatar, VariationsTask)
        await interaction.client.paint(interaction, command)


class Favorite(AvatarButton, template=f"irodori:favourite:{ID}"):
    """Adds the avatar to the member's favorites, or removes it; shows the number of favorites."""

    def __init__(self, avatar_id: str, favorites: int = 0) -> None:
        button = Button(
            label=str(favorites) if favorites else None,
            emoji="♥️",
            custom_id=f"irodori:favourite:{avatar_id}",
        )
        super().__init__(avatar_id, button)

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        await defer_update(interaction)
        await require_admission(interaction)
        state = await studio.avatars.toggle_favorite(self.avatar_id, owner_of(interaction))
        assert interaction.message is not None
        # The other buttons keep the requester's language.
        view = ui.View.from_message(interaction.message, timeout=None)
        for item in view.children:
            if isinstance(item, ui.Button) and item.custom_id == self.custom_id:
                item.label = str(state.favorites) if state.favorites else None
        view.stop()  # clicks are dispatched to the DynamicItems
        await retry_once(lambda: interaction.edit_original_response(view=view))


class MixWith(AvatarButton, template=f"irodori:mix:{ID}"):
    """Opens the list of pictures to mix this one with."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-mix", language), f"irodori:mix:{avatar_id}"
        super().__init__(avatar_id, Button(label=label, emoji="🧬", custom_id=custom_id))

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        me, language = owner_of(interaction), await language_of(interaction)
        await require_admission(interaction)
        avatar = await studio.avatars.get(self.avatar_id, me)
        others = [other for other in await pictures_of(studio, me) if other.id != avatar.id]
        if not others:
            raise NotFound("with-none")
        options = [option_of(other, language) for other in others[:MAX_OPTIONS]]
        private = await is_reply_private(interaction, avatar)
        view = ui.View(timeout=None)
        view.add_item(Partner(avatar.id, private, options, say("with-choose", language)))
        text = say("with-title", language, title=f"**{_escaped_title(avatar, language)}**")
        await respond(lambda: interaction.response.send_message(text, view=view, ephemeral=True))


class Partner(Component[Select], template=f"irodori:with:{ID}:{PRIVATE}"):
    """Mixes a picture with the chosen one."""

    def __init__(
        self,
        avatar_id: str,
        reply_private: bool,
        options: Sequence[SelectOption],
        placeholder: str = "",
    ) -> None:
        super().__init__(
            Select(
                custom_id=f"irodori:with:{avatar_id}:{int(reply_private)}",
                placeholder=placeholder,
                options=list(options),
            )
        )
        self.avatar_id = avatar_id
        self.reply_private = reply_private

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(match["id"], match["private"] == "1", item.options)

    async def on_use(self, interaction: Interaction) -> None:
        command = await mix_command(interaction, self.avatar_id, self.item.values[0])
        assert isinstance(command.task, MixTask)
        # The clicked message is always private, so it does not decide.
        private = self.reply_private or command.task.private
        command = replace(command, private=private, names_requester=not private)
        await interaction.client.paint(interaction, command)


class Info(AvatarButton, template=f"irodori:info:{ID}"):
    """Shows everything about a picture to the member who clicked."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-info", language), f"irodori:info:{avatar_id}"
        super().__init__(avatar_id, Button(label=label, emoji="ℹ️", custom_id=custom_id))

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        me = owner_of(interaction)
        await require_admission(interaction)
        avatar = await studio.avatars.get(self.avatar_id, me)
        language = await language_of(interaction)
        text = await info_of(studio, avatar, me, language)
        view = discord.ui.View(timeout=None)
        if not avatar.private and not await studio.avatars.owns(me, avatar):
            view.add_item(ReportButton(avatar.id, language))
        await respond(lambda: interaction.response.send_message(text, view=view, ephemeral=True))


COMPONENTS = (
    Again,
    Nearest,
    Recolor,
    Shape,
    Variations,
    Favorite,
    MixWith,
    Partner,
    Info,
)


def _escaped_title(avatar: Avatar, language: str) -> str:
    return discord.utils.escape_markdown(title(avatar, language))
