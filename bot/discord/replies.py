"""How an interaction is answered: in time, once, and with words when something goes wrong."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import aiohttp
import discord
from discord import app_commands

from bot.errors import Refusal
from db.store import Avatar, Owner

logger = logging.getLogger(__name__)

Interaction: TypeAlias = discord.Interaction[Any]  # its client is always the IrodoriClient
T = TypeVar("T")

UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
ALREADY_ACKNOWLEDGED = 40060


def owner_of(interaction: Interaction) -> Owner:
    user = interaction.user
    return Owner(kind="discord", key=str(user.id), name=user.display_name)


def place_of(interaction: Interaction) -> dict[str, str | None]:
    """`guild` and `channel`, as the studio takes them."""
    guild, channel = interaction.guild_id, interaction.channel_id
    return {
        "guild": str(guild) if guild is not None else None,
        "channel": str(channel) if channel is not None else None,
    }


def is_owner(interaction: Interaction, avatar: Avatar) -> bool:
    return avatar.owner == owner_of(interaction)


def is_moderator(interaction: Interaction, avatar: Avatar) -> bool:
    """Manage Messages counts for what was painted in this server, and for no other's pictures."""
    here = interaction.guild_id is not None and avatar.guild == str(interaction.guild_id)
    return here and interaction.permissions.manage_messages


def is_addressee(interaction: Interaction) -> bool:
    """Whether the message that was pressed on answers the one who pressed."""
    message = interaction.message
    asked = message.interaction_metadata if message is not None else None
    return asked is not None and asked.user.id == interaction.user.id


async def twice(call: Callable[[], Awaitable[T]]) -> T:
    """A request that does no harm when made again is made again if its connection breaks.

    discord.py tries again after a 5xx, but not after a connection that was dropped.
    """
    try:
        return await call()
    except aiohttp.ClientConnectionError:
        return await call()


async def respond(call: Callable[[], Awaitable[object]]) -> None:
    """The first answer to an interaction, which Discord takes only once: `interaction.response.…`.

    Where a first try arrived and only its receipt was lost, the second one's refusal is no failure.
    """
    try:
        await twice(call)
    except discord.HTTPException as error:
        if error.code != ALREADY_ACKNOWLEDGED:
            raise


async def defer_answer(interaction: Interaction, *, private: bool) -> None:
    """Show "thinking…"; whether the answer is private is decided here and cannot change later."""
    await respond(lambda: interaction.response.defer(thinking=True, ephemeral=private))


async def defer_update(interaction: Interaction) -> None:
    """The message that the button is on will be edited or deleted; nothing is shown meanwhile."""
    await respond(interaction.response.defer)


async def delete_message(interaction: Interaction) -> None:
    """Delete what this interaction answers with: the message of a button after `defer_update`.

    It goes by the interaction's token, because ephemeral messages and servers where only the user
    installed the app cannot be reached through the channel.
    """
    try:
        await twice(interaction.delete_original_response)
    except discord.HTTPException as error:
        if error.code != UNKNOWN_MESSAGE:  # somebody was faster
            raise


async def say(interaction: Interaction, text: str) -> None:
    """Tell the member alone, wherever the interaction stands."""
    answered = interaction.response.type
    if answered is None:
        await respond(lambda: interaction.response.send_message(text, ephemeral=True))
        return
    if answered is discord.InteractionResponseType.deferred_channel_message:
        # A followup would take over the "thinking…" message and be as public as that is.
        await delete_message(interaction)
    await interaction.followup.send(text, ephemeral=True)


async def answer_failure(interaction: Interaction, error: Exception) -> None:
    """Where every command, button and select ends that did not succeed."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, discord.HTTPException) and error.code == UNKNOWN_INTERACTION:
        logger.warning("interaction %d was answered too late; Discord dropped it", interaction.id)
        return
    if isinstance(error, Refusal):
        text = str(error)
    elif isinstance(error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound):
        logger.warning("Discord shows an outdated command: %s", error)
        text = "This command has changed. Reload Discord (Ctrl+R), then try again."
    else:
        code = secrets.token_hex(4)
        logger.error("failure %s in %s", code, _what(interaction), exc_info=error)
        text = f"Something broke on my side. If it keeps happening, tell my admin: `{code}`."
    try:
        await say(interaction, text)
    except (discord.HTTPException, aiohttp.ClientError) as unsaid:
        logger.warning("could not tell a member why %s failed: %s", _what(interaction), unsaid)


def _what(interaction: Interaction) -> str:
    if interaction.command is not None:
        return f"/{interaction.command.qualified_name}"
    return str(interaction.custom_id)
