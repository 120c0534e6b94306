"""`@Irodori pink hair, orange eyes`: a mention of the bot paints like `/avatar`.

Discord sends bots the text of messages that mention them, and of direct messages, without a
privileged intent.
"""

import re

import discord
from discord.ext import commands

from bot.discord.bot import IrodoriBot, Mention, PaintCommand
from bot.discord.cogs.help import help_text
from bot.discord.context import language_of, settings_of
from bot.discord.failures import report_failure
from bot.discord.permissions import require_admission
from bot.errors import ModelUnavailable, NotAllowed
from db.tasks import CreateTask


class MentionCog(commands.Cog):
    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        prompt = self._prompt(message)
        if prompt is None:
            return
        mention = Mention(self.bot, message)
        try:
            if not self.bot.accept():
                raise ModelUnavailable("order-restarting")
            await self._answer(mention, prompt)
        except Exception as error:
            await report_failure(mention, error)

    def _prompt(self, message: discord.Message) -> str | None:
        """The prompt in the message; None if it is not addressed to the bot."""
        if message.author.bot or message.type not in _WRITTEN:
            return None
        mention = re.compile(rf"<@!?{self.bot.own_id}>")
        # A reply to the bot's own message mentions it as well, but not in its text.
        if mention.search(message.content) is None and message.guild is not None:
            return None
        return mention.sub(" ", message.content).strip()

    async def _answer(self, mention: Mention, prompt: str) -> None:
        studio = self.bot.studio
        if not prompt:
            await require_admission(mention)
            language = await language_of(mention)
            await mention.message.reply(
                help_text(studio.attributes, language, f"<@{self.bot.own_id}>")
            )
            return
        wish = studio.painting.parse(prompt)
        settings = await settings_of(mention)
        if settings.private and mention.guild_id is not None:
            raise NotAllowed("mention-private")
        task = CreateTask(
            wish=wish, size=settings.size, private=settings.private or False, prompt=prompt
        )
        await self.bot.paint(mention, PaintCommand(task))


_WRITTEN = (discord.MessageType.default, discord.MessageType.reply)
