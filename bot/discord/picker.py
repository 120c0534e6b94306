"""A picture as an option: chosen among one's own and one's favourites, or by its id."""

import contextlib
import itertools
from collections.abc import Iterable

from discord import app_commands

from bot.discord.bot import Interaction
from bot.discord.context import language_of, owner_of
from bot.discord.text import LABEL, shorten, swatch, title
from bot.errors import NotFound
from bot.i18n.messages import describe
from bot.studio import Studio
from db.records import Avatar, GalleryQuery, Owner

MAX_CHOICES = 25
LOOKED_AT = 50  # of one's own, and as many favourites


async def complete_id(interaction: Interaction, text: str) -> list[app_commands.Choice[str]]:
    """Ids of pictures that fit what has been typed; each value is an id.

    What was typed is part of an id, or words of the label in the member's language or in English.
    """
    studio = interaction.client.studio
    me, language = owner_of(interaction), await language_of(interaction)
    typed = text.casefold().split()
    chosen = {str(value) for value in vars(interaction.namespace).values()} - {text}
    fitting = [
        avatar
        for avatar in await pictures_of(studio, me, LOOKED_AT if typed else MAX_CHOICES)
        if _fits(typed, avatar, language) and avatar.id not in chosen
    ]
    if not fitting and len(typed) == 1:
        with contextlib.suppress(NotFound):
            fitting = [await studio.avatars.get(typed[0], me)]
    return [
        app_commands.Choice(name=label_of(avatar, language), value=avatar.id)
        for avatar in fitting[:MAX_CHOICES]
    ]


async def pictures_of(studio: Studio, owner: Owner, limit: int = LOOKED_AT) -> list[Avatar]:
    """The newest ones of the owner's own and of the favourites, up to `limit` of each, in turn:
    whoever has many of the one sees the other as well."""
    pages = [
        await studio.gallery.page(GalleryQuery(scope, owner, None, {}, limit))
        for scope in ("mine", "favourites")
    ]
    turns = itertools.zip_longest(*(page.avatars for page in pages))
    return _unique(avatar for turn in turns for avatar in turn if avatar is not None)


def label_of(avatar: Avatar, language: str) -> str:
    """ "🩷🧡 pink hair, orange eyes · k3m9x2ph", within what Discord shows."""
    swatches = "".join(filter(None, map(swatch, avatar.conditions.values())))
    text, id = f"{swatches} {title(avatar, language)}".strip(), f" · {avatar.id}"
    return shorten(text, LABEL - len(id)) + id


def _fits(typed: list[str], avatar: Avatar, language: str) -> bool:
    shown = f"{avatar.id} {describe(avatar.conditions, language)} {describe(avatar.conditions)}"
    return all(word in shown.casefold() for word in typed)


def _unique(avatars: Iterable[Avatar]) -> list[Avatar]:
    return list({avatar.id: avatar for avatar in avatars}.values())
