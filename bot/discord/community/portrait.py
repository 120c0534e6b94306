"""Posts the family portrait: the faces of the members who take part, updated with them."""

import io
from datetime import datetime

import discord
from discord import ui

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.community import posting
from bot.discord.community.channels import Place, is_spoiler
from bot.discord.community.posting import Content, language_of_guild
from bot.discord.components import Button, Component
from bot.discord.context import language_of, owner_of
from bot.discord.permissions import require_admission
from bot.discord.replies import respond
from bot.errors import NotAllowed
from bot.i18n.messages import say
from bot.studio.community.portrait import MAX_FACES
from db.records import CommunitySettings, Owner, Post

KIND = SUBJECT = "portrait"
UNKNOWN_MEMBER = 10007


class TakePart(Component[Button], template="irodori:portrait"):
    """Adds the member's face to the portrait of the server, or removes it."""

    def __init__(self, label: str = "…") -> None:
        super().__init__(Button(label=label, emoji="🙋", custom_id="irodori:portrait"))

    @classmethod
    def restore(cls, match: object, item: Button) -> "TakePart":
        return cls()

    async def on_use(self, interaction: Interaction) -> None:
        await require_admission(interaction)
        community, guild = interaction.client.studio.community, str(interaction.guild_id)
        if (await community.settings(guild)).portrait is None:
            raise NotAllowed("portrait-off")
        joined = await community.portrait.toggle(guild, owner_of(interaction))
        interaction.client.dispatch("community_change")
        text = say("portrait-joined" if joined else "portrait-left", await language_of(interaction))
        await respond(lambda: interaction.response.send_message(text, ephemeral=True))


async def plan(bot: IrodoriBot, guild: str, settings: CommunitySettings, now: datetime) -> None:
    """Plans the post, or updates it if others take part or another model is in use."""
    if settings.portrait is None:
        return
    community = bot.studio.community
    post = await community.posts.get(KIND, guild, SUBJECT)
    if post is None:
        await community.posts.plan(KIND, guild, SUBJECT, settings.portrait, now)
    elif post.message is not None:
        portrait = await community.portrait.get(guild)
        if portrait.content != post.content:
            await posting.edit(bot, post, await compose(bot, post))


async def compose(bot: IrodoriBot, post: Post) -> Content:
    """Raises Busy, ModelUnavailable."""
    language = language_of_guild(bot, post.guild)
    portraits = bot.studio.community.portrait
    portrait = await portraits.get(post.guild)
    picture = await portraits.paint(portrait)
    count = len(portrait.members)
    files = []
    if picture is not None:
        file = discord.File(
            io.BytesIO(picture),
            filename="irodori-portrait.webp",
            description=say("portrait-alt", language, count=min(count, MAX_FACES)),
            spoiler=await is_spoiler(Place(bot, post.guild, post.channel)),
        )
        files.append(file)
    lines = [f"**{say('portrait-title', language)}**", say("portrait-how", language, count=count)]
    if count > MAX_FACES:
        lines.append(f"-# {say('portrait-more', language, count=count - MAX_FACES)}")
    view = ui.View(timeout=None)
    view.add_item(TakePart(say("portrait-button", language)))
    return Content("\n".join(lines), files, view, identity=portrait.content)


async def remove_departed(bot: IrodoriBot, guild: str) -> None:
    """Removes those who have left the server. Without the intent for members, Discord does not
    report it.
    """
    community, found = bot.studio.community, bot.get_guild(int(guild))
    if found is None or (await community.settings(guild)).portrait is None:
        return
    for member in (await community.portrait.get(guild)).members:
        try:
            await found.fetch_member(int(member.key))
        except discord.NotFound as error:
            if error.code == UNKNOWN_MEMBER:
                await community.portrait.leave(guild, member)


async def leave(bot: IrodoriBot, guild: int, member: int) -> None:
    await bot.studio.community.portrait.leave(str(guild), Owner("discord", str(member)))
