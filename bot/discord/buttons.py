"""The message that shows avatars, and what can be done with them there.

Every component is a DynamicItem: its custom id and the message that it is on carry all it needs, so
it works after a restart as before. A message with several pictures has a select; the buttons act on
the picture chosen there, which is marked as the select's default.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import ButtonStyle, SelectOption, ui

from bot.discord.components import (
    ALONE,
    ID,
    MAX_OPTIONS,
    answers_alone,
    asker_shown,
    choose,
    components_of,
    is_made_private,
    language_shown,
)
from bot.discord.family import Sibling, child_order, mix_order
from bot.discord.info import info_of
from bot.discord.orders import Answer, Order, paint
from bot.discord.picker import pictures_of
from bot.discord.recolour import open_panel
from bot.discord.replies import (
    Interaction,
    defer_answer,
    defer_update,
    delete_message,
    guarded,
    is_addressee,
    is_moderator,
    is_owner,
    language_of,
    owner_of,
    require_admission,
    respond,
    settings_of,
    twice,
)
from bot.discord.text import caption, file_of, option_of, shorten, title
from bot.errors import NotFound
from bot.i18n.messages import describe, say
from bot.prompts.vocabulary import vocabulary
from bot.studio import Studio
from db.store import Avatar, Owner

SHOW = "irodori:show"
MAX_LABEL = 80  # characters of a button
MAX_MISSING = 500


class AvatarButton(ui.DynamicItem[ui.Button[Any]], template=f"irodori:[a-z]+:{ID}"):
    def __init__(self, avatar_id: str, button: ui.Button[Any]) -> None:
        super().__init__(button)
        self.avatar_id = avatar_id

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Any:
        return cls(match["id"])  # type: ignore[call-arg]  # the button is each child's own


class Again(AvatarButton, template=f"irodori:again:{ID}"):
    """Paints the same wish once more, with a fresh seed."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-again", language), f"irodori:again:{avatar_id}"
        super().__init__(avatar_id, ui.Button[Any](label=label, emoji="🎲", custom_id=custom_id))

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        avatar = await studio.get(self.avatar_id, owner_of(interaction))
        nearest = vocabulary(studio.attributes).nearest(avatar.wish)
        missing = {name: value for name, value in avatar.wish.items() if name not in nearest.exact}
        if missing:
            await _offer_nearest(interaction, avatar, missing, nearest.wish)
            return
        await paint(interaction, await child_order(interaction, "again", avatar))


async def _offer_nearest(
    interaction: Interaction,
    avatar: Avatar,
    missing: dict[str, str],
    nearest: dict[str, str],
) -> None:
    language, alone = await language_of(interaction), await answers_alone(interaction, avatar)
    lost = discord.utils.escape_markdown(shorten(describe(missing, language), MAX_MISSING))
    text = say("nearest-title", language, missing=lost)
    offered = describe(nearest, language) or say("info-any", language)
    view = ui.View(timeout=None)
    view.add_item(Nearest(avatar.id, alone, shorten(offered, MAX_LABEL)))
    await respond(lambda: interaction.response.send_message(text, view=view, ephemeral=True))


class Nearest(ui.DynamicItem[ui.Button[Any]], template=f"irodori:nearest:{ID}:{ALONE}"):
    """Paints the wish of a picture with what the model in use has nearest to it."""

    def __init__(self, avatar_id: str, alone: bool, label: str | None = None) -> None:
        custom_id = f"irodori:nearest:{avatar_id}:{int(alone)}"
        super().__init__(ui.Button[Any](label=label, emoji="🎲", custom_id=custom_id))
        self.avatar_id = avatar_id
        self.alone = alone

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Nearest":
        return cls(match["id"], match["alone"] == "1")

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        avatar = await studio.get(self.avatar_id, owner_of(interaction))
        private = await is_made_private(interaction, avatar)
        given = {
            "wish": vocabulary(studio.attributes).nearest(avatar.wish).wish,
            "size": (await settings_of(interaction)).size,
            "private": private,
        }
        alone = private or self.alone
        await paint(interaction, Order("create", given, alone, named=not alone))


class Recolour(AvatarButton, template=f"irodori:recolour:{ID}"):
    """Opens the panel where other colours for the same face are chosen."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-recolour", language), f"irodori:recolour:{avatar_id}"
        super().__init__(avatar_id, ui.Button[Any](label=label, emoji="🎨", custom_id=custom_id))

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        await open_panel(interaction, self.avatar_id)


class Variations(AvatarButton, template=f"irodori:variations:{ID}"):
    """Paints faces near this one, in the same colours."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-variations", language), f"irodori:variations:{avatar_id}"
        super().__init__(avatar_id, ui.Button[Any](label=label, emoji="✨", custom_id=custom_id))

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        avatar = await studio.get(self.avatar_id, owner_of(interaction))
        await paint(interaction, await child_order(interaction, "variations", avatar))


