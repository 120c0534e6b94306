"""Acknowledges interactions, and sends, edits and deletes replies."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import aiohttp
import discord

from bot.discord.bot import Interaction, Mention, Source
from bot.discord.text import MAX_CONTENT
from bot.i18n.messages import shorten

T = TypeVar("T")
UNKNOWN_MESSAGE = 10008
ALREADY_ACKNOWLEDGED = 40060
RATE_LIMITED = 429
# What a request to Discord raises if Discord refuses it, fails, or cannot be reached.
REQUEST_ERRORS = (discord.HTTPException, aiohttp.ClientError, OSError)

logger = logging.getLogger(__name__)


def is_temporary(error: Exception) -> bool:
    """Whether the request may succeed later: Discord fails, or cannot be reached."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == RATE_LIMITED
    return isinstance(error, aiohttp.ClientError | OSError)


async def retry_once(call: Callable[[], Awaitable[T]]) -> T:
    """Repeats an idempotent request once if its connection breaks.

    discord.py retries after a 5xx, but not after a dropped connection.
    """
    try:
        return await call()
    except aiohttp.ClientConnectionError:
        return await call()


async def respond(call: Callable[[], Awaitable[object]]) -> None:
    """Sends the first response to an interaction with `call`, `interaction.response.…`.

    Discord accepts only one: if the first attempt succeeded and its confirmation was lost, the
    error of the second attempt is ignored.
    """
    try:
        await retry_once(call)
    except discord.HTTPException as error:
        if error.code != ALREADY_ACKNOWLEDGED:
            raise


async def defer_answer(interaction: Interaction, *, private: bool) -> None:
    """Shows "thinking…". Whether the reply is private cannot change afterwards."""
    await respond(lambda: interaction.response.defer(thinking=True, ephemeral=private))
    interaction.extras["deferred"] = True  # `response.type` is None if the confirmation was lost


@contextlib.contextmanager
def typing_in(channel: discord.abc.Messageable) -> Iterator[None]:
    """Shows "typing…" in the channel if Discord allows it; nothing waits for that."""

    async def show() -> None:
        try:
            await channel.typing()
        except REQUEST_ERRORS as error:
            logger.info("typing could not be shown: %s", error)

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()


async def fill_in(interaction: Interaction, text: str) -> None:
    """Replaces "thinking…" with the text."""
    text = shorten(text, MAX_CONTENT)
    await retry_once(lambda: interaction.edit_original_response(content=text))


async def defer_update(interaction: Interaction) -> None:
    """Acknowledges a click whose message will be edited or deleted, without showing anything."""
    await respond(interaction.response.defer)


async def delete_message(interaction: Interaction) -> None:
    """Deletes the reply to this interaction: after `defer_update`, the message of the button.

    Uses the interaction's token, because ephemeral messages, and messages in guilds that have not
    added the bot, cannot be reached through the channel.
    """
    try:
        await retry_once(interaction.delete_original_response)
    except discord.HTTPException as error:
        if error.code != UNKNOWN_MESSAGE:  # it is deleted already
            raise


async def tell(source: Source, text: str) -> None:
    """Shows the text to the member only, whatever the state of the interaction. The reply to a
    mention is public.
    """
    text = shorten(text, MAX_CONTENT)
    if isinstance(source, Mention):
        await source.message.reply(text)
        return
    if "deferred" in source.extras:
        # A followup would replace the "thinking…" message and be public if that is; and the
        # position in the queue, if that is shown already, would stay.
        await delete_message(source)
    elif source.response.type is None and await _answered(source, text):
        return
    await source.followup.send(text, ephemeral=True)


async def _answered(interaction: Interaction, text: str) -> bool:
    """Sends the text as the first response. False if Discord had received an acknowledgment that
    seemed lost, so that the text must be a followup.
    """

    async def send() -> None:
        await interaction.response.send_message(text, ephemeral=True)

    try:
        await send()
    except aiohttp.ClientConnectionError:
        await respond(send)
    except discord.HTTPException as error:
        if error.code != ALREADY_ACKNOWLEDGED:
            raise
        return False
    return True
