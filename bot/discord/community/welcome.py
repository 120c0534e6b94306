"""Welcomes newcomers with their face, which is that of `/me`."""

import io
from datetime import datetime

import discord

from bot.discord.bot import IrodoriBot
from bot.discord.community.channels import Place, is_spoiler
from bot.discord.community.posting import Content, language_of_guild
from bot.i18n.messages import say
from db.records import Owner, Post

KIND = "welcome"


async def plan(bot: IrodoriBot, member: discord.Member, now: datetime) -> None:
    """Plans the welcome of a newcomer, if the server wants it."""
    community, guild = bot.studio.community, str(member.guild.id)
    channel = (await community.settings(guild)).welcome
    if channel is not None and not member.bot:
        await community.posts.plan(KIND, guild, str(member.id), channel, now)


async def compose(bot: IrodoriBot, post: Post) -> Content | None:
    """Raises Busy, ModelUnavailable."""
    language = language_of_guild(bot, post.guild)
    picture = await bot.studio.community.portrait.welcome(Owner("discord", post.subject))
    file = discord.File(
        io.BytesIO(picture),
        filename=f"irodori-welcome-{post.subject}.png",
        description=say("welcome-alt", language),
        spoiler=await is_spoiler(Place(bot, post.guild, post.channel)),
    )
    return Content(say("welcome-text", language, member=f"<@{post.subject}>"), [file])
