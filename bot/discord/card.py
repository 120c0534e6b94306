"""The message that shows avatars: caption, pictures, select and buttons.

A message with several pictures has a select. Its buttons act on the picture selected there,
which is the select's default option.
"""

import re
from collections.abc import Sequence
from typing import Any, Self

from discord import Attachment, ButtonStyle, InteractionMessage, SelectOption, ui
from discord.utils import escape_markdown

from bot.discord.bot import Interaction, PaintCommand
from bot.discord.buttons import (
    Again,
    AvatarButton,
    Favorite,
    Info,
    MixWith,
    Recolor,
    Shape,
    Variations,
)
from bot.discord.community.channels import Place, is_spoiler, lineage, note_reply
from bot.discord.components import (
    ID,
    Button,
    Component,
    Select,
    choose,
    components_of,
    language_shown,
    requester_shown,
)
from bot.discord.context import is_requester, language_of, owner_of, settings_of
from bot.discord.deferred_reply import DeferredReply
from bot.discord.family import Sibling
from bot.discord.permissions import is_moderator, is_owner, require_admission
from bot.discord.replies import defer_answer, defer_update, delete_message, retry_once
from bot.discord.text import caption, file_of, option_of
from bot.errors import BadPrompt, NotFound
from bot.i18n.messages import say, shorten
from bot.studio import Studio
from bot.studio.recipes import MAX_FILE
from db.records import Avatar, Owner
from db.tasks import CreateTask, PortraitTask, RepaintTask

SHOW = "irodori:show"
MAX_UNUSED = 150  # characters; Discord allows 2000 in a message


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
            interaction.client.dispatch("community_change")
        except NotFound:
            # Deleted elsewhere, or here by a click whose edit of the message failed.
            if not is_requester(interaction):
                raise
        remaining = []
        for option in _listed(interaction):
            try:
                remaining.append(await studio.avatars.get(option.value, me))
            except NotFound:
                continue
        if remaining:
            await _remove_deleted(interaction, remaining)
        else:
            await delete_message(interaction)


class PictureSelect(Component[Select], template=SHOW):
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
        if not await is_owner(interaction, avatar) and not is_moderator(interaction, avatar):
            await open_card(interaction, chosen)
            return
        await defer_update(interaction)
        await require_admission(interaction)
        language = await language_shown(interaction)
        requester = requester_shown(interaction)
        options = self.item.options
        number = [option.value for option in options].index(chosen) + 1
        text = caption(avatar, language, number=number, count=len(options), requested_by=requester)
        text += await lineage(Place.of(interaction), avatar, language)
        shapes = studio.shaping.is_offered(avatar)
        view = AnswerView(avatar, language, options, shapes=shapes)
        await retry_once(lambda: interaction.edit_original_response(content=text, view=view))


class AnswerView(ui.View):
    """The buttons of `avatar`; `options` are the message's pictures where it has several. `shapes`
    is whether its model has directions.
    """

    def __init__(
        self,
        avatar: Avatar,
        language: str = "en",
        options: Sequence[SelectOption] = (),
        *,
        shapes: bool = False,
    ) -> None:
        super().__init__(timeout=None)
        if len(options) > 1:
            self.add_item(PictureSelect([choose(option, avatar.id) for option in options]))
        self.add_item(Again(avatar.id, language))
        if avatar.conditions:
            self.add_item(Recolor(avatar.id, language))
        if shapes:
            self.add_item(Shape(avatar.id, language))
        self.add_item(Variations(avatar.id, language))
        self.add_item(Favorite(avatar.id, avatar.favorites))
        self.add_item(MixWith(avatar.id, language))
        if len(avatar.parents) == 2:
            self.add_item(Sibling(avatar.id, language))
        self.add_item(Info(avatar.id, language))
        self.add_item(Delete(avatar.id))


async def show_avatars(reply: DeferredReply, avatars: Sequence[Avatar]) -> None:
    """Fills in a reply with pictures and their buttons."""
    pending, studio = reply.pending, reply.client.studio
    card = await _card(
        Place.of_reply(reply),
        avatars,
        pending.owner,
        pending.language,
        requested_by=pending.owner.key if pending.names_requester else None,
        portrait_of=pending.task.member if isinstance(pending.task, PortraitTask) else None,
    )
    if isinstance(pending.task, RepaintTask):
        opened = await studio.recipes.compare_repainted(pending.task.file, avatars[0])
        card["content"] += f"\n{say(opened.message, pending.language)}"
    if isinstance(pending.task, CreateTask) and pending.task.prompt:
        card["content"] += _unused(studio, pending.task.prompt, pending.language)
    await reply.edit(**card)


