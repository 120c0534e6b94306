"""Reports of pictures: stores them, and sends them to the channels of moderators and operators."""

import asyncio
import io
import logging

import discord
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.failures import is_accepted, report_failure
from bot.discord.replies import REQUEST_ERRORS
from bot.discord.reporting import FORM, Decision, ReportButton, decision_buttons, submit_report
from bot.errors import Refusal
from bot.i18n.messages import language_for, say
from bot.studio import StoreUnavailable
from db.records import Avatar

log = logging.getLogger(__name__)


class ReportCog(commands.Cog):
    components = (ReportButton, Decision)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot
        self._sending: set[asyncio.Task[None]] = set()

    async def cog_load(self) -> None:
        self._unsubscribe = self.bot.studio.reports.subscribe(self._notify)

    async def cog_unload(self) -> None:
        self._unsubscribe()
        for task in tuple(self._sending):
            task.cancel()

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """Handles submitted forms, also those that were opened before a restart."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        match = FORM.fullmatch(interaction.custom_id or "")
        if match is None or not await is_accepted(interaction):
            return
        try:
            await submit_report(interaction, match["id"])
        except Exception as error:
            await report_failure(interaction, error)

    def _notify(self, avatar: Avatar, count: int, reason: str) -> None:
        task = asyncio.create_task(self._send_to_channels(avatar, count, reason))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_to_channels(self, avatar: Avatar, count: int, reason: str) -> None:
        """To the operators' channel, and to that of the server where the picture was painted."""
        studio = self.bot.studio
        channels = set()
        if studio.privacy.reports_channel is not None:
            channels.add(studio.privacy.reports_channel)
        try:
            if avatar.guild is not None:
                chosen = (await studio.guilds.limits(avatar.guild)).reports_channel
                channels |= set() if chosen is None else {int(chosen)}
        except StoreUnavailable as error:
            log.warning(
                "server %s: its channel for reports cannot be read: %s", avatar.guild, error
            )
        for id in sorted(channels):
            await self._send(id, avatar, count, reason)

    async def _send(self, id: int, avatar: Avatar, count: int, reason: str) -> None:
        studio = self.bot.studio
        guild = getattr(self.bot.get_channel(id), "guild", None)
        language = language_for(str(guild.preferred_locale)) if guild is not None else "en"
        lines = [say("report-notice", language, id=avatar.id, count=count)]
        if reason:
            shown = discord.utils.escape_markdown(reason)
            lines.append(say("report-reason", language, reason=shown))
        if studio.page_url:
            lines.append(f"<{studio.page_url}/a/{avatar.id}>")
        try:
            picture = await studio.avatars.picture(avatar.id, viewer=None)
            name = f"{avatar.id}.{picture.format}"
            file = discord.File(io.BytesIO(picture.data), name, spoiler=True)
            await self.bot.get_partial_messageable(id).send(
                "\n".join(lines), file=file, view=decision_buttons(avatar.id, language)
            )
        except (*REQUEST_ERRORS, StoreUnavailable, Refusal) as error:
            log.warning("a report could not be sent to the channel %d: %s", id, error)
