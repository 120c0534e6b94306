"""The message that shows avatars, and its buttons.

A message with several pictures has a select; the buttons act on
the picture chosen there, which is marked as the select's default.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import discord
from discord import ButtonStyle, SelectOption, ui

from bot.discord.bot import Interaction, PaintCommand
from bot.discord.components import (
    ID,
    MAX_OPTIONS,
    PRIVATE,
    Button,
    Component,
    Select,
    choose,
    components_of,
    is_made_private,
    is_reply_private,
    language_shown,
    requester_shown,
)
from bot.discord.deferred_reply import DeferredReply
from bot.discord.family import Sibling, child_command, mix_command
from bot.discord.info import info_of
from bot.discord.picker import pictures_of
from bot.discord.recolor import open_panel
from bot.discord.replies import (
    defer_answer,
    defer_update,
    delete_message,
    is_moderator,
    is_owner,
    is_requester,
    language_of,
    owner_of,
    require_admission,
    respond,
    retry_once,
    settings_of,
)
from bot.discord.text import caption, file_of, option_of, shorten, title
from bot.errors import NotFound
from bot.i18n.messages import describe, say
from bot.prompts.vocabulary import vocabulary
from bot.studio import Studio
from db.records import Avatar, Owner
from db.tasks import AgainTask, CreateTask, MixTask, PortraitTask, VariationsTask

SHOW = "irodori:show"
MAX_LABEL = 80  # characters of a button
MAX_MISSING = 500


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
    """Paints the nearest wish that the model in use knows."""

    def __init__(self, avatar_id: str, reply_private: bool, label: str | None = None) -> None:
        custom_id = f"irodori:nearest:{avatar_id}:{int(reply_private)}"
        super().__init__(Button(label=label, emoji="🎲", custom_id=custom_id))
        self.avatar_id = avatar_id
        self.reply_private = reply_private

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["id"], match["alone"] == "1")

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
        label, custom_id = say("card-recolour", language), f"irodori:recolour:{avatar_id}"
        super().__init__(avatar_id, Button(label=label, emoji="🎨", custom_id=custom_id))

    async def on_use(self, interaction: Interaction) -> None:
        await open_panel(interaction, self.avatar_id)


class Variations(AvatarButton, template=f"irodori:variations:{ID}"):
    """Paints faces near this one, in the same colours."""

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

    def __init__(self, avatar_id: str, favourites: int = 0) -> None:
        button = Button(
            label=str(favourites) if favourites else None,
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
        # The other buttons stay as they are, in the language of the requester.
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
        return cls(match["id"], match["alone"] == "1", item.options)

    async def on_use(self, interaction: Interaction) -> None:
        command = await mix_command(interaction, self.avatar_id, self.item.values[0])
        assert isinstance(command.task, MixTask)
        # not whether the clicked message is private: the list always is
        private = self.reply_private or command.task.private
        command = replace(command, private=private, names_requester=not private)
        await interaction.client.paint(interaction, command)


class Info(AvatarButton, template=f"irodori:info:{ID}"):
    """Shows all facts of a picture, to the member who clicked."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-info", language), f"irodori:info:{avatar_id}"
        super().__init__(avatar_id, Button(label=label, emoji="ℹ️", custom_id=custom_id))

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        me = owner_of(interaction)
        await require_admission(interaction)
        avatar = await studio.avatars.get(self.avatar_id, me)
        text = await info_of(studio, avatar, me, await language_of(interaction))
        await respond(lambda: interaction.response.send_message(text, ephemeral=True))


class Delete(AvatarButton, template=f"irodori:delete:{ID}"):
    """Deletes the avatar, and its message or its part of the message."""

    def __init__(self, avatar_id: str) -> None:
        button = Button(
            style=ButtonStyle.danger, emoji="🗑️", custom_id=f"irodori:delete:{avatar_id}"
        )
        super().__init__(avatar_id, button)

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        me = owner_of(interaction)
        await defer_update(interaction)
        try:
            moderator = is_moderator(interaction, await studio.avatars.get(self.avatar_id, me))
            await studio.avatars.delete(self.avatar_id, me, moderator=moderator)
        except NotFound:
            # Deleted elsewhere, or here by a click whose edit of the message failed.
            if not is_requester(interaction):
                raise
        left = []
        for option in _listed(interaction):
            try:
                left.append(await studio.avatars.get(option.value, me))
            except NotFound:
                continue
        if left:
            await _remove_deleted(interaction, left)
        else:
            await delete_message(interaction)


