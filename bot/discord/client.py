"""The bot as Discord sees it: one client, its commands, and one door to run it."""

import asyncio
import logging
from typing import Any

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord import buttons, gallery
from bot.discord.avatar import avatar_command
from bot.discord.replies import Interaction, answer_failure
from bot.discord.sync import sync_if_changed
from bot.settings import DiscordSettings
from bot.studio import Studio

logger = logging.getLogger(__name__)

GRACE_SECONDS = 10  # for the answers that are under way when the bot ends
LOOK_SECONDS = 5  # between two looks at the model's attributes
DEFAULT_GATEWAY = DiscordWebSocket.DEFAULT_GATEWAY


class IrodoriTree(app_commands.CommandTree[Any]):
    async def interaction_check(self, interaction: Interaction, /) -> bool:
        return bool(interaction.client.admit())

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        await answer_failure(interaction, error)


class IrodoriClient(discord.AutoShardedClient):
    """Answers interactions; these need no intents, privileged or not, and no caches."""

    def __init__(self, studio: Studio, settings: DiscordSettings) -> None:
        super().__init__(
            intents=discord.Intents.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.studio = studio
        self.settings = settings
        self.tree = IrodoriTree(
            self,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
        )
        self.add_dynamic_items(*buttons.COMPONENTS, *gallery.COMPONENTS)
        self._follower: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[Any]] = set()
        self._ending = False

    async def setup_hook(self) -> None:
        await self._offer_commands()
        self._follower = asyncio.create_task(self._follow_attributes())

    def admit(self) -> bool:
        """Called by the task of every answer, at its begin; False once the bot is ending."""
        task = asyncio.current_task()
        if task is not None and not self._ending:
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        return not self._ending

    async def close(self) -> None:
        """Finishes the answers that are under way: nobody is left with "thinking…"."""
        self._ending = True
        if self._follower is not None:
            self._follower.cancel()
        if self._answering:
            await asyncio.wait(self._answering, timeout=GRACE_SECONDS)
        await super().close()

    async def _follow_attributes(self) -> None:
        """A new model may have other attributes, and these are the commands' options."""
        offered = self.studio.attributes
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            wanted = self.studio.attributes
            if wanted == offered:
                continue
            try:
                await self._offer_commands()
                offered = wanted
            except (aiohttp.ClientError, OSError) as error:
                logger.warning("the commands did not reach Discord, again soon: %s", error)

    async def _offer_commands(self) -> None:
        """The commands of the model in use now, here and in Discord."""
        self.tree.add_command(avatar_command(self.studio), override=True)
        self.tree.add_command(gallery.gallery_command(self.studio), override=True)
        try:
            if not await sync_if_changed(self, self.tree, self.settings.guild):
                logger.info("commands are as Discord has them")
        except discord.HTTPException as error:
            # Those that Discord has from the last time still work.
            logger.error("Discord did not take the commands: %s", error)

    async def on_ready(self) -> None:
        logger.info("ready in Discord as %s", self.user)


def _is_news(record: logging.LogRecord) -> bool:
    return "Guilds intent seems to be disabled" not in record.getMessage()


async def run_discord(studio: Studio, settings: DiscordSettings, token: str) -> None:
    """Serve Discord until cancelled.

    Raises discord.LoginFailure for a token that Discord does not know.
    """
    Route.BASE = settings.api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = (
        yarl.URL(settings.gateway_url) if settings.gateway_url else DEFAULT_GATEWAY
    )
    # Neither voice nor the guilds' state is used; the log need not warn of their absence.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    logging.getLogger("discord.state").addFilter(_is_news)
    async with IrodoriClient(studio, settings) as client:
        await client.start(token)
