"""Acknowledges interactions, replies to them, and reports failures to members."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import aiohttp
import discord
from discord import app_commands

from bot.discord.bot import Interaction, Mention, Source
from bot.errors import ModelUnavailable, NotAllowed, Refusal, TooSoon
from bot.i18n.messages import language_for
from bot.i18n.messages import say as words
from bot.studio import Request
from db.records import Avatar, MemberSettings, Owner

logger = logging.getLogger(__name__)

C = TypeVar("C")
T = TypeVar("T")

UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
ALREADY_ACKNOWLEDGED = 40060


def owner_of(source: Source) -> Owner:
    user = source.user
    return Owner(kind="discord", key=str(user.id), name=user.display_name)


def request_of(source: Source) -> Request:
    """Where the member asks; `private` and the order id are the caller's to add."""
    guild, channel = source.guild_id, source.channel_id
    return Request(
        owner_of(source),
        guild=str(guild) if guild is not None else None,
        channel=str(channel) if channel is not None else None,
    )


def roles_of(source: Source) -> list[str]:
    """Ids of the roles that the member has in this guild."""
    # `Member.roles` leaves out those that the cache does not know (yet).
    return [str(id) for id in getattr(source.user, "_roles", ())]


async def settings_of(source: Source) -> MemberSettings:
    """The member's settings, read once for each interaction."""
    if "settings" not in source.extras:
        source.extras["settings"] = await source.client.studio.members.settings(owner_of(source))
    settings: MemberSettings = source.extras["settings"]
    return settings


async def language_of(source: Source) -> str:
    """The language of the member's settings, else that of the member's Discord."""
    return (await settings_of(source)).language or language_for(str(source.locale))


def admit(source: Source, pictures: int) -> AbstractAsyncContextManager[object]:
    """See QuotaService.admit."""
    # what the admins have set for a channel holds in its threads
    parent = getattr(source.channel, "parent_id", None)
    return source.client.studio.quotas.admit(
        request_of(source),
        pictures,
        roles=roles_of(source),
        parent_channel=None if parent is None else str(parent),
    )


async def require_admission(source: Source) -> None:
    """Refuses what only reads to blocked members, and in channels where the bot does not reply;
    `IrodoriBot.paint` does so by itself. Raises Blocked, WrongPlace.
    """
    async with admit(source, 0):
        pass


def is_owner(interaction: Interaction, avatar: Avatar) -> bool:
    return avatar.owner == owner_of(interaction)


def is_moderator(interaction: Interaction, avatar: Avatar) -> bool:
    """Whether the member may delete the avatar as a moderator: one with Manage Messages may delete
    what was painted in this guild.
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


def is_requester(interaction: Interaction) -> bool:
    """Whether the member who clicked is the one whom the message replies to."""
    message = interaction.message
    requester = message.interaction_metadata if message is not None else None
    return requester is not None and requester.user.id == interaction.user.id


def is_ephemeral(interaction: Interaction) -> bool:
    """Whether the clicked message is visible to one member only, as its replies then are."""
    message = interaction.message
    return message is not None and message.flags.ephemeral


async def retry_once(call: Callable[[], Awaitable[T]]) -> T:
    """Repeats an idempotent request once if its connection breaks.

    discord.py retries after a 5xx, but not after a dropped connection.
    """
    try:
        return await call()
    except aiohttp.ClientConnectionError:
        return await call()


async def respond(call: Callable[[], Awaitable[object]]) -> None:
    """The first response to an interaction, `interaction.response.…`; Discord takes only one.

    If the first attempt arrived and only its confirmation was lost, the error of the second one is
    ignored.
    """
    try:
        await retry_once(call)
    except discord.HTTPException as error:
        if error.code != ALREADY_ACKNOWLEDGED:
            raise


async def defer_answer(source: Source, *, private: bool) -> None:
    """Shows "thinking…"; whether the reply is private is decided here and cannot change later."""
    if isinstance(source, Mention):
        await retry_once(source.message.channel.typing)
        return
    await respond(lambda: source.response.defer(thinking=True, ephemeral=private))


async def fill_in(interaction: Interaction, text: str) -> None:
    """Replaces "thinking…" by the text."""
    await retry_once(lambda: interaction.edit_original_response(content=text))


async def defer_update(interaction: Interaction) -> None:
    """Acknowledges a click whose message will be edited or deleted; shows nothing meanwhile."""
    await respond(interaction.response.defer)


async def delete_message(interaction: Interaction) -> None:
    """Deletes the reply to this interaction: after `defer_update`, the message of the button.

    By the interaction's token, because ephemeral messages, and guilds where only the user installed
    the app, cannot be reached through the channel.
    """
    try:
        await retry_once(interaction.delete_original_response)
    except discord.HTTPException as error:
        if error.code != UNKNOWN_MESSAGE:  # it is deleted already
            raise


async def tell(source: Source, text: str) -> None:
    """Shows the text to the member alone, whatever the state of the interaction; to a mention, as a
    public reply.
    """
    if isinstance(source, Mention):
        await source.message.reply(text)
        return
    answered = source.response.type
    if answered is None:
        await respond(lambda: source.response.send_message(text, ephemeral=True))
        return
    if answered is discord.InteractionResponseType.deferred_channel_message:
        # A followup would replace the "thinking…" message and be as public as that is.
        await delete_message(source)
    await source.followup.send(text, ephemeral=True)


def is_lost(error: Exception) -> bool:
    """Whether the first response came too late for Discord."""
    return isinstance(error, discord.HTTPException) and error.code == UNKNOWN_INTERACTION


async def is_accepted(interaction: Interaction) -> bool:
    """Whether the bot still accepts interactions; while it is closing, the member is told."""
    if interaction.client.accept():
        return True
    if interaction.type is not discord.InteractionType.autocomplete:
        await report_failure(interaction, ModelUnavailable("order-restarting"))
    return False


async def report_failure(source: Source, error: Exception) -> None:
    """Handles every error of a command, component or mention: tells the member."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if is_lost(error):
        logger.warning("interaction %d was answered too late; Discord dropped it", source.id)
        return
    try:
        language = await language_of(source)
    except Exception:  # the database may be what failed
        language = language_for(str(source.locale))
    text = text_of_failure(error, language, _what(source))
    try:
        await tell(source, text)
    except (discord.HTTPException, aiohttp.ClientError) as unsaid:
        logger.warning("could not tell a member why %s failed: %s", _what(source), unsaid)


def text_of_failure(error: Exception, language: str, what: str) -> str:
    """What a member is told; unexpected errors are logged under the code that the member sees."""
    if isinstance(error, TooSoon):  # Discord shows the time in the member's own zone
        when = discord.utils.format_dt(error.retry_at, "R")
        return words(error.key, language, **(error.facts | {"when": when}))
    if isinstance(error, Refusal):
        return error.text(language, discord.utils.escape_markdown)
    if isinstance(error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound):
        logger.warning("Discord shows an outdated command: %s", error)
        return words("failure-outdated", language)
    code = secrets.token_hex(4)
    logger.error("failure %s in %s", code, what, exc_info=error)
    return words("failure-broken", language, code=code)


def _what(source: Source) -> str:
    if isinstance(source, Mention):
        return "a mention"
    if source.command is not None:
        return f"/{source.command.qualified_name}"
    return str(source.custom_id)