class Favourite(AvatarButton, template=f"irodori:favourite:{ID}"):
    """Makes the avatar a favourite of the member's, or no longer; shows of how many it is one."""

    def __init__(self, avatar_id: str, favourites: int = 0) -> None:
        button = ui.Button[Any](
            label=str(favourites) if favourites else None,
            emoji="♥️",
            custom_id=f"irodori:favourite:{avatar_id}",
        )
        super().__init__(avatar_id, button)

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        await defer_update(interaction)
        await require_admission(interaction)
        _, count = await studio.favourite(self.avatar_id, owner_of(interaction))
        assert interaction.message is not None
        # The other buttons stay as they are, in the language of the one who asked for the picture.
        view = ui.View.from_message(interaction.message, timeout=None)
        for item in view.children:
            if isinstance(item, ui.Button) and item.custom_id == self.custom_id:
                item.label = str(count) if count else None
        view.stop()  # it only shows; presses come to the DynamicItems
        await twice(lambda: interaction.edit_original_response(view=view))


class MixWith(AvatarButton, template=f"irodori:mix:{ID}"):
    """Opens the list of pictures that this one can be mixed with."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-mix", language), f"irodori:mix:{avatar_id}"
        super().__init__(avatar_id, ui.Button[Any](label=label, emoji="🧬", custom_id=custom_id))

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        me, language = owner_of(interaction), await language_of(interaction)
        await require_admission(interaction)
        avatar = await studio.get(self.avatar_id, me)
        others = [other for other in await pictures_of(studio, me) if other.id != avatar.id]
        if not others:
            raise NotFound("with-none")
        options = [option_of(other, language) for other in others[:MAX_OPTIONS]]
        alone = await answers_alone(interaction, avatar)
        view = ui.View(timeout=None)
        view.add_item(Partner(avatar.id, alone, options, say("with-choose", language)))
        text = say("with-title", language, title=f"**{_escaped_title(avatar, language)}**")
        await respond(lambda: interaction.response.send_message(text, view=view, ephemeral=True))


class Partner(ui.DynamicItem[ui.Select[Any]], template=f"irodori:with:{ID}:{ALONE}"):
    """Mixes a picture with the one that is chosen."""

    def __init__(
        self, avatar_id: str, alone: bool, options: Sequence[SelectOption], placeholder: str = ""
    ) -> None:
        super().__init__(
            ui.Select[Any](
                custom_id=f"irodori:with:{avatar_id}:{int(alone)}",
                placeholder=placeholder,
                options=list(options),
            )
        )
        self.avatar_id = avatar_id
        self.alone = alone

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Partner":
        return cls(match["id"], match["alone"] == "1", item.options)  # type: ignore[attr-defined]

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        order = await mix_order(interaction, self.avatar_id, self.item.values[0])
        alone = self.alone or order.given["private"]  # the list itself is always seen alone
        await paint(interaction, replace(order, private=alone, named=not alone))


class Info(AvatarButton, template=f"irodori:info:{ID}"):
    """Says everything about a picture, to the one who asks."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        label, custom_id = say("card-info", language), f"irodori:info:{avatar_id}"
        super().__init__(avatar_id, ui.Button[Any](label=label, emoji="ℹ️", custom_id=custom_id))

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        me = owner_of(interaction)
        await require_admission(interaction)
        avatar = await studio.get(self.avatar_id, me)
        text = await info_of(studio, avatar, me, await language_of(interaction))
        await respond(lambda: interaction.response.send_message(text, ephemeral=True))


class Delete(AvatarButton, template=f"irodori:delete:{ID}"):
    """Deletes the avatar, and its message or its place in the message."""

    def __init__(self, avatar_id: str) -> None:
        button = ui.Button[Any](
            style=ButtonStyle.danger, emoji="🗑️", custom_id=f"irodori:delete:{avatar_id}"
        )
        super().__init__(avatar_id, button)

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        me = owner_of(interaction)
        await defer_update(interaction)
        try:
            moderator = is_moderator(interaction, await studio.get(self.avatar_id, me))
            await studio.delete(self.avatar_id, me, moderator=moderator)
        except NotFound:
            # Deleted elsewhere, or here by a press that did not get as far as the message.
            if not is_addressee(interaction):
                raise
        left = []
        for option in _listed(interaction):
            try:
                left.append(await studio.get(option.value, me))
            except NotFound:
                continue
        if left:
            await _take_out_deleted(interaction, left)
        else:
            await delete_message(interaction)


