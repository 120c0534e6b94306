"""An avatar in words and as a file, within Discord's limits."""

import io

import discord

from bot.language import describe
from bot.prompt import format_wish
from db.store import Avatar, Picture

MAX_ALT_TEXT = 256
LABEL = 100  # characters of a select option's label, and of its description


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def title(avatar: Avatar, language: str = "en") -> str:
    return describe(avatar.conditions, language) or "a face"


def alt_text(avatar: Avatar) -> str:
    words = describe(avatar.conditions)
    return shorten(f"anime avatar: {words}" if words else "anime avatar", MAX_ALT_TEXT)


def file_of(avatar: Avatar, picture: Picture) -> discord.File:
    return discord.File(
        io.BytesIO(picture.data),
        filename=f"irodori-{avatar.id}.{picture.format}",
        description=alt_text(avatar),
    )


def caption(avatar: Avatar, *, number: int = 1, count: int = 1, asked_by: str | None = None) -> str:
    """The text of an answer; `number` of `count` is the picture that its buttons act on."""
    position = f"{number} of {count}: " if count > 1 else ""
    facts = [
        f"wish `{format_wish(avatar.wish)}`" if avatar.wish else "no wish, all by chance",
        f"seed `{avatar.seed}`",
        f"model `{avatar.model}`",
        f"id `{avatar.id}`",
    ]
    if asked_by is not None:
        facts.insert(0, f"for <@{asked_by}>")
    heading = discord.utils.escape_markdown(position + title(avatar))
    return f"**{shorten(heading, 800)}**\n-# {shorten(' · '.join(facts), 1000)}"


def option_of(
    avatar: Avatar, language: str = "en", *, number: int | None = None
) -> discord.SelectOption:
    """One line of a select whose value is the avatar's id."""
    favourites = f" · ♥ {avatar.favourites}" if avatar.favourites else ""
    position = f"{number}. " if number is not None else ""
    return discord.SelectOption(
        label=shorten(position + title(avatar, language), LABEL),
        value=avatar.id,
        description=shorten(f"seed {avatar.seed}{favourites}", LABEL),
    )
