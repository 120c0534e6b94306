"""Posts the rounds of the weekly bracket with buttons to vote, and its winner."""

import io
import re
from datetime import datetime
from typing import Self

import discord
from discord import ui

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.card import AnswerView
from bot.discord.community.channels import Place, is_spoiler
from bot.discord.community.posting import Content, language_of_guild
from bot.discord.components import Button, Component
from bot.discord.context import language_of, owner_of
from bot.discord.permissions import require_admission
from bot.discord.replies import respond
from bot.discord.text import file_of, title
from bot.errors import NotFound
from bot.i18n.messages import say
from bot.studio.community.bracket import ROUND
from db.records import Avatar, Bracket, CommunitySettings, Post

KIND = "bracket"


class Vote(
    Component[Button],
    template="irodori:vote:(?P<bracket>[0-9]+):(?P<round>[0-9]+):(?P<number>[1-8])",
):
    """Votes for a picture of the current round."""

    def __init__(self, bracket: int, round: int, number: int) -> None:
        custom_id = f"irodori:vote:{bracket}:{round}:{number}"
        super().__init__(Button(label=str(number), custom_id=custom_id, row=(number - 1) // 2))
        self.bracket, self.round, self.number = bracket, round, number

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(int(match["bracket"]), int(match["round"]), int(match["number"]))

    async def on_use(self, interaction: Interaction) -> None:
        await require_admission(interaction)
        bracket = await interaction.client.studio.community.bracket.vote(
            self.bracket, self.round, self.number, owner_of(interaction)
        )
        language = await language_of(interaction)
        when = discord.utils.format_dt(bracket.ends, "R")
        text = say("bracket-voted", language, number=self.number, when=when)
        await respond(lambda: interaction.response.send_message(text, ephemeral=True))


async def plan(bot: IrodoriBot, guild: str, settings: CommunitySettings, now: datetime) -> None:
    if settings.bracket is None:
        return
    community = bot.studio.community
    bracket = await community.bracket.step(guild, now)
    # the winner of a bracket that ended while brackets were off is no news
    if bracket is not None and (bracket.finished is None or now - bracket.finished < ROUND):
        subject = f"{bracket.id}:{bracket.round}"
        await community.posts.plan(KIND, guild, subject, settings.bracket, now)


async def compose(bot: IrodoriBot, post: Post) -> Content | None:
    brackets, language = bot.studio.community.bracket, language_of_guild(bot, post.guild)
    id, round = map(int, post.subject.split(":"))
    bracket = await brackets.get(id)
    if bracket is None or bracket.round != round:  # the round is over
        return None
    public = await brackets.pictures(bracket.rounds[-1])
    if bracket.finished is not None:
        winner = public.get(bracket.winner or "")
        return None if winner is None else await _winner(bot, post, winner, language)
    return await _round(bot, post, bracket, sorted(public))


async def _round(bot: IrodoriBot, post: Post, bracket: Bracket, shown: list[str]) -> Content:
    language = language_of_guild(bot, post.guild)
    count = len(bracket.rounds[-1])
    picture = await bot.studio.community.bracket.picture(bracket)
    file = discord.File(
        io.BytesIO(picture),
        filename=f"irodori-bracket-{bracket.id}-{bracket.round}.webp",
        description=say("bracket-alt", language, count=count),
        spoiler=await is_spoiler(Place(bot, post.guild, post.channel)),
    )
    view = ui.View(timeout=None)
    for number, id in enumerate(bracket.rounds[-1], 1):
        if id in shown:
            view.add_item(Vote(bracket.id, bracket.round, number))
    when = discord.utils.format_dt(bracket.ends, "R")
    heading = say("bracket-final" if count == 2 else "bracket-title", language, count=count)
    text = f"**{heading}**\n{say('bracket-how', language, when=when)}"
    return Content(text, [file], view, shown)


async def _winner(bot: IrodoriBot, post: Post, avatar: Avatar, language: str) -> Content | None:
    studio = bot.studio
    try:
        picture = await studio.avatars.picture(avatar.id, viewer=None)
    except NotFound:  # deleted just now
        return None
    spoiler = await is_spoiler(Place(bot, post.guild, post.channel))
    text = say(
        "bracket-winner",
        language,
        title=title(avatar, language),
        member=f"<@{avatar.owner.key}>",
    )
    if studio.page_url:
        text += f"\n<{studio.page_url}/gallery>"
    return Content(
        text,
        [file_of(avatar, picture, language, spoiler=spoiler)],
        AnswerView(avatar, language, shapes=studio.shaping.is_offered(avatar)),
        [avatar.id],
    )
