"""Acknowledges interactions, and sends, edits and deletes replies."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import discord

from bot.discord.bot import Interaction, Mention, Source

C = TypeVar("C")
T = TypeVar("T")
UNKNOWN_MESSAGE = 10008
ALREADY_ACKNOWLEDGED = 40060


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


async def defer_answer(source: Source, *, private: bool) -> None:
    """Shows "thinking…". Whether the reply is private cannot change afterwards."""
    if isinstance(source, Mention):
        await retry_once(source.message.channel.typing)
        return
    await respond(lambda: source.response.defer(thinking=True, ephemeral=private))


async def fill_in(interaction: Interaction, text: str) -> None:
    """Replaces "thinking…" with the text."""
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
    if isinstance(source, Mention):
        await source.message.reply(text)
        return
    answered = source.response.type
    if answered is None:
        await respond(lambda: source.response.send_message(text, ephemeral=True))
        return
    if answered is discord.InteractionResponseType.deferred_channel_message:
        # A followup would replace the "thinking…" message and be public if that is.
        await delete_message(source)
    await source.followup.send(text, ephemeral=True)
