"""The pages of a gallery, visible only to the member who opened it.

The custom ids of a page's components hold its whole state (scope, sort order, cursor, filter), so
that its buttons work after a restart and with another model.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self
from urllib.parse import parse_qsl

import discord
from discord import SelectOption, ui

from bot.discord.bot import Interaction
from bot.discord.components import Button, Component, Select
from bot.discord.context import language_of, owner_of
from bot.discord.gallery_state import SCOPES, SORTS, GalleryState, check_custom_id, pack_values
from bot.discord.open_picture import IdButton, OpenSelect
from bot.discord.permissions import require_admission
from bot.discord.replies import defer_answer, defer_update, retry_once
from bot.discord.text import file_of, option_of
from bot.errors import NotFound
from bot.i18n.messages import describe, say, shorten
from db.records import LAST, Avatar, GalleryQuery, Page, Picture

PAGE = 9  # pictures
MAX_HEADING = 500
ICONS = {"everyone": "🌍", "guild": "🏠", "mine": "🖼️", "favourites": "♥️"}
# A move's letter makes a page's custom ids differ, even where two lead to the same page.
MOVES = {"f": "⏮️", "p": "◀️", "n": "▶️", "l": "⏭️"}
LABELS = {"p": "gallery-previous", "n": "gallery-next"}


class PageButton(
    Component[Button],
    template="irodori:g:(?P<move>[fpnl])(?P<scope>[egmf])(?P<sort>[nl])"
    ":(?P<cursor>[0-9a-z.]*):(?P<values>.*)",
):
    """Shows another page."""

    def __init__(
        self, move: str, state: GalleryState, language: str = "en", *, disabled: bool = False
    ) -> None:
        super().__init__(
            Button(
                label=say(LABELS[move], language) if move in LABELS else None,
                emoji=MOVES[move],
                disabled=disabled,
                custom_id=state.custom_id(move),
            )
        )
        self.state = state

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        scope = next(scope for scope in SCOPES if scope[0] == match["scope"])
        sort = next(sort for sort in SORTS if sort[0] == match["sort"])
        state = GalleryState(scope, sort, dict(parse_qsl(match["values"])), match["cursor"] or None)
        return cls(match["move"], state)

    async def on_use(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await show_page(interaction, self.state)


class LegacyPageButton(
    PageButton,
    template="irodori:page:(?P<scope>everyone|guild|mine|favourites)"
    ":(?P<cursor>[on][0-9]*):(?P<values>.*)",
):
    """The page buttons of messages that were sent before galleries could be sorted."""

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Any:
        scope = next(scope for scope in SCOPES if scope == match["scope"])
        return PageButton(
            "p", GalleryState(scope, "new", dict(parse_qsl(match["values"])), match["cursor"])
        )


class GallerySelect(Component[Select], template="irodori:look:(?P<values>.*)"):
    """Shows another gallery, or the same one in another order; the filter stays."""

    def __init__(
        self, values: Mapping[str, str], options: Sequence[SelectOption], placeholder: str = ""
    ) -> None:
        super().__init__(
            Select(
                custom_id=check_custom_id(f"irodori:look:{pack_values(values)}"),
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
        state = next(
            GalleryState(scope, sort, self.values)
            for scope in SCOPES
            for sort in SORTS
            if f"{scope}:{sort}" == chosen
        )
        await defer_update(interaction)
        await show_page(interaction, state)


COMPONENTS = (PageButton, LegacyPageButton, GallerySelect, OpenSelect, IdButton)


class PageView(ui.LayoutView):
    def __init__(
        self,
        state: GalleryState,
        page: Page,
        files: Sequence[discord.File],
        language: str,
        *,
        guild: bool,
    ) -> None:
        super().__init__(timeout=None)
        values = describe(state.values, language)
        heading = say(f"gallery-{state.scope}", language)
        if values:
            heading = say("gallery-of-values", language, gallery=heading, values=values)
        facts = [say(f"gallery-{state.sort}", language)]
        if files and page.count is not None and page.before is not None:
            numbers = {"first": page.before + 1, "last": page.before + len(page.avatars)}
            key = "gallery-of" if len(page.avatars) > 1 else "gallery-of-one"
            facts.append(say(key, language, **numbers, count=page.count))
        heading = discord.utils.escape_markdown(shorten(heading, MAX_HEADING))
        self.add_item(ui.TextDisplay(f"### {ICONS[state.scope]} {heading}\n-# {' · '.join(facts)}"))
        if files:
            self.add_item(ui.MediaGallery(*(discord.MediaGalleryItem(file) for file in files)))
            options = [
                option_of(avatar, language, number=i)
                for i, avatar in enumerate(page.avatars, 1 + (page.before or 0))
            ]
            self.add_item(ui.ActionRow(OpenSelect(options, say("gallery-open", language))))
        else:
            self.add_item(ui.TextDisplay(say(_empty(state), language)))
        self.add_item(ui.ActionRow(*_page_buttons(state, page, language), IdButton(language)))
        placeholder = say("gallery-look", language)
        options = _gallery_options(state, language, guild=guild)
        self.add_item(ui.ActionRow(GallerySelect(state.values, options, placeholder)))


async def show_page(interaction: Interaction, state: GalleryState) -> None:
    """Fills in the deferred reply, or replaces the page that was clicked. Raises Refusal."""
    await require_admission(interaction)
    studio = interaction.client.studio
    viewer, guild = owner_of(interaction), interaction.guild_id
    if state.scope == "guild" and guild is None:
        raise NotFound("gallery-no-server")
    page = await studio.gallery.page(
        GalleryQuery(
            scope=state.scope,
            viewer=viewer,
            guild=None if guild is None else str(guild),
            values=state.values,
            limit=PAGE,
            cursor=state.cursor,
            sort=state.sort,
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
        view = PageView(state, page, files, language, guild=guild is not None)
        await interaction.edit_original_response(attachments=files, view=view)

    await retry_once(edit)


async def start(interaction: Interaction, state: GalleryState) -> None:
    """Replies to a command with the first page."""
    state.custom_id("f")  # refuses a filter that is too long before "thinking…" is shown
    await defer_answer(interaction, private=True)
    await show_page(interaction, state)


def _empty(state: GalleryState) -> str:
    """The message of a gallery without pictures."""
    if state.values:
        return "gallery-empty-wish"
    return "gallery-empty-favourites" if state.scope == "favourites" else "gallery-empty"


def _page_buttons(state: GalleryState, page: Page, language: str) -> list[PageButton]:
    targets = {"f": None, "p": page.newer, "n": page.older, "l": LAST}
    enabled = {"f": page.newer, "p": page.newer, "n": page.older, "l": page.older}
    return [
        PageButton(move, replace(state, cursor=cursor), language, disabled=enabled[move] is None)
        for move, cursor in targets.items()
    ]


def _gallery_options(state: GalleryState, language: str, *, guild: bool) -> list[SelectOption]:
    """Every gallery in every order; the one on display is preselected."""
    return [
        SelectOption(
            label=f"{say(f'gallery-{scope}', language)} · {say(f'gallery-{sort}', language)}",
            value=f"{scope}:{sort}",
            emoji=ICONS[scope],
            default=(scope, sort) == (state.scope, state.sort),
        )
        for scope in SCOPES
        if guild or scope != "guild"
        for sort in SORTS
    ]
