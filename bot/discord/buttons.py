"""The message that shows avatars, and what can be done with them there.

Every component is a DynamicItem: its custom id and the message that it is on carry all it needs, so
it works after a restart as before. A message with several pictures has a select; the buttons act on
the picture chosen there, which is marked as the select's default.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import discord
from discord import ButtonStyle, SelectOption, ui

from bot.discord.family import Sibling
from bot.discord.replies import (
    Interaction,
    defer_answer,
    defer_update,
    delete_message,
    guarded,
    is_addressee,
    is_moderator,
    is_owner,
    owner_of,
    place_of,
    respond,
    twice,
)
from bot.discord.text import LABEL, caption, file_of, option_of, shorten
from bot.errors import BadPrompt, NotFound
from bot.language import describe
from bot.studio import Studio
from db.store import Avatar
from export.manifest import Attribute

ID = "(?P<id>[0-9a-z]+)"
SHOW = "irodori:show"
COLOUR = "irodori:colour:"
MAX_OPTIONS = 25  # of one select
MAX_COLOURS = 18  # selects of one panel: each takes 2 of a message's 40 components


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

    def __init__(self, avatar_id: str) -> None:
        button = ui.Button[Any](label="Again", emoji="🎲", custom_id=f"irodori:again:{avatar_id}")
        super().__init__(avatar_id, button)

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        me = owner_of(interaction)
        private = _answers_privately(interaction, await studio.get(self.avatar_id, me))
        await defer_answer(interaction, private=private)
        (avatar,) = await studio.again(self.avatar_id, owner=me, **place_of(interaction))
        await deliver(interaction, [avatar], asked_by=None if private else me.key)


class Recolour(AvatarButton, template=f"irodori:recolour:{ID}"):
    """Opens the panel where other colours for the same face are chosen."""

    def __init__(self, avatar_id: str) -> None:
        button = ui.Button[Any](
            label="Colours", emoji="🎨", custom_id=f"irodori:recolour:{avatar_id}"
        )
        super().__init__(avatar_id, button)

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        avatar = await studio.get(self.avatar_id, owner_of(interaction))
        rows = colour_rows(avatar, studio.attributes)
        if not rows:
            raise NotFound("The model in use has none of this avatar's colours any more.")
        private = _answers_privately(interaction, avatar)
        panel = ColourPanel(rows, Paint(avatar.id, private))
        await respond(lambda: interaction.response.send_message(view=panel, ephemeral=True))


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
        me = owner_of(interaction)
        await defer_update(interaction)
        await studio.favourite(self.avatar_id, me)
        avatar = await studio.get(self.avatar_id, me)
        view = AnswerView(avatar, _listed(interaction))
        await twice(lambda: interaction.edit_original_response(view=view))


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
        options = self.item.options
        number = [option.value for option in options].index(chosen) + 1
        text = caption(avatar, number=number, count=len(options))
        view = AnswerView(avatar, options)
        await twice(lambda: interaction.edit_original_response(content=text, view=view))


class AnswerView(ui.View):
    """The buttons of `avatar`; `options` are the message's pictures where it has several."""

    def __init__(self, avatar: Avatar, options: Sequence[SelectOption] = ()) -> None:
        super().__init__(timeout=None)
        if len(options) > 1:
            self.add_item(Show([_choose(option, avatar.id) for option in options]))
        self.add_item(Again(avatar.id))
        if avatar.conditions:
            self.add_item(Recolour(avatar.id))
        self.add_item(Favourite(avatar.id, avatar.favourites))
        self.add_item(Delete(avatar.id))
        if len(avatar.parents) == 2:
            self.add_item(Sibling(avatar.id))


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
        rows, paint = [], None
        for component in _components(interaction):
            custom_id = component.custom_id
            if custom_id == self.custom_id:
                rows.append([_choose(option, chosen) for option in component.options])
            elif custom_id.startswith(COLOUR):
                rows.append(component.options)
            elif (match := Paint.pattern().fullmatch(custom_id)) is not None:
                paint = Paint(match["id"], match["private"] == "1")
        assert paint is not None, "a colour panel has its paint button"
        panel = ColourPanel(rows, paint)
        await respond(lambda: interaction.response.edit_message(view=panel))