def _unused(studio: Studio, prompt: str, language: str) -> str:
    """A line that says which words of a prompt are not used; empty if all are."""
    try:
        reading = studio.painting.explain(prompt)
    except BadPrompt:  # the model has changed since the prompt was read
        return ""
    if not reading.unused:
        return ""
    words = [say("card-quoted", language, word=word) for word in reading.unused]
    text = say("card-unused", language, words=say("words-comma", language).join(words))
    return f"\n-# {shorten(escape_markdown(text), MAX_UNUSED)}"


async def open_card(interaction: Interaction, avatar_id: str, *, private: bool = True) -> None:
    """Shows one avatar with its buttons; the reply with a private avatar is private.

    Raises NotFound, Blocked, WrongChannel.
    """
    studio = interaction.client.studio
    await require_admission(interaction)
    me, language = owner_of(interaction), await language_of(interaction)
    avatar = await studio.avatars.get(avatar_id, me)
    private = private or avatar.private
    await defer_answer(interaction, private=private)
    place = Place.of(interaction)

    async def edit() -> InteractionMessage:
        return await interaction.edit_original_response(
            **await _card(place, [avatar], me, language)
        )

    message = await retry_once(edit)
    if not private:
        await note_reply(place, message.id, [avatar])


async def open_file(interaction: Interaction, file: Attachment) -> None:
    """Shows the picture of a file with its buttons, and says whether the file is that picture. If
    it is not stored any more, it is painted again, which counts as one picture. For members whose
    pictures are private by default, all of this is private.

    Raises BadPrompt, Refusal, discord.HTTPException.
    """
    studio = interaction.client.studio
    if file.size > MAX_FILE:
        raise BadPrompt("recipe-too-large")
    await require_admission(interaction)
    private = (await settings_of(interaction)).private or False
    await defer_answer(interaction, private=private)
    data = await file.read()
    opened = await studio.recipes.find(data)
    if opened is None:
        command = PaintCommand(RepaintTask.of(data, private=private), private)
        await interaction.client.paint(interaction, command)
        return
    me, language = owner_of(interaction), await language_of(interaction)
    place = Place.of(interaction)
    card = await _card(place, [opened.avatar], me, language)
    card["content"] += f"\n{say(opened.message, language)}"

    async def edit() -> InteractionMessage:
        return await interaction.edit_original_response(**card)

    message = await retry_once(edit)
    if not private:
        await note_reply(place, message.id, [opened.avatar])


async def _card(
    place: Place,
    avatars: Sequence[Avatar],
    viewer: Owner,
    language: str,
    *,
    requested_by: str | None = None,
    portrait_of: str | None = None,
) -> dict[str, Any]:
    """The parts of the message, as `edit` takes them."""
    first, studio = avatars[0], place.client.studio
    spoiler = await is_spoiler(place)
    pictures = [await studio.avatars.picture(avatar.id, viewer) for avatar in avatars]
    options = [option_of(avatar, language, number=i) for i, avatar in enumerate(avatars, 1)]
    return {
        "content": caption(
            first, language, count=len(avatars), requested_by=requested_by, portrait_of=portrait_of
        )
        + await lineage(place, first, language),
        "attachments": [
            file_of(avatar, picture, language, spoiler=spoiler)
            for avatar, picture in zip(avatars, pictures, strict=True)
        ],
        "view": AnswerView(first, language, options, shapes=studio.shaping.is_offered(first)),
    }


async def _remove_deleted(interaction: Interaction, remaining: Sequence[Avatar]) -> None:
    assert interaction.message is not None
    language = await language_shown(interaction)
    attachments = [
        attachment
        for attachment in interaction.message.attachments
        if any(avatar.id in attachment.filename for avatar in remaining)
    ]
    options = [option_of(avatar, language, number=i) for i, avatar in enumerate(remaining, 1)]
    text = caption(
        remaining[0], language, count=len(remaining), requested_by=requester_shown(interaction)
    )
    text += await lineage(Place.of(interaction), remaining[0], language)
    shapes = interaction.client.studio.shaping.is_offered(remaining[0])
    view = AnswerView(remaining[0], language, options, shapes=shapes)
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


COMPONENTS = (Delete, PictureSelect)
