"""Reports failures of commands, components and mentions to members."""

import logging
import secrets
from time import monotonic

import discord
from discord import app_commands

from bot.discord.bot import Interaction, Mention, Source
from bot.discord.context import language_of
from bot.discord.replies import REQUEST_ERRORS, tell
from bot.errors import ModelUnavailable, Refusal, TooSoon
from bot.i18n.messages import language_for, say
from bot.outages import Outage
from bot.studio import StoreUnavailable

logger = logging.getLogger(__name__)
store_outage = Outage(logger)
UNKNOWN_INTERACTION = 10062


def is_lost(error: Exception) -> bool:
    """Whether Discord dropped the interaction because the first response came too late."""
    return isinstance(error, discord.HTTPException) and error.code == UNKNOWN_INTERACTION


async def is_accepted(interaction: Interaction) -> bool:
    """Whether the bot still accepts interactions; while it is closing, the member is told."""
    interaction.extras["received"] = monotonic()  # Discord's time limit starts
    if interaction.client.accept():
        return True
    if interaction.type is not discord.InteractionType.autocomplete:
        await report_failure(interaction, ModelUnavailable("order-restarting"))
    return False


async def report_failure(source: Source, error: Exception) -> None:
    """Tells the member why a command, component or mention failed."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if is_lost(error):
        logger.warning("interaction %d was answered too late; Discord dropped it", source.id)
        return
    try:
        language = await language_of(source)
    except Exception:  # the database may have failed
        language = language_for(str(source.locale))
    text = text_of_failure(error, language, _what(source))
    try:
        await tell(source, text)
    except REQUEST_ERRORS as reply_error:
        logger.warning("could not tell a member why %s failed: %s", _what(source), reply_error)


def text_of_failure(error: Exception, language: str, what: str) -> str:
    """The text for the member. An unexpected error is logged with a code that the text shows."""
    if isinstance(error, TooSoon):  # Discord shows the time in the member's own zone
        when = discord.utils.format_dt(error.retry_at, "R")
        return say(error.key, language, **(error.facts | {"when": when}))
    if isinstance(error, Refusal):
        return error.text(language, discord.utils.escape_markdown)
    if isinstance(error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound):
        logger.warning("Discord shows an outdated command: %s", error)
        return say("failure-outdated", language)
    if isinstance(error, StoreUnavailable):
        store_outage.report("the database cannot be used: %s", error)
        return say("failure-database", language)
    code = secrets.token_hex(4)
    logger.error("failure %s in %s", code, what, exc_info=error)
    return say("failure-broken", language, code=code)


def _what(source: Source) -> str:
    if isinstance(source, Mention):
        return "a mention"
    if source.command is not None:
        return f"/{source.command.qualified_name}"
    return str(source.custom_id)
