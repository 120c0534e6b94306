"""Autocompletion of options that take a picture: the member's own, favorites, or any id."""

import contextlib
import itertools
from collections.abc import Iterable

from discord import app_commands

from bot.discord.autocompletion import limited
from bot.discord.bot import Interaction
from bot.discord.context import language_of, owner_of
from bot.discord.text import LABEL, swatch, title
from bot.errors import NotFound
from bot.i18n.messages import describe, shorten
from bot.studio import Studio
from db.records import Avatar, GalleryQuery, Owner

MAX_CHOICES = 25
SEARCHED = 50  # of the member's own pictures, and as many favorites


@limited
async def complete_id(interaction: Interaction, text: str) -> list[app_commands.Choice[str]]:
    """Choices whose values are ids of pictures that match the typed text: a part of the id, or
    words of the label in the member's language or in English.
    """
    studio = interaction.client.studio
    me, language = owner_of(interaction), await language_of(interaction)
    typed = text.casefold().split()
    chosen = {str(value) for value in vars(interaction.namespace).values()} - {text}
    matching = [
        avatar
        for avatar in await pictures_of(studio, me, SEARCHED if typed else MAX_CHOICES)
        if _matches(typed, avatar, language) and avatar.id not in chosen
    ]
    if not matching and len(typed) == 1:
        with contextlib.suppress(NotFound):
            matching = [await studio.avatars.get(typed[0], me)]
    return [
        app_commands.Choice(name=label_of(avatar, language), value=avatar.id)
        for avatar in matching[:MAX_CHOICES]
    ]


async def pictures_of(studio: Studio, owner: Owner, limit: int = SEARCHED) -> list[Avatar]:
    """The owner's newest pictures and favorites, at most `limit` of each. They alternate, so that
    the first choices contain both.
    """
    pages = [
        await studio.gallery.page(GalleryQuery(scope, owner, None, {}, limit))
        for scope in ("mine", "favourites")
    ]
    pairs = itertools.zip_longest(*(page.avatars for page in pages))
    return _unique(avatar for pair in pairs for avatar in pair if avatar is not None)


def label_of(avatar: Avatar, language: str) -> str:
    """ "🩷🧡 pink hair, orange eyes · k3m9x2ph", within Discord's limit."""
    swatches = "".join(filter(None, map(swatch, avatar.conditions.values())))
    text, id = f"{swatches} {title(avatar, language)}".strip(), f" · {avatar.id}"
    return shorten(text, LABEL - len(id)) + id


def _matches(typed: list[str], avatar: Avatar, language: str) -> bool:
    shown = f"{avatar.id} {describe(avatar.conditions, language)} {describe(avatar.conditions)}"
    return all(word in shown.casefold() for word in typed)


def _unique(avatars: Iterable[Avatar]) -> list[Avatar]:
    return list({avatar.id: avatar for avatar in avatars}.values())
