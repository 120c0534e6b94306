"""The pages of a gallery, for the one who asked alone.

A page's whole state (scope, order, place, colours) is in the custom ids of its components, so that
pages turn after a restart and under another model.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import parse_qsl, quote

import discord
from discord import SelectOption, ui

from bot.discord.bot import Interaction
from bot.discord.buttons import open_card
from bot.discord.components import Button, Component, Select
from bot.discord.replies import (
    defer_answer,
    defer_update,
    language_of,
    owner_of,
    require_admission,
    respond,
    retry_once,
)
from bot.discord.text import file_of, option_of, shorten
from bot.errors import BadPrompt, NotFound
from bot.i18n.messages import describe, say
from db.records import LAST, Avatar, GalleryQuery, Page, Picture, Scope, Sort

PAGE = 9  # pictures
MAX_CUSTOM_ID = 100
MAX_HEADING = 500
JUMP = "irodori:jump"
SCOPES: tuple[Scope, ...] = ("everyone", "guild", "mine", "favourites")
SORTS: tuple[Sort, ...] = ("new", "loved")
ICONS = {"everyone": "🌍", "guild": "🏠", "mine": "🖼️", "favourites": "♥️"}
# A move's letter makes a page's custom ids differ, even where two lead to the same page.
MOVES = {"f": "⏮️", "p": "◀️", "n": "▶️", "l": "⏭️"}
LABELS = {"p": "gallery-previous", "n": "gallery-next"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is in a gallery; `values` (attribute to value) is what it is filtered by."""

    scope: Scope
    sort: Sort = "new"
    values: Mapping[str, str] = field(default_factory=dict)
    cursor: str | None = None

    def custom_id(self, move: str) -> str:
        """Raises BadPrompt where the values do not fit in."""
        state = f"{self.scope[0]}{self.sort[0]}:{self.cursor or ''}:{_packed(self.values)}"
        return _fitting(f"irodori:g:{move}{state}")


