"""Texts and files of an avatar, within Discord's limits."""

import io
from collections.abc import Sequence

import discord

from bot.i18n.messages import describe, say, shorten
from bot.prompts.wish import format_wish
from bot.prompts.words import SYNONYMS
from db.records import Avatar, GuildLimits, Picture

LABEL = 100  # characters of a select option's label, value or description
MAX_LISTED = 10  # members, channels or roles of a server
MAX_ROLES = 6  # whose limits are listed
MAX_CONTENT = 2000  # characters of a message
MAX_TITLE = 600  # characters
MAX_ALT_TEXT = 256  # characters; Discord allows 1024

SWATCHES = {
    "aqua": "🩵",
    "black": "🖤",
    "blue": "💙",
    "brown": "🤎",
    "gray": "🩶",
    "green": "💚",
    "orange": "🧡",
    "pink": "🩷",
    "purple": "💜",
    "red": "❤️",
    "white": "🤍",
    "yellow": "💛",
}


def swatch(value: str) -> str | None:
    """The emoji nearest to this color; None if the value is not a color."""
    for word in (value, value.split()[-1]):  # "light blue" is a blue
        for name in (word, *SYNONYMS.get(word, ())):
            if name in SWATCHES:
                return SWATCHES[name]
    return None


def title(avatar: Avatar, language: str = "en") -> str:
    return shorten(describe(avatar.conditions, language), MAX_TITLE) or say("card-face", language)


def alt_text(avatar: Avatar, language: str = "en") -> str:
    words = describe(avatar.conditions, language)
    text = say("card-alt", language, words=words) if words else say("card-alt-plain", language)
    return shorten(text, MAX_ALT_TEXT)


def file_of(
    avatar: Avatar, picture: Picture, language: str = "en", *, spoiler: bool = False
) -> discord.File:
    return discord.File(
        io.BytesIO(picture.data),
        filename=f"irodori-{avatar.id}.{picture.format}",
        description=alt_text(avatar, language),
        spoiler=spoiler,
    )


def caption(
    avatar: Avatar,
    language: str = "en",
    *,
    number: int = 1,
    count: int = 1,
    requested_by: str | None = None,
    portrait_of: str | None = None,
) -> str:
    """The text of a reply; `number` of `count` is the picture that its buttons act on.

    `requested_by` and `portrait_of` are members' ids.
    """
    heading = title(avatar, language)
    if count > 1:
        heading = say("card-number", language, number=number, count=count, title=heading)
    heading = shorten(discord.utils.escape_markdown(heading), MAX_TITLE)
    if portrait_of is not None:
        heading = say("card-portrait", language, member=f"<@{portrait_of}>", title=heading)
    facts = [*_facts(avatar, language)]
    if requested_by is not None:
        facts.insert(0, say("card-for", language, member=f"<@{requested_by}>"))
    return f"**{heading}**\n-# {shorten(' · '.join(facts), 1000)}"


def _facts(avatar: Avatar, language: str) -> list[str]:
    """Wish and id. Seed, model and command are behind the button Info."""
    wish = format_wish(avatar.wish)
    return [
        say("card-wish", language, wish=f"`{wish}`") if wish else say("card-no-wish", language),
        say("card-id", language, id=f"`{avatar.id}`"),
    ]


def option_of(
    avatar: Avatar, language: str = "en", *, number: int | None = None
) -> discord.SelectOption:
    """An option of a select; its value is the avatar's id."""
    favorites = f" · ♥ {avatar.favorites}" if avatar.favorites else ""
    position = f"{number}. " if number is not None else ""
    seed = say("card-seed", language, seed=str(avatar.seed))
    return discord.SelectOption(
        label=shorten(position + title(avatar, language), LABEL),
        value=avatar.id,
        description=shorten(f"{seed}{favorites}", LABEL),
    )


def role_lines(limits: GuildLimits, language: str) -> list[str]:
    """A line for each role that has its own limits, and one about those that are left out."""
    lines = [
        say(
            "limits-of-role",
            language,
            role=f"<@&{id}>",
            cooldown=say("limits-cooldown", language, seconds=own.cooldown),
            daily=say("limits-daily", language, count=own.daily),
        )
        for id, own in list(limits.role_limits.items())[:MAX_ROLES]
    ]
    more = len(limits.role_limits) - MAX_ROLES
    return [*lines, say("limits-more-roles", language, count=more)] if more > 0 else lines


def mentions(form: str, ids: Sequence[str], language: str) -> str:
    """Mentions such as "<#1> <#2>" by their `form` "<#{}>"; of many, the first ones and how many
    are left out.
    """
    names = " ".join(form.format(id) for id in ids[:MAX_LISTED])
    more = len(ids) - MAX_LISTED
    return say("limits-more", language, names=names, count=more) if more > 0 else names
