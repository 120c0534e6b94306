"""What the bot and members may do: permissions, limits of the server, moderation."""

from contextlib import AbstractAsyncContextManager

import discord

from bot.discord.bot import Interaction, Source
from bot.discord.context import owner_of, request_of, roles_of
from bot.errors import NotAllowed
from db.records import Avatar

# For replies to mentions and the bot's own posts; commands and buttons need no permissions.
NEEDED = discord.Permissions(
    view_channel=True, send_messages=True, attach_files=True, read_message_history=True
)


def admit(source: Source, pictures: int) -> AbstractAsyncContextManager[object]:
    """See QuotaService.admit."""
    # a channel's limits apply to its threads
    parent = getattr(source.channel, "parent_id", None)
    return source.client.studio.quotas.admit(
        request_of(source),
        pictures,
        roles=roles_of(source),
        parent_channel=None if parent is None else str(parent),
    )


async def require_admission(source: Source) -> None:
    """Checks the server's limits for a request that paints nothing; `IrodoriBot.paint` checks its
    own. Raises Blocked, WrongChannel.
    """
    async with admit(source, 0):
        pass


async def is_owner(interaction: Interaction, avatar: Avatar) -> bool:
    """Whether the avatar was painted by the member, or in a browser that the member has linked."""
    return await interaction.client.studio.avatars.owns(owner_of(interaction), avatar)


def is_moderator(interaction: Interaction, avatar: Avatar) -> bool:
    """Whether the member may delete the avatar as a moderator: it was painted in this guild, and
    the member has Manage Messages here.
    """
    here = interaction.guild_id is not None and avatar.guild == str(interaction.guild_id)
    return here and interaction.permissions.manage_messages


async def is_operator(interaction: Interaction) -> bool:
    """Whether the member runs the bot: one of `discord.admins`, or its owner in Discord."""
    return interaction.user.id in interaction.client.settings.admins or bool(
        await interaction.client.is_owner(interaction.user)
    )


async def require_operator(interaction: Interaction) -> None:
    """Raises NotAllowed."""
    if not await is_operator(interaction):
        raise NotAllowed("operators-only")