class Turn(
    Component[Button],
    template="irodori:g:(?P<move>[fpnl])(?P<scope>[egmf])(?P<sort>[nl])"
    ":(?P<cursor>[0-9a-z.]*):(?P<values>.*)",
):
    """Turns to another page."""

    def __init__(
        self, move: str, place: Place, language: str = "en", *, disabled: bool = False
    ) -> None:
        super().__init__(
            Button(
                label=say(LABELS[move], language) if move in LABELS else None,
                emoji=MOVES[move],
                disabled=disabled,
                custom_id=place.custom_id(move),
            )
        )
        self.place = place

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        scope = next(scope for scope in SCOPES if scope[0] == match["scope"])
        sort = next(sort for sort in SORTS if sort[0] == match["sort"])
        place = Place(scope, sort, dict(parse_qsl(match["values"])), match["cursor"] or None)
        return cls(match["move"], place)

    async def on_use(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await show_page(interaction, self.place)


class EarlierTurn(
    Turn,
    template="irodori:page:(?P<scope>everyone|guild|mine|favourites)"
    ":(?P<cursor>[on][0-9]*):(?P<values>.*)",
):
    """The buttons of pages that were sent before galleries could be sorted."""

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Any:
        scope = next(scope for scope in SCOPES if scope == match["scope"])
        return Turn("p", Place(scope, "new", dict(parse_qsl(match["values"])), match["cursor"]))


class Look(Component[Select], template="irodori:look:(?P<values>.*)"):
    """Shows another gallery, or the same in another order; the colours stay."""

    def __init__(
        self, values: Mapping[str, str], options: Sequence[SelectOption], placeholder: str = ""
    ) -> None:
        super().__init__(
            Select(
                custom_id=_fitting(f"irodori:look:{_packed(values)}"),
                placeholder=placeholder,
                options=list(options),
            )
        )
        self.values = values

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        values = dict(parse_qsl(match["values"]))
        return cls(values, item.options)

    async def on_use(self, interaction: Interaction) -> None:
        chosen = self.item.values[0]
        place = next(
            Place(scope, sort, self.values)
            for scope in SCOPES
            for sort in SORTS
            if f"{scope}:{sort}" == chosen
        )
        await defer_update(interaction)
        await show_page(interaction, place)


class Open(Component[Select], template="irodori:open"):
    """Opens one picture of those listed with its buttons, below the message."""

    def __init__(self, options: Sequence[SelectOption], placeholder: str = "") -> None:
        super().__init__(
            Select(custom_id="irodori:open", placeholder=placeholder, options=list(options))
        )

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(item.options)

    async def on_use(self, interaction: Interaction) -> None:
        await open_card(interaction, self.item.values[0])


class Jump(Component[Button], template=JUMP):
    """Asks for a picture's id in a form."""

    def __init__(self, language: str = "en") -> None:
        super().__init__(Button(label=say("gallery-jump", language), emoji="🔎", custom_id=JUMP))

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls()

    async def on_use(self, interaction: Interaction) -> None:
        form = JumpForm(await language_of(interaction))
        await respond(lambda: interaction.response.send_modal(form))


class JumpForm(ui.Modal):
    """What is sent in comes to `GalleryCog.on_interaction`, which knows it after a restart, too."""

    def __init__(self, language: str) -> None:
        super().__init__(title=say("gallery-jump-title", language), custom_id=JUMP, timeout=None)
        hint = say("gallery-jump-hint", language)
        text = ui.TextInput[Any](custom_id="id", placeholder=hint, max_length=40)
        self.add_item(ui.Label(text=say("gallery-jump-label", language), component=text))


def jump_target(interaction: Interaction) -> str:
    """The id that was typed into the form."""
    data: Any = interaction.data
    return str(data["components"][0]["component"]["value"])


COMPONENTS = (Turn, EarlierTurn, Look, Open, Jump)


class PageView(ui.LayoutView):
    def __init__(
        self, place: Place, page: Page, files: Sequence[discord.File], language: str, *, guild: bool
    ) -> None:
        super().__init__(timeout=None)
        colours = describe(place.values, language)
        heading = say(f"gallery-{place.scope}", language)
        if colours:
            heading = say("gallery-of-colours", language, gallery=heading, colours=colours)
        facts = [say(f"gallery-{place.sort}", language)]
        if files and page.count is not None and page.before is not None:
            numbers = {"first": page.before + 1, "last": page.before + len(page.avatars)}
            key = "gallery-of" if len(page.avatars) > 1 else "gallery-of-one"
            facts.append(say(key, language, **numbers, count=page.count))
        heading = discord.utils.escape_markdown(shorten(heading, MAX_HEADING))
        self.add_item(ui.TextDisplay(f"### {ICONS[place.scope]} {heading}\n-# {' · '.join(facts)}"))
        if files:
            self.add_item(ui.MediaGallery(*(discord.MediaGalleryItem(file) for file in files)))
            options = [
                option_of(avatar, language, number=i)
                for i, avatar in enumerate(page.avatars, 1 + (page.before or 0))
            ]
            self.add_item(ui.ActionRow(Open(options, say("gallery-open", language))))
        else:
            empty = "gallery-empty-wish" if place.values else "gallery-empty"
            self.add_item(ui.TextDisplay(say(empty, language)))
        self.add_item(ui.ActionRow(*_turns(place, page, language), Jump(language)))
        elsewhere = say("gallery-look", language)
        options = _galleries(place, language, guild=guild)
        self.add_item(ui.ActionRow(Look(place.values, options, elsewhere)))


async def show_page(interaction: Interaction, place: Place) -> None:
    """Fill in the deferred answer, or the page that was turned. Raises Refusal."""
    await require_admission(interaction)
    studio = interaction.client.studio
    viewer, guild = owner_of(interaction), interaction.guild_id
    if place.scope == "guild" and guild is None:
        raise NotFound("gallery-no-server")
    page = await studio.gallery.page(
        GalleryQuery(
            scope=place.scope,
            viewer=viewer,
            guild=None if guild is None else str(guild),
            values=place.values,
            limit=PAGE,
            cursor=place.cursor,
            sort=place.sort,
            counted=True,
        )
    )
    shown: list[tuple[Avatar, Picture]] = []
    for avatar in page.avatars:
        try:
            shown.append((avatar, await studio.avatars.picture(avatar.id, viewer)))
        except NotFound:  # deleted just now
            continue
    page = replace(page, avatars=[avatar for avatar, _ in shown])
    language = await language_of(interaction)

    async def edit() -> None:
        files = [file_of(*pair, language) for pair in shown]
        view = PageView(place, page, files, language, guild=guild is not None)
        await interaction.edit_original_response(attachments=files, view=view)

    await retry_once(edit)


async def start(interaction: Interaction, place: Place) -> None:
    """The first page, as the answer to a command."""
    place.custom_id("f")  # what does not fit is refused before "thinking…" is shown
    await defer_answer(interaction, private=True)
    await show_page(interaction, place)


def _turns(place: Place, page: Page, language: str) -> list[Turn]:
    targets = {"f": None, "p": page.newer, "n": page.older, "l": LAST}
    able = {"f": page.newer, "p": page.newer, "n": page.older, "l": page.older}
    return [
        Turn(move, replace(place, cursor=cursor), language, disabled=able[move] is None)
        for move, cursor in targets.items()
    ]


def _galleries(place: Place, language: str, *, guild: bool) -> list[SelectOption]:
    """Every gallery in every order; the one that is shown is marked."""
    return [
        SelectOption(
            label=f"{say(f'gallery-{scope}', language)} · {say(f'gallery-{sort}', language)}",
            value=f"{scope}:{sort}",
            emoji=ICONS[scope],
            default=(scope, sort) == (place.scope, place.sort),
        )
        for scope in SCOPES
        if guild or scope != "guild"
        for sort in SORTS
    ]


def _packed(values: Mapping[str, str]) -> str:
    """A query string, with all letters as they are: custom ids are short, but know Unicode."""
    return "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in values.items())


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() else "+" if c == " " else quote(c, safe="") for c in text)


def _fitting(custom_id: str) -> str:
    if len(custom_id) > MAX_CUSTOM_ID:
        raise BadPrompt("gallery-too-many-colours")
    return custom_id
