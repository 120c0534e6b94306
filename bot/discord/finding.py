"""The message of a search: a sheet of faces, and buttons to choose, go on, go back and adopt.

The custom ids of the buttons hold the whole search, so that they work after a restart and with
another model in use.
"""

import asyncio
import io
import re
from typing import Any, Self

import discord
from discord import ButtonStyle, ui

from bot.discord.bot import Interaction, PaintCommand
from bot.discord.community.channels import Place, is_spoiler
from bot.discord.components import Button, Component
from bot.discord.context import is_ephemeral, language_of, request_of, settings_of
from bot.discord.deferred_reply import DeferredReply
from bot.discord.find_state import STATE, FindState
from bot.discord.permissions import admit
from bot.discord.replies import defer_update, respond, retry_once
from bot.discord.text import MAX_ALT_TEXT
from bot.errors import NotAllowed
from bot.i18n.messages import describe, say, shorten
from bot.prompts.wish import format_wish
from bot.studio.finding import Sheet
from bot.studio.images import numbered_grid
from bot.studio.search import FACES, ROUNDS, Choice, Search, format_choices
from db.tasks import AdoptTask

ROW = 3  # buttons, like the faces of the picture


class FindButton(Component[Button], template=f"irodori:find:[a-z0-9]:{STATE}"):
    """A button that knows the state of its message."""

    def __init__(self, state: FindState, button: Button, row: int | None = None) -> None:
        super().__init__(button, row=row)
        self.state = state


class Toggle(FindButton, template=f"irodori:find:(?P<number>[1-{FACES}]):{STATE}"):
    """Chooses a face, or takes the choice back."""

    def __init__(self, number: int, state: FindState) -> None:
        style = ButtonStyle.success if number in state.selected else ButtonStyle.secondary
        custom_id = state.custom_id(str(number))
        button = Button(style=style, label=str(number), custom_id=custom_id)
        super().__init__(state, button, row=(number - 1) // ROW)
        self.number = number

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(int(match["number"]), FindState.parse(match))

    async def on_use(self, interaction: Interaction) -> None:
        _require_searcher(interaction)
        view = FindView(self.state.toggled(self.number), await language_of(interaction))
        await respond(lambda: interaction.response.edit_message(view=view))


class Nearer(FindButton, template=f"irodori:find:n:{STATE}"):
    """Paints nine faces that are nearer to the chosen ones."""

    def __init__(self, state: FindState, language: str = "en") -> None:
        button = Button(
            style=ButtonStyle.primary,
            label=say("find-nearer", language),
            emoji="🔍",
            custom_id=state.custom_id("n"),
            disabled=not state.selected or state.round == ROUNDS,
        )
        super().__init__(state, button, row=ROW)

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(FindState.parse(match))

    async def on_use(self, interaction: Interaction) -> None:
        _require_searcher(interaction)
        await defer_update(interaction)
        search = await self.state.search(interaction.client.studio)
        await _show(interaction, search.nearer(self.state.selected))


class Undo(FindButton, template=f"irodori:find:u:{STATE}"):
    """Returns to the sheet before, with the faces that were chosen from it."""

    def __init__(self, state: FindState, language: str = "en") -> None:
        button = Button(
            label=say("find-undo", language),
            emoji="↩️",
            custom_id=state.custom_id("u"),
            disabled=not state.choices,
        )
        super().__init__(state, button, row=ROW)

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(FindState.parse(match))

    async def on_use(self, interaction: Interaction) -> None:
        _require_searcher(interaction)
        await defer_update(interaction)
        search = await self.state.search(interaction.client.studio)
        await _show(interaction, search.undone(), search.choices[-1])


class Adopt(FindButton, template=f"irodori:find:a:{STATE}"):
    """Stores the chosen face, and replies with it and its buttons."""

    def __init__(self, state: FindState, language: str = "en") -> None:
        button = Button(
            style=ButtonStyle.primary,
            label=say("find-adopt", language),
            emoji="💝",
            custom_id=state.custom_id("a"),
            disabled=len(state.selected) != 1,
        )
        super().__init__(state, button, row=ROW)

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(FindState.parse(match))

    async def on_use(self, interaction: Interaction) -> None:
        _require_searcher(interaction)
        search = await self.state.search(interaction.client.studio)
        settings = await settings_of(interaction)
        private = is_ephemeral(interaction) or bool(settings.private)
        task = AdoptTask(
            model=search.model,
            wish=dict(search.wish),
            seed=search.seed,
            choices=format_choices((*search.choices, self.state.selected)),
            size=settings.size,
            private=private,
        )
        command = PaintCommand(task, private, names_requester=not private)
        await interaction.client.paint(interaction, command)


COMPONENTS = (Toggle, Nearer, Undo, Adopt)


class FindView(ui.View):
    def __init__(self, state: FindState, language: str) -> None:
        super().__init__(timeout=None)
        for number in range(1, FACES + 1):
            self.add_item(Toggle(number, state))
        self.add_item(Nearer(state, language))
        self.add_item(Undo(state, language))
        self.add_item(Adopt(state, language))


async def show_sheet(reply: DeferredReply, sheet: Sheet) -> None:
    """Fills in a reply with the first sheet of a search."""
    pending = reply.pending
    spoiler = await is_spoiler(Place.of_reply(reply))
    await reply.edit(**await _message(sheet, (), pending.language, spoiler=spoiler))


async def _show(interaction: Interaction, search: Search, selected: Choice = ()) -> None:
    """Replaces the sheet of the clicked message. Raises Refusal."""
    studio = interaction.client.studio
    with interaction.client.open_request(interaction):
        async with admit(interaction, 1):
            sheet = await studio.finding.paint(search, request_of(interaction))
        language = await language_of(interaction)
        spoiler = await is_spoiler(Place.of(interaction))

        async def edit() -> None:
            parts = await _message(sheet, selected, language, spoiler=spoiler)
            await interaction.edit_original_response(**parts)

        await retry_once(edit)


async def _message(
    sheet: Sheet, selected: Choice, language: str, *, spoiler: bool
) -> dict[str, Any]:
    """The parts of the message, as `edit` takes them."""
    search = sheet.search
    picture = await asyncio.to_thread(numbered_grid, sheet.images)
    file = discord.File(
        io.BytesIO(picture),
        filename="irodori-find.webp",
        description=_alt_text(sheet, language),
        spoiler=spoiler,
    )
    view = FindView(FindState.of(search, selected), language)
    return {"content": _caption(search, language), "attachments": [file], "view": view}


def _require_searcher(interaction: Interaction) -> None:
    """Raises NotAllowed for a member who did not start the search."""
    assert interaction.message is not None
    started = interaction.message.interaction_metadata
    if started is not None and started.user.id != interaction.user.id:
        raise NotAllowed("find-not-yours")


def _caption(search: Search, language: str) -> str:
    heading = say("find-title", language, round=search.round, most=ROUNDS)
    how = say("find-how-last" if search.round == ROUNDS else "find-how", language)
    wish = format_wish(search.wish)
    facts = [
        say("card-wish", language, wish=f"`{wish}`") if wish else say("card-no-wish", language),
        say("card-model", language, model=f"`{search.model}`"),
    ]
    return f"**{heading}**\n{how}\n-# {shorten(' · '.join(facts), 1000)}"


def _alt_text(sheet: Sheet, language: str) -> str:
    faces = [
        say("find-face", language, number=number, title=describe(conditions, language))
        for number, conditions in enumerate(sheet.conditions, 1)
    ]
    return shorten(say("find-alt", language, faces="; ".join(faces)), MAX_ALT_TEXT)
