"""`/gallery`: browses what was painted, page by page, for the one who asked alone.

A page's whole state (scope, place, filter) is in the custom ids of its buttons.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import discord
from discord import SelectOption, app_commands, ui

from bot.discord.buttons import guarded, open_card
from bot.discord.options import OwnOption, wish_command
from bot.discord.replies import Interaction, defer_answer, defer_update, owner_of, twice
from bot.discord.text import file_of, option_of, shorten
from bot.errors import BadPrompt, NotFound
from bot.prompt import describe
from bot.studio import Studio
from db.store import GalleryQuery, Page, Picture, Scope

PAGE = 9  # pictures
MAX_CUSTOM_ID = 100
HEADINGS: dict[Scope, str] = {
    "mine": "Your gallery",
    "guild": "This server's gallery",
    "everyone": "Everyone's gallery",
    "favourites": "Your favourites",
}
SCOPES: dict[str, Scope] = {
    "everyone": "everyone",
    "server": "guild",
    "mine": "mine",
    "favourites": "favourites",
}


def gallery_command(studio: Studio) -> app_commands.Command[Any, ..., None]:
    async def run(interaction: Interaction, wish: dict[str, str], *, scope: str) -> None:
        query = _query(interaction, SCOPES[scope], wish, None)
        await defer_answer(interaction, private=True)
        await _show_page(interaction, query)

    return wish_command(
        studio,
        "gallery",
        "Browse the faces that were painted, for you alone",
        run,
        {
            "scope": OwnOption(
                Literal["everyone", "server", "mine", "favourites"],
                "everyone",
                "Whose pictures: everyone's, this server's, yours, or your favourites",
            )
        },
    )


class Turn(
    ui.DynamicItem[ui.Button[Any]],
    template=r"irodori:page:(?P<scope>[a-z]+):(?P<cursor>[on][0-9]*):(?P<filter>.*)",
):
    """Turns to the page at `cursor`; "o" or "n" alone is the direction without a page."""

    def __init__(self, scope: Scope, cursor: str, values: Mapping[str, str]) -> None:
        custom_id = f"irodori:page:{scope}:{cursor}:{urlencode(values)}"
        if len(custom_id) > MAX_CUSTOM_ID:
            raise BadPrompt("These are too many colours to filter by at once; leave one out.")
        newer = cursor.startswith("n")
        super().__init__(
            ui.Button[Any](
                label="Newer" if newer else "Older",
                emoji="◀️" if newer else "▶️",
                disabled=len(cursor) == 1,
                custom_id=custom_id,
            )
        )
        self.scope, self.cursor, self.values = scope, cursor, values

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Turn":
        values = dict(parse_qsl(match["filter"]))
        return cls(match["scope"], match["cursor"], values)  # type: ignore[arg-type]

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        query = _query(interaction, self.scope, self.values, self.cursor)
        await defer_update(interaction)
        await _show_page(interaction, query)


class Open(ui.DynamicItem[ui.Select[Any]], template="irodori:open"):
    """Opens one picture of the page with its buttons, below the page."""

    def __init__(self, options: list[SelectOption]) -> None:
        super().__init__(
            ui.Select[Any](custom_id="irodori:open", placeholder="Open a picture…", options=options)
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Open":
        return cls(item.options)  # type: ignore[attr-defined]

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        await open_card(interaction, self.item.values[0])


COMPONENTS = (Turn, Open)


class PageView(ui.LayoutView):
    def __init__(self, query: GalleryQuery, page: Page, files: list[discord.File]) -> None:
        super().__init__(timeout=None)
        colours = describe(query.values)
        heading = HEADINGS[query.scope] + (f": {colours}" if colours else "")
        self.add_item(ui.TextDisplay(f"### {shorten(heading, 500)}"))
        if files:
            self.add_item(ui.MediaGallery(*(discord.MediaGalleryItem(file) for file in files)))
            options = [option_of(avatar, number=i) for i, avatar in enumerate(page.avatars, 1)]
            self.add_item(ui.ActionRow(Open(options)))
        else:
            self.add_item(ui.TextDisplay("Nothing here yet. `/avatar` paints a face."))
        if page.newer is not None or page.older is not None:
            cursors = (page.newer or "n", page.older or "o")
            turns = (Turn(query.scope, cursor, query.values) for cursor in cursors)
            self.add_item(ui.ActionRow(*turns))


def _query(
    interaction: Interaction, scope: Scope, values: Mapping[str, str], cursor: str | None
) -> GalleryQuery:
    guild = interaction.guild_id
    if scope == "guild" and guild is None:
        raise NotFound("There is no server here. Try your own gallery or everyone's.")
    return GalleryQuery(
        scope=scope,
        viewer=owner_of(interaction),
        guild=None if guild is None else str(guild),
        values=values,
        limit=PAGE,
        cursor=cursor,
    )


async def _show_page(interaction: Interaction, query: GalleryQuery) -> None:
    """Fill in the deferred answer, or the page that was turned."""
    studio: Studio = interaction.client.studio
    page = await studio.gallery(query)
    pictures: dict[str, Picture] = {}
    for avatar in page.avatars:
        try:
            pictures[avatar.id] = await studio.picture(avatar.id, query.viewer)
        except NotFound:  # deleted just now
            continue
    shown = [avatar for avatar in page.avatars if avatar.id in pictures]
    page = Page(shown, page.older, page.newer)

    async def edit() -> None:
        files = [file_of(avatar, pictures[avatar.id]) for avatar in shown]
        view = PageView(query, page, files)
        await interaction.edit_original_response(attachments=files, view=view)

    await twice(edit)
