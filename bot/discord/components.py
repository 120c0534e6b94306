"""What the components of an answer have in common."""

from collections.abc import Iterator
from typing import Any

import discord
from discord import SelectOption

from bot.discord.replies import Interaction, is_seen_alone
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


def answers_alone(interaction: Interaction, avatar: Avatar) -> bool:
    """What follows a private avatar, or a message that one member sees, is not for everyone."""
    return avatar.private or is_seen_alone(interaction)
