"""Runs the schedule of what the bot posts by itself, and listens for newcomers and those who leave.

Both need the privileged intent for members; see `discord.members_intent`.
"""

import asyncio
import logging
from contextlib import suppress

import discord
from discord.ext import commands

from bot.discord.bot import IrodoriBot
from bot.discord.community import portrait, scheduler, welcome
from bot.discord.community.bracket import Vote
from bot.studio import StoreUnavailable

log = logging.getLogger(__name__)


class CommunityCog(commands.Cog):
    components = (Vote, portrait.TakePart)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot
        self._scheduler = scheduler.Scheduler(bot)
        self._woken = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None

    async def cog_unload(self) -> None:
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait([self._runner])

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        self._scheduler.status.forget()
        self._woken.set()
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())

    @commands.Cog.listener()
    async def on_community_change(self) -> None:
        """Sent when settings or members of a portrait have changed."""
        self._woken.set()

    @commands.Cog.listener()
    async def on_member_join(self, member: discord.Member) -> None:
        try:
            await welcome.plan(self.bot, member, scheduler.now())
        except StoreUnavailable as error:
            log.warning("a newcomer cannot be welcomed: %s", error)
        self._woken.set()

    @commands.Cog.listener()
    async def on_raw_member_remove(self, event: discord.RawMemberRemoveEvent) -> None:
        try:
            await portrait.leave(self.bot, event.guild_id, event.user.id)
        except StoreUnavailable as error:  # noticed by the daily check
            log.warning("a member cannot be removed from a portrait: %s", error)
        self._woken.set()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._scheduler.step()
            except StoreUnavailable as error:
                log.warning("nothing is posted while the database cannot be used: %s", error)
            except Exception:
                log.exception("nothing is posted in this step")
            with suppress(TimeoutError):
                async with asyncio.timeout(scheduler.STEP_SECONDS):
                    await self._woken.wait()