class Show(ui.DynamicItem[ui.Select[Any]], template=SHOW):
    """Chooses which of a message's pictures its buttons act on.

    Only who may delete the pictures moves the shared choice; everybody else gets the picture with
    buttons of its own, so that nobody's press lands on a picture that another has just chosen.
    """

    def __init__(self, options: Sequence[SelectOption]) -> None:
        super().__init__(ui.Select[Any](custom_id=SHOW, options=list(options)), row=0)

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Show":
        return cls(item.options)  # type: ignore[attr-defined]

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        chosen = self.item.values[0]
        avatar = await studio.get(chosen, owner_of(interaction))
        if not is_owner(interaction, avatar) and not is_moderator(interaction, avatar):
            await open_card(interaction, chosen)
            return
        await defer_update(interaction)
        await require_admission(interaction)
        language, asker = await language_shown(interaction), asker_shown(interaction)
        options = self.item.options
        number = [option.value for option in options].index(chosen) + 1
        text = caption(avatar, language, number=number, count=len(options), asked_by=asker)
        view = AnswerView(avatar, language, options)
        await twice(lambda: interaction.edit_original_response(content=text, view=view))


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
            self.add_item(Recolour(avatar.id, language))
        self.add_item(Variations(avatar.id, language))
        self.add_item(Favourite(avatar.id, avatar.favourites))
        self.add_item(MixWith(avatar.id, language))
        if len(avatar.parents) == 2:
            self.add_item(Sibling(avatar.id, language))
        self.add_item(Info(avatar.id, language))
        self.add_item(Delete(avatar.id))


async def deliver(answer: Answer, avatars: Sequence[Avatar]) -> None:
    """Fill in an answer: the pictures as they are in the store, and their buttons."""
    asked_by = answer.owner.key if answer.named else None
    await answer.edit(
        **await _card(
            answer.studio,
            avatars,
            answer.owner,
            answer.language,
            asked_by=asked_by,
            of=answer.given.get("member"),
        )
    )


async def open_card(interaction: Interaction, avatar_id: str, *, alone: bool = True) -> None:
    """Show one avatar with its buttons; a private one to its owner alone.

    Raises NotFound, Blocked, WrongPlace.
    """
    studio: Studio = interaction.client.studio
    await require_admission(interaction)
    me, language = owner_of(interaction), await language_of(interaction)
    avatar = await studio.get(avatar_id, me)
    await defer_answer(interaction, private=alone or avatar.private)

    async def edit() -> None:
        await interaction.edit_original_response(**await _card(studio, [avatar], me, language))

    await twice(edit)


async def _card(
    studio: Studio,
    avatars: Sequence[Avatar],
    viewer: Owner,
    language: str,
    *,
    asked_by: str | None = None,
    of: str | None = None,
) -> dict[str, Any]:
    """The parts of the message, as `edit` takes them."""
    first = avatars[0]
    pictures = [await studio.picture(avatar.id, viewer) for avatar in avatars]
    options = [option_of(avatar, language, number=i) for i, avatar in enumerate(avatars, 1)]
    return {
        "content": caption(first, language, count=len(avatars), asked_by=asked_by, of=of),
        "attachments": [
            file_of(avatar, picture, language)
            for avatar, picture in zip(avatars, pictures, strict=True)
        ],
        "view": AnswerView(first, language, options),
    }


COMPONENTS = (
    Again,
    Nearest,
    Recolour,
    Variations,
    Favourite,
    MixWith,
    Partner,
    Info,
    Delete,
    Show,
)


async def _take_out_deleted(interaction: Interaction, left: Sequence[Avatar]) -> None:
    assert interaction.message is not None
    language = await language_shown(interaction)
    attachments = [
        attachment
        for attachment in interaction.message.attachments
        if any(avatar.id in attachment.filename for avatar in left)
    ]
    options = [option_of(avatar, language, number=i) for i, avatar in enumerate(left, 1)]
    text = caption(left[0], language, count=len(left), asked_by=asker_shown(interaction))
    view = AnswerView(left[0], language, options)
    await twice(
        lambda: interaction.edit_original_response(content=text, attachments=attachments, view=view)
    )


def _listed(interaction: Interaction) -> list[SelectOption]:
    """The options of the message's select of pictures; none on a message with one picture."""
    for component in components_of(interaction):
        if component.custom_id == SHOW:
            return component.options
    return []


def _escaped_title(avatar: Avatar, language: str) -> str:
    return discord.utils.escape_markdown(title(avatar, language))