class Paint(ui.DynamicItem[ui.Button[Any]], template=f"irodori:paint:{ID}:(?P<private>[01])"):
    """Paints the face with the colours that the panel shows."""

    def __init__(self, avatar_id: str, private: bool) -> None:
        custom_id = f"irodori:paint:{avatar_id}:{int(private)}"
        super().__init__(
            ui.Button[Any](
                style=ButtonStyle.primary, label="Paint", emoji="🎨", custom_id=custom_id
            )
        )
        self.avatar_id = avatar_id
        self.private = private

    @classmethod
    def pattern(cls) -> re.Pattern[str]:
        return cls.__discord_ui_compiled_template__

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Paint":
        return cls(match["id"], match["private"] == "1")

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        me = owner_of(interaction)
        before = (await studio.get(self.avatar_id, me)).conditions
        shown = [
            parse_qsl(option.value)[0]
            for component in _components(interaction)
            if component.custom_id.startswith(COLOUR)
            for option in component.options
            if option.default
        ]
        changes = {name: value for name, value in shown if before.get(name) != value}
        if not changes:
            raise BadPrompt("These are its colours already. Choose another one first.")
        await defer_answer(interaction, private=self.private)
        (avatar,) = await studio.recolour(self.avatar_id, changes, owner=me, **place_of(interaction))
        await deliver(interaction, [avatar], asked_by=None if self.private else me.key)


class ColourPanel(ui.LayoutView):
    def __init__(self, rows: Sequence[Sequence[SelectOption]], paint: Paint) -> None:
        super().__init__(timeout=None)
        self.add_item(ui.TextDisplay("The same face in other colours:"))
        for place, options in enumerate(rows):
            self.add_item(ui.ActionRow(Colour(place, options)))
        self.add_item(ui.ActionRow(paint))


COMPONENTS = (Again, Recolour, Favourite, Delete, Show, Colour, Paint)


def colour_rows(avatar: Avatar, attributes: Sequence[Attribute]) -> list[list[SelectOption]]:
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
                label=shorten(describe({attribute.name: value}), LABEL),
                value=urlencode({attribute.name: value}),
                default=value == present,
            )
            for value in values
        ]
        if all(len(option.value) <= LABEL for option in options):
            rows.append(options)
    return rows[:MAX_COLOURS]


async def deliver(
    interaction: Interaction, avatars: Sequence[Avatar], *, asked_by: str | None = None
) -> None:
    """Fill in a deferred answer: the pictures as they are in the store, and their buttons.

    `asked_by` names the member (by id) where Discord itself does not show who asked.
    """
    studio: Studio = interaction.client.studio
    me = owner_of(interaction)
    pictures = [await studio.picture(avatar.id, me) for avatar in avatars]
    first = avatars[0]
    options = [option_of(avatar, number=i) for i, avatar in enumerate(avatars, 1)]
    text = caption(first, count=len(avatars), asked_by=asked_by)

    async def edit() -> None:
        files = [file_of(*pair) for pair in zip(avatars, pictures, strict=True)]
        view = AnswerView(first, options)
        await interaction.edit_original_response(content=text, attachments=files, view=view)

    await twice(edit)


async def open_card(interaction: Interaction, avatar_id: str) -> None:
    """Show one avatar with its buttons to the member alone."""
    await defer_answer(interaction, private=True)
    studio: Studio = interaction.client.studio
    await deliver(interaction, [await studio.get(avatar_id, owner_of(interaction))])


def _answers_privately(interaction: Interaction, avatar: Avatar) -> bool:
    """What follows a private avatar, or a message that one member sees, is not for everyone."""
    message = interaction.message
    return avatar.private or (message is not None and message.flags.ephemeral)


async def _take_out_deleted(interaction: Interaction, left: Sequence[Avatar]) -> None:
    assert interaction.message is not None
    attachments = [
        attachment
        for attachment in interaction.message.attachments
        if any(avatar.id in attachment.filename for avatar in left)
    ]
    options = [option_of(avatar, number=i) for i, avatar in enumerate(left, 1)]
    text = caption(left[0], count=len(left))
    view = AnswerView(left[0], options)
    await twice(
        lambda: interaction.edit_original_response(content=text, attachments=attachments, view=view)
    )


def _components(interaction: Interaction) -> Iterator[Any]:
    """The buttons and selects of the message that was pressed on."""
    assert interaction.message is not None
    for row in interaction.message.components:
        if isinstance(row, discord.ActionRow):
            yield from row.children


def _listed(interaction: Interaction) -> list[SelectOption]:
    """The options of the message's select of pictures; none on a message with one picture."""
    for component in _components(interaction):
        if component.custom_id == SHOW:
            return component.options
    return []


def _choose(option: SelectOption, value: str) -> SelectOption:
    return SelectOption(
        label=option.label,
        value=option.value,
        description=option.description,
        default=option.value == value,
    )