class Show(Component[Select], template=SHOW):
    """Chooses which of a message's pictures its buttons act on.

    Only members who may delete the pictures change the message; everybody else gets the picture in
    a reply with its own buttons, so that no click hits a picture that another member just chose.
    """

    def __init__(self, options: Sequence[SelectOption]) -> None:
        super().__init__(Select(custom_id=SHOW, options=list(options)), row=0)

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(item.options)

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        chosen = self.item.values[0]
        avatar = await studio.avatars.get(chosen, owner_of(interaction))
        if not is_owner(interaction, avatar) and not is_moderator(interaction, avatar):
            await open_card(interaction, chosen)
            return
        await defer_update(interaction)
        await require_admission(interaction)
        language = await language_shown(interaction)
        requester = requester_shown(interaction)
        options = self.item.options
        number = [option.value for option in options].index(chosen) + 1
        text = caption(avatar, language, number=number, count=len(options), requested_by=requester)
        view = AnswerView(avatar, language, options)
        await retry_once(lambda: interaction.edit_original_response(content=text, view=view))


class AnswerView(ui.View):
    """The buttons of `avatar`; `options` are the message's pictures where it has several."""

    def __init__(
        self, avatar: Avatar, language: str = "en", options: Sequence[SelectOption] = ()
    ) -> None:
        super().__init__(timeout=None)
        if len(options) > 1:
            self.add_item(Show([choose(option, avatar.id) for option in options]))
        self.add_item(Again(avatar.id, language))
        if avatar.conditions:
            self.add_item(Recolor(avatar.id, language))
        self.add_item(Variations(avatar.id, language))
        self.add_item(Favorite(avatar.id, avatar.favourites))
        self.add_item(MixWith(avatar.id, language))
        if len(avatar.parents) == 2:
            self.add_item(Sibling(avatar.id, language))
        self.add_item(Info(avatar.id, language))
        self.add_item(Delete(avatar.id))


async def show_avatars(reply: DeferredReply, avatars: Sequence[Avatar]) -> None:
    """Fills in a reply with pictures and their buttons."""
    pending = reply.pending
    await reply.edit(
        **await _card(
            reply.client.studio,
            avatars,
            pending.owner,
            pending.language,
            requested_by=pending.owner.key if pending.names_requester else None,
            portrait_of=pending.task.member if isinstance(pending.task, PortraitTask) else None,
        )
    )


async def open_card(interaction: Interaction, avatar_id: str, *, private: bool = True) -> None:
    """Shows one avatar with its buttons; a private one to its owner alone.

    Raises NotFound, Blocked, WrongPlace.
    """
    studio = interaction.client.studio
    await require_admission(interaction)
    me, language = owner_of(interaction), await language_of(interaction)
    avatar = await studio.avatars.get(avatar_id, me)
    await defer_answer(interaction, private=private or avatar.private)

    async def edit() -> None:
        await interaction.edit_original_response(**await _card(studio, [avatar], me, language))

    await retry_once(edit)


async def _card(
    studio: Studio,
    avatars: Sequence[Avatar],
    viewer: Owner,
    language: str,
    *,
    requested_by: str | None = None,
    portrait_of: str | None = None,
) -> dict[str, Any]:
    """The parts of the message, as `edit` takes them."""
    first = avatars[0]
    pictures = [await studio.avatars.picture(avatar.id, viewer) for avatar in avatars]
    options = [option_of(avatar, language, number=i) for i, avatar in enumerate(avatars, 1)]
    return {
        "content": caption(
            first, language, count=len(avatars), requested_by=requested_by, portrait_of=portrait_of
        ),
        "attachments": [
            file_of(avatar, picture, language)
            for avatar, picture in zip(avatars, pictures, strict=True)
        ],
        "view": AnswerView(first, language, options),
    }


COMPONENTS = (
    Again,
    Nearest,
    Recolor,
    Variations,
    Favorite,
    MixWith,
    Partner,
    Info,
    Delete,
    Show,
)


async def _remove_deleted(interaction: Interaction, left: Sequence[Avatar]) -> None:
    assert interaction.message is not None
    language = await language_shown(interaction)
    attachments = [
        attachment
        for attachment in interaction.message.attachments
        if any(avatar.id in attachment.filename for avatar in left)
    ]
    options = [option_of(avatar, language, number=i) for i, avatar in enumerate(left, 1)]
    text = caption(left[0], language, count=len(left), requested_by=requester_shown(interaction))
    view = AnswerView(left[0], language, options)
    await retry_once(
        lambda: interaction.edit_original_response(content=text, attachments=attachments, view=view)
    )


def _listed(interaction: Interaction) -> list[SelectOption]:
    """The options of the message's select of pictures; none on a message with one picture."""
    for component in components_of(interaction):
        if component.custom_id == SHOW:
            options: list[SelectOption] = component.options
            return options
    return []


def _escaped_title(avatar: Avatar, language: str) -> str:
    return discord.utils.escape_markdown(title(avatar, language))
