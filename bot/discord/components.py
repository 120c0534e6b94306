"""What the components of an answer have in common."""

import re
from collections.abc import Iterator
from typing import Any

import discord
from discord import SelectOption

from bot.discord.replies import Interaction, is_seen_alone, language_of, settings_of
from bot.i18n.messages import LANGUAGES, say
from db.store import Avatar

ID = "(?P<id>[0-9a-z]+)"
ALONE = "(?P<alone>[01])"  # whether the answer is for the one who asked alone
MAX_OPTIONS = 25  # of one select


def components_of(interaction: Interaction) -> Iterator[Any]:
    """The buttons and selects of the message that was pressed on."""
    assert interaction.message is not None
    for row in interaction.message.components:
        if isinstance(row, discord.ActionRow):
            yield from row.children


def choose(option: SelectOption, value: str) -> SelectOption:
    """The option, marked if it is the chosen one."""
    return SelectOption(
        label=option.label,
        value=option.value,
        description=option.description,
        emoji=option.emoji,
        default=option.value == value,
    )


async def is_made_private(interaction: Interaction, parent: Avatar) -> bool:
    """What is made from a private avatar is private, and so is all that a member makes who wants
    it so."""
    return parent.private or bool((await settings_of(interaction)).private)


async def answers_alone(interaction: Interaction, avatar: Avatar) -> bool:
    """What is private, or follows a message that one member sees, is not for everyone."""
    return is_seen_alone(interaction) or await is_made_private(interaction, avatar)


async def language_shown(interaction: Interaction) -> str:
    """The language of the message's buttons: that of the one who asked for it, whoever presses."""
    labels = {getattr(component, "label", None) for component in components_of(interaction)}
    shown = [language for language in LANGUAGES if say("card-again", language) in labels]
    return shown[0] if shown else await language_of(interaction)


def asker_shown(interaction: Interaction) -> str | None:
    """The id of the member whom the message names as the one who asked."""
    assert interaction.message is not None
    named = re.search(r"<@([0-9]+)>", interaction.message.content)
    return named[1] if named is not None else None
