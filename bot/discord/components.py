"""Base class and helpers of the components below messages.

Components are DynamicItems: custom id and message hold everything that a click needs, so that they
work after a restart.
"""

import re
from collections.abc import Iterator
from typing import Any, Generic, Self, TypeVar

import discord
from discord import SelectOption, ui

from bot.discord.bot import Interaction
from bot.discord.context import is_ephemeral, language_of, settings_of
from bot.discord.failures import is_accepted, report_failure
from bot.errors import NotFound
from bot.i18n.messages import LANGUAGES, say
from db.records import Avatar

ID = "(?P<id>[0-9a-z]+)"
PRIVATE = "(?P<private>[01])"  # whether the reply is private
MAX_OPTIONS = 25  # of one select

I = TypeVar("I", bound=ui.Item[Any])  # noqa: E741


class Component(ui.DynamicItem[I], Generic[I], template="irodori:component"):
    """`restore` creates a component from its custom id; `on_use` handles a click or selection."""

    @classmethod
    def restore(cls, match: re.Match[str], item: I) -> Self:
        """The component with this custom id, on the message that was clicked."""
        return cls(match["id"])  # type: ignore[arg-type]  # most take an avatar's id

    async def on_use(self, interaction: Interaction) -> None:
        raise NotImplementedError

    @classmethod
    async def from_custom_id(  # type: ignore[override]  # the client is always an IrodoriBot
        cls, interaction: Interaction, item: I, match: re.Match[str], /
    ) -> Self:
        return cls.restore(match, item)

    def _require_offered(self) -> None:
        """Raises NotFound if a select's value is none of those that the message offers."""
        if isinstance(self.item, ui.Select):
            offered = {option.value for option in self.item.options}
            if not self.item.values or not offered.issuperset(self.item.values):
                raise NotFound("failure-no-choice")

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]
        # discord.py only logs what a DynamicItem raises, and does not call the command tree's
        # `interaction_check` before.
        if not await is_accepted(interaction):
            return
        try:
            self._require_offered()
            await self.on_use(interaction)
        except Exception as error:
            await report_failure(interaction, error)


Button = ui.Button[Any]
Select = ui.Select[Any]


def components_of(interaction: Interaction) -> Iterator[Any]:
    """The buttons and selects of the clicked message."""
    assert interaction.message is not None
    for row in interaction.message.components:
        if isinstance(row, discord.ActionRow):
            yield from row.children


def choose(option: SelectOption, value: str) -> SelectOption:
    """The option, selected if it has this value."""
    return SelectOption(
        label=option.label,
        value=option.value,
        description=option.description,
        emoji=option.emoji,
        default=option.value == value,
    )


async def is_made_private(interaction: Interaction, parent: Avatar) -> bool:
    """Whether a child of the avatar is private: if its parent is, or by the member's settings."""
    return parent.private or bool((await settings_of(interaction)).private)


async def is_reply_private(interaction: Interaction, avatar: Avatar) -> bool:
    """Whether the reply is private: if a child of the avatar or the clicked message is."""
    return is_ephemeral(interaction) or await is_made_private(interaction, avatar)


async def language_shown(interaction: Interaction) -> str:
    """The language of the message's buttons, which is its requester's, not that of who clicks."""
    labels = {getattr(component, "label", None) for component in components_of(interaction)}
    shown = [language for language in LANGUAGES if say("card-again", language) in labels]
    return shown[0] if shown else await language_of(interaction)


def requester_shown(interaction: Interaction) -> str | None:
    """The id of the requester, if the message names one."""
    assert interaction.message is not None
    named = re.search(r"<@([0-9]+)>", interaction.message.content)
    return named[1] if named is not None else None
