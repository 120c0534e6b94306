"""Posts messages by themselves, each of them once, updates and deletes them.

A post is stored before it is sent. An attempt of which it is unknown whether it succeeded is
repeated with the same nonce, which Discord remembers for some minutes, and after a look at the
channel's newest messages. Where the bot may not read these, it is not repeated.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import discord

from bot.discord.bot import IrodoriBot
from bot.discord.replies import REQUEST_ERRORS, UNKNOWN_MESSAGE, is_temporary
from bot.i18n.messages import language_for
from db.records import Post

log = logging.getLogger(__name__)

SEARCHED = 50  # newest messages of a channel


@dataclass(frozen=True, slots=True)
class Content:
    """What a post shows: its text, files and buttons; the ids of the avatars in it, with which it
    is deleted; and what identifies the content of one that is updated.
    """

    text: str
    files: Sequence[discord.File] = ()
    view: discord.ui.View | None = None
    avatars: Sequence[str] = ()
    identity: str | None = None


def language_of_guild(bot: IrodoriBot, guild: str) -> str:
    found = bot.get_guild(int(guild))
    return "en" if found is None else language_for(str(found.preferred_locale))


async def send(bot: IrodoriBot, post: Post, content: Content | None, now: datetime) -> None:
    """Sends a post that was taken; with None there is nothing to show any more. After a failure
    that may pass, it is taken again later.
    """
    posts = bot.studio.community.posts
    if content is None:
        await posts.finish(post, now, None)
        return
    channel = _channel(bot, post)
    try:
        message = await _find(bot, channel, post, content) if post.attempted else None
        if message is None:
            message = await channel.send(
                content.text,
                files=list(content.files),
                view=content.view or discord.utils.MISSING,
                nonce=f"{post.id}-{int(post.created.timestamp() * 1000)}",
                silent=True,
            )
    except REQUEST_ERRORS as error:
        if is_temporary(error):
            log.info("a post cannot be sent, it is tried again: %s", error)
            return
        log.warning("%s of server %s cannot be posted: %s", post.kind, post.guild, error)
        await posts.finish(post, now, None)
        return
    await posts.finish(
        post, now, str(message.id), content=content.identity, avatars=content.avatars
    )


async def edit(bot: IrodoriBot, post: Post, content: Content) -> None:
    """Replaces what a post shows. If its message was deleted, so is the post."""
    posts = bot.studio.community.posts
    assert post.message is not None
    assert content.identity is not None
    message = _channel(bot, post).get_partial_message(int(post.message))
    try:
        await message.edit(content=content.text, attachments=list(content.files), view=content.view)
    except REQUEST_ERRORS as error:
        if _is_gone(error):
            await posts.delete(post)
            return
        log.warning("%s of server %s is not updated: %s", post.kind, post.guild, error)
        if is_temporary(error):
            return  # tried again in the next step; otherwise at the next change
    await posts.set_content(post, content.identity)


async def delete(bot: IrodoriBot, post: Post) -> None:
    """Deletes the message of a post, and the post."""
    if post.message is not None:
        try:
            await _channel(bot, post).get_partial_message(int(post.message)).delete()
        except REQUEST_ERRORS as error:
            if is_temporary(error):
                log.info("a post cannot be deleted, it is tried again: %s", error)
                return
            if not _is_gone(error):
                log.warning("%s of server %s stays: %s", post.kind, post.guild, error)
    await bot.studio.community.posts.delete(post)


async def _find(
    bot: IrodoriBot, channel: discord.PartialMessageable, post: Post, content: Content
) -> discord.Message | None:
    """The message of an earlier attempt: the bot's own, no reply, with the same files, or the same
    text if it has none.
    """
    names = sorted(file.filename for file in content.files)
    async for message in channel.history(limit=SEARCHED):
        own = message.author.id == bot.own_id and message.interaction_metadata is None
        if not own or message.reference is not None or message.created_at < post.created:
            continue
        shown = sorted(attachment.filename for attachment in message.attachments)
        if shown == names and (names or message.content == content.text):
            return message
    return None


def _channel(bot: IrodoriBot, post: Post) -> discord.PartialMessageable:
    return bot.get_partial_messageable(int(post.channel), guild_id=int(post.guild))


def _is_gone(error: Exception) -> bool:
    return isinstance(error, discord.NotFound) or (
        isinstance(error, discord.HTTPException) and error.code == UNKNOWN_MESSAGE
    )
