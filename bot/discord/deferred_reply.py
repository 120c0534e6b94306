"""A reply to an acknowledged interaction, which this process or a later one fills in."""

import contextlib
from collections.abc import Sequence
from typing import Any

import aiohttp
import discord
from discord.utils import MISSING

from bot.discord.bot import IrodoriBot
from bot.discord.replies import UNKNOWN_MESSAGE
from bot.discord.text import MAX_CONTENT
from bot.i18n.messages import shorten
from db.records import PendingReply

UNKNOWN_WEBHOOK = 10015
INVALID_TOKEN = 50027

Attachments = Sequence[discord.Attachment | discord.File]


class ReplyExpiredError(Exception):
    """Discord no longer accepts the reply."""


class DeferredReply:
    """The reply to an interaction, by its token, or to a message that mentions the bot."""

    def __init__(self, client: IrodoriBot, pending: PendingReply) -> None:
        self.client = client
        self.pending = pending
        self._by_token = not is_to_mention(pending)
        self._message: discord.Message | discord.PartialMessage | None = None
        self.shown: int | None = None  # the id of the message, once it was filled in or sent

    @property
    def message_id(self) -> int | None:
        """The id of the message that replies to a mention, once it was sent."""
        return self._message.id if self._message is not None else None

    async def edit(
        self,
        *,
        content: str | None = MISSING,
        attachments: Attachments = MISSING,
        view: discord.ui.View | discord.ui.LayoutView | None = MISSING,
    ) -> None:
        """Replaces these parts of the reply.

        If the token of a public reply has expired, sends a new message to its channel instead.
        Raises ReplyExpiredError if that is impossible, and discord.HTTPException.
        """
        parts = {"content": content, "attachments": attachments, "view": view}
        given: dict[str, Any] = {k: part for k, part in parts.items() if part is not MISSING}
        try:
            await self._edit(given)
        except aiohttp.ClientConnectionError:  # which discord.py does not retry
            rewind(given.get("attachments", ()))
            await self._edit(given)

    async def replace(self, text: str) -> None:
        """Deletes the reply and shows `text` to the requester only. In reply to a mention, where
        that is impossible, edits the reply.

        Raises ReplyExpiredError, discord.HTTPException.
        """
        text = shorten(text, MAX_CONTENT)
        if not self._by_token:
            await self.edit(content=text, attachments=[], view=None)
            return
        webhook = self._webhook()
        try:
            with contextlib.suppress(discord.NotFound):
                await webhook.delete_message(_original())
            await webhook.send(text, ephemeral=True)
        except discord.HTTPException as error:
            if not _is_expired(error):
                raise
            raise ReplyExpiredError from error

    async def _edit(self, parts: dict[str, Any]) -> None:
        if self._by_token:
            try:
                self.shown = (await self._webhook().edit_message(_original(), **parts)).id
                return
            except discord.HTTPException as error:
                if not _is_expired(error):
                    raise
                if self.pending.private or error.code != INVALID_TOKEN:
                    # It is private, was never acknowledged, or its message was deleted.
                    raise ReplyExpiredError from error
                self._by_token = False
                rewind(parts.get("attachments", ()))  # the refused request has read them
        try:
            await self._edit_in_channel(parts)
        except (discord.Forbidden, discord.NotFound) as error:
            raise ReplyExpiredError from error
        self.shown = self.message_id

    async def _edit_in_channel(self, parts: dict[str, Any]) -> None:
        pending = self.pending
        assert pending.channel is not None, "every interaction and message has a channel"
        channel = self.client.get_partial_messageable(
            int(pending.channel), guild_id=int(pending.guild) if pending.guild else None
        )
        if self._message is None and pending.token and is_to_mention(pending):
            self._message = channel.get_partial_message(int(pending.token))
        if self._message is not None:
            await self._message.edit(**parts)
            return
        files = parts.get("attachments", [])
        fields = {key: part for key, part in parts.items() if part is not None}
        fields.pop("attachments", None)
        if is_to_mention(pending):
            fields["reference"] = discord.MessageReference(
                message_id=int(pending.id),
                channel_id=int(pending.channel),
                fail_if_not_exists=False,
            )
        elif fields.get("content"):
            fields["content"] = f"-# <@{pending.owner.key}>\n{fields['content']}"
        # If the confirmation was lost, here or in an earlier process, the same nonce keeps
        # Discord from sending a second message.
        message = await channel.send(files=files, nonce=pending.id, **fields)
        self._message = message
        if len(message.attachments) < len(files):  # an earlier message had no files
            rewind(files)
            await message.edit(**parts)

    def _webhook(self) -> discord.Webhook:
        pending = self.pending
        application, token = int(pending.application), pending.token
        webhook = discord.Webhook.partial(application, token, client=self.client)
        webhook.proxy = self.client.http.proxy  # `partial` does not take it from the client
        return webhook


def is_to_mention(pending: PendingReply) -> bool:
    """Whether the reply is to a message instead of an interaction. Its token is then the id of the
    bot's own message, or empty before that is sent.
    """
    return pending.token == "" or pending.token.isdecimal()


def rewind(files: Attachments) -> None:
    """Makes the files readable again for another attempt."""
    for file in files:
        if isinstance(file, discord.File):
            file.reset(seek=True)


def _original() -> Any:
    """The id of an interaction's first reply, in the place of a number."""
    return "@original"


def _is_expired(error: discord.HTTPException) -> bool:
    return error.code in (UNKNOWN_WEBHOOK, INVALID_TOKEN, UNKNOWN_MESSAGE)
