"""Posts pictures that enough members love, with credit, once each."""

from datetime import datetime

from bot.discord.bot import IrodoriBot
from bot.discord.card import AnswerView
from bot.discord.community.channels import Place, is_spoiler
from bot.discord.community.posting import Content, language_of_guild
from bot.discord.text import file_of, title
from bot.errors import NotFound
from bot.i18n.messages import say
from db.records import CommunitySettings, Post

KIND = "showcase"
AT_ONCE = 5  # pictures of a server


async def plan(bot: IrodoriBot, guild: str, settings: CommunitySettings, now: datetime) -> None:
    if settings.showcase is None:
        return
    community = bot.studio.community
    for avatar in await community.find_loved(guild, settings.hearts, AT_ONCE):
        await community.posts.plan(KIND, guild, avatar.id, settings.showcase, now)


async def compose(bot: IrodoriBot, post: Post) -> Content | None:
    studio, language = bot.studio, language_of_guild(bot, post.guild)
    try:
        avatar = await studio.avatars.get(post.subject, viewer=None)
        picture = await studio.avatars.picture(avatar.id, viewer=None)
    except NotFound:  # deleted or hidden since it was planned
        return None
    spoiler = await is_spoiler(Place(bot, post.guild, post.channel))
    text = say(
        "showcase-text",
        language,
        count=avatar.favorites,
        title=title(avatar, language),
        member=f"<@{avatar.owner.key}>",
    )
    return Content(
        text,
        [file_of(avatar, picture, language, spoiler=spoiler)],
        AnswerView(avatar, language, shapes=studio.shaping.is_offered(avatar)),
        [avatar.id],
    )
