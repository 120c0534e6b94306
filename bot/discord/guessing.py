"""The message of `/guess`: a child, four pictures with numbers, and their buttons."""

import io
import re
from typing import Self

import discord
from discord import ui

from bot.discord.bot import Interaction
from bot.discord.community.channels import Place, is_spoiler
from bot.discord.components import Button, Component
from bot.discord.context import language_of, owner_of
from bot.discord.deferred_reply import DeferredReply
from bot.discord.permissions import require_admission
from bot.discord.replies import respond
from bot.errors import NotAllowed
from bot.i18n.messages import say
from bot.studio.community.guessing import CHOICES, Puzzle


class Guess(Component[Button], template=f"irodori:guess:(?P<id>[0-9]+):(?P<number>[1-{CHOICES}])"):
    """Answers a question; only the member sees whether it is right."""

    def __init__(self, id: str, number: int) -> None:
        super().__init__(Button(label=str(number), custom_id=f"irodori:guess:{id}:{number}"))
        self.puzzle, self.number = id, number

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["id"], int(match["number"]))

    async def on_use(self, interaction: Interaction) -> None:
        await require_admission(interaction)
        if interaction.guild_id is None:
            raise NotAllowed("guess-off")
        guessing = interaction.client.studio.community.guessing
        guild = str(interaction.guild_id)
        outcome = await guessing.answer(self.puzzle, self.number, owner_of(interaction), guild)
        if outcome.repeated:
            key = "guess-repeated"
        else:
            key = "guess-right" if outcome.answer == self.number else "guess-wrong"
        language = await language_of(interaction)
        text = say(
            key,
            language,
            number=outcome.answer,
            right=outcome.score.right,
            answers=outcome.score.answers,
        )
        await respond(lambda: interaction.response.send_message(text, ephemeral=True))


async def show_puzzle(reply: DeferredReply, puzzle: Puzzle) -> None:
    language = reply.pending.language
    lines = [f"**{say('guess-title', language)}**", say("guess-how", language)]
    for place, score in enumerate(puzzle.best, 1):
        facts = {"right": score.right, "answers": score.answers}
        line = say("guess-score", language, member=f"<@{score.owner.key}>", **facts)
        lines.append(f"-# {place}. {line}")
    file = discord.File(
        io.BytesIO(puzzle.picture),
        filename="irodori-guess.webp",
        description=say("guess-alt", language),
        spoiler=await is_spoiler(Place.of_reply(reply)),
    )
    view = ui.View(timeout=None)
    for number in range(1, CHOICES + 1):
        view.add_item(Guess(puzzle.id, number))
    await reply.edit(content="\n".join(lines), attachments=[file], view=view)
