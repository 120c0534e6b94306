"""What a server has turned on for replies: spoilers, deletion in flooded channels, and links from
children to their parents' messages.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.deferred_reply import DeferredReply
from bot.i18n.messages import listed, say
from bot.studio import StoreUnavailable
from db.records import Avatar, MessageLink

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reply is shown; `guild` is None for direct messages."""

    client: IrodoriBot
    guild: str | None
    channel: str | None

    @classmethod
    def of(cls, interaction: Interaction) -> Self:
        guild, channel = interaction.guild_id, interaction.channel_id
        return cls(
            interaction.client,
            None if guild is None else str(guild),
            None if channel is None else str(channel),
        )

    @classmethod
    def of_reply(cls, reply: DeferredReply) -> Self:
        return cls(reply.client, reply.pending.guild, reply.pending.channel)

    def is_in(self, channels: Sequence[str]) -> bool:
        """Whether the channel, or the one of its thread, is among these."""
        if self.channel is None or not channels:
            return False
        parent = getattr(self.client.get_channel(int(self.channel)), "parent_id", None)
        return self.channel in channels or (parent is not None and str(parent) in channels)


async def is_spoiler(place: Place) -> bool:
    """Whether pictures are hidden behind a spoiler here."""
    if place.guild is None:
        return False
    return place.is_in(
        (await place.client.studio.community.settings_for_reply(place.guild)).spoilers
    )


async def lineage(place: Place, avatar: Avatar, language: str) -> str:
    """A line with links to the messages that show the avatar's parents; empty if there are none."""
    if place.guild is None:
        return ""
    links = await place.client.studio.community.links(avatar, place.guild)
    if not links:
        return ""
    parents = [
        f"[`{id}`](https://discord.com/channels/{link.guild}/{link.channel}/{link.message})"
        for id in avatar.parents
        if (link := links.get(id)) is not None
    ]
    return f"\n-# {say('card-child-of', language, parents=listed(parents, language))}"


async def note_reply(place: Place, message: int, avatars: Sequence[Avatar]) -> None:
    """Stores a public reply, as far as the server's settings need it. A failure only means that it
    is neither deleted later nor linked to.
    """
    if place.guild is None or place.channel is None:
        return
    community = place.client.studio.community
    try:
        settings = await community.settings_for_reply(place.guild)
        link = MessageLink(place.guild, place.channel, str(message))
        ids = [avatar.id for avatar in avatars if not avatar.private]
        await community.note_reply(settings, link, place.is_in(settings.retract), ids)
    except StoreUnavailable as error:
        log.warning("a reply is not stored for later: %s", error)
