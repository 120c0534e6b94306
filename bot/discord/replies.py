"""How an interaction is answered: in time, once, and with words when something goes wrong."""

import functools
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import aiohttp
import discord
from discord import app_commands

from bot.errors import ModelUnavailable, NotAllowed, Refusal, TooSoon
from bot.i18n.messages import Fact, language_for, language_in
from bot.i18n.messages import say as words
from bot.settings import DiscordSettings
from bot.studio import Studio
from db.store import Avatar, MemberSettings, Owner

logger = logging.getLogger(__name__)

Interaction: TypeAlias = discord.Interaction[Any]  # its client is always the IrodoriBot
C = TypeVar("C")
T = TypeVar("T")

UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
ALREADY_ACKNOWLEDGED = 40060


@dataclass(frozen=True, slots=True)
class Mention:
    """A message that mentions the bot, where code also takes an interaction."""

    client: Any  # the IrodoriBot
    message: discord.Message
    extras: dict[Any, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return self.message.id

    @property
    def user(self) -> discord.User | discord.Member:
        return self.message.author

    @property
    def guild_id(self) -> int | None:
        return self.message.guild.id if self.message.guild is not None else None

    @property
    def channel(self) -> Any:
        return self.message.channel

    @property
    def channel_id(self) -> int:
        return self.message.channel.id

    @property
    def locale(self) -> discord.Locale:
        """That of the text, else the server's: a message does not tell its writer's."""
        written = language_in(self.message.content)
        if written is not None:
            return discord.Locale(written)
        guild = self.message.guild
        return guild.preferred_locale if guild is not None else discord.Locale.american_english


Asked: TypeAlias = Interaction | Mention


def owner_of(asked: Asked) -> Owner:
    user = asked.user
    return Owner(kind="discord", key=str(user.id), name=user.display_name)


def place_of(asked: Asked) -> dict[str, str | None]:
    """`guild` and `channel`, as the studio takes them."""
    guild, channel = asked.guild_id, asked.channel_id
    return {
        "guild": str(guild) if guild is not None else None,
        "channel": str(channel) if channel is not None else None,
    }


def roles_of(asked: Asked) -> list[str]:
    """Ids of the roles that the member has in this server."""
    # `Member.roles` leaves out those that the cache does not know (yet).
    return [str(id) for id in getattr(asked.user, "_roles", ())]


async def settings_of(asked: Asked) -> MemberSettings:
    """What the member has set, read once for each interaction."""
    if "settings" not in asked.extras:
        asked.extras["settings"] = await asked.client.studio.settings(owner_of(asked))
    settings: MemberSettings = asked.extras["settings"]
    return settings


async def language_of(asked: Asked) -> str:
    """The language that the member has set, else the one that Discord speaks with the member."""
    return (await settings_of(asked)).language or language_for(str(asked.locale))


async def tell(asked: Asked, key: str, **facts: Fact) -> None:
    """Short words to the member alone, in the member's language."""
    await say(asked, words(key, await language_of(asked), **facts))


async def require_admission(asked: Asked, pictures: int = 0) -> None:
    """Whether the member may ask this here, and for so many pictures; an order asks by itself.

    Raises Blocked, TooSoon, BadPrompt, and WrongPlace in a channel where the bot does not answer.
    """
    studio: Studio = asked.client.studio
    parent = getattr(asked.channel, "parent_id", None)  # a thread's; what holds there holds here
    await studio.admit(
        owner_of(asked),
        **place_of(asked),
        roles=roles_of(asked),
        pictures=pictures,
        parent=None if parent is None else str(parent),
    )


def is_owner(interaction: Interaction, avatar: Avatar) -> bool:
    return avatar.owner == owner_of(interaction)


def is_moderator(interaction: Interaction, avatar: Avatar) -> bool:
    """Manage Messages counts for what was painted in this server, and for no other's pictures."""
    here = interaction.guild_id is not None and avatar.guild == str(interaction.guild_id)
    return here and interaction.permissions.manage_messages


async def is_operator(interaction: Interaction) -> bool:
    """Whether the bot is this one's to run: `discord.admins`, or who owns it in Discord."""
    settings: DiscordSettings = interaction.client.settings
    return interaction.user.id in settings.admins or bool(
        await interaction.client.is_owner(interaction.user)
    )


async def require_operator(interaction: Interaction) -> None:
    """Raises NotAllowed."""
    if not await is_operator(interaction):
        raise NotAllowed("operators-only")


def is_addressee(interaction: Interaction) -> bool:
    """Whether the message that was pressed on answers the one who pressed."""
    message = interaction.message
    asked = message.interaction_metadata if message is not None else None
    return asked is not None and asked.user.id == interaction.user.id


def is_seen_alone(interaction: Interaction) -> bool:
    """Whether a message was pressed on that one member sees: what follows is not for everyone."""
    message = interaction.message
    return message is not None and message.flags.ephemeral


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


async def defer_answer(asked: Asked, *, private: bool) -> None:
    """Show "thinking…"; whether the answer is private is decided here and cannot change later."""
    if isinstance(asked, Mention):
        await twice(asked.message.channel.typing)
        return
    await respond(lambda: asked.response.defer(thinking=True, ephemeral=private))


async def fill_in(interaction: Interaction, text: str) -> None:
    """Puts the text in the place of "thinking…"."""
    await twice(lambda: interaction.edit_original_response(content=text))


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


async def say(asked: Asked, text: str) -> None:
    """Tell the member alone, wherever the interaction stands; who mentioned the bot, in a reply."""
    if isinstance(asked, Mention):
        await asked.message.reply(text)
        return
    answered = asked.response.type
    if answered is None:
        await respond(lambda: asked.response.send_message(text, ephemeral=True))
        return
    if answered is discord.InteractionResponseType.deferred_channel_message:
        # A followup would take over the "thinking…" message and be as public as that is.
        await delete_message(asked)
    await asked.followup.send(text, ephemeral=True)


def is_lost(error: Exception) -> bool:
    """Whether the first answer came too late for Discord."""
    return isinstance(error, discord.HTTPException) and error.code == UNKNOWN_INTERACTION


async def is_admitted(interaction: Interaction) -> bool:
    """Whether the bot still takes work; where it is ending, the member is told."""
    if interaction.client.admit():
        return True
    if interaction.type is not discord.InteractionType.autocomplete:
        await answer_failure(interaction, ModelUnavailable("order-restarting"))
    return False


async def answer_failure(asked: Asked, error: Exception) -> None:
    """Where every command, button, select and mention ends that did not succeed."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if is_lost(error):
        logger.warning("interaction %d was answered too late; Discord dropped it", asked.id)
        return
    try:
        language = await language_of(asked)
    except Exception:  # the database may be what failed
        language = language_for(str(asked.locale))
    text = words_for(error, language, _what(asked))
    try:
        await say(asked, text)
    except (discord.HTTPException, aiohttp.ClientError) as unsaid:
        logger.warning("could not tell a member why %s failed: %s", _what(asked), unsaid)


def guarded(
    act: Callable[[C, Interaction], Coroutine[Any, Any, None]],
) -> Callable[[C, Interaction], Coroutine[Any, Any, None]]:
    """discord.py only logs what a DynamicItem raises; the member must hear of it as well.

    Nor does it ask a command tree's `interaction_check` before.
    """

    @functools.wraps(act)
    async def callback(self: C, interaction: Interaction) -> None:
        if not await is_admitted(interaction):
            return
        try:
            await act(self, interaction)
        except Exception as error:
            await answer_failure(interaction, error)

    return callback


def words_for(error: Exception, language: str, what: str) -> str:
    """What a member is told; what is not a refusal goes to the log, under the id that is told."""
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


def _what(asked: Asked) -> str:
    if isinstance(asked, Mention):
        return "a mention"
    if asked.command is not None:
        return f"/{asked.command.qualified_name}"
    return str(asked.custom_id)
