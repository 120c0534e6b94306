"""The bot as Discord sees it: one client, its cogs, and one door to run it."""

import asyncio
import logging
from typing import Any

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.animation import Animation
from bot.discord import buttons, recolour
from bot.discord.animations import deliver_animation
from bot.discord.cogs import COGS
from bot.discord.orders import Answer, Orders
from bot.discord.replies import Interaction, answer_failure, is_admitted
from bot.discord.sync import sync_if_changed
from bot.discord.translator import CatalogueTranslator
from bot.settings import DiscordSettings
from bot.studio import Studio

logger = logging.getLogger(__name__)

GRACE_SECONDS = 10  # for the answers that are under way when the bot ends
LOOK_SECONDS = 5  # between two looks at the model's attributes
DEFAULT_GATEWAY = DiscordWebSocket.DEFAULT_GATEWAY


class IrodoriTree(app_commands.CommandTree[Any]):
    async def interaction_check(self, interaction: Interaction, /) -> bool:
        return await is_admitted(interaction)

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        await answer_failure(interaction, error)


class IrodoriBot(commands.AutoShardedBot):
    """Answers interactions, which need no intents, and messages that mention it, which need those
    of messages. None is privileged: Discord shows the bot the text of these messages alone."""

    def __init__(self, studio: Studio, settings: DiscordSettings) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,  # unused: see `on_message`
            help_command=None,
            tree_cls=IrodoriTree,
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
        )
        self.studio = studio
        self.settings = settings
        self.orders = Orders(self)
        self.add_dynamic_items(*buttons.COMPONENTS, *recolour.COMPONENTS)
        self._follower: asyncio.Task[None] | None = None
        self._resumer: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[Any]] = set()
        self._ending = False

    async def setup_hook(self) -> None:
        await self._add_cogs()
        await self.offer_commands()
        self._follower = asyncio.create_task(self._follow_attributes())

    async def _add_cogs(self) -> None:
        await self.tree.set_translator(CatalogueTranslator())
        for cog in COGS:
            self.add_dynamic_items(*getattr(cog, "components", ()))
            await self.add_cog(cog(self))

    async def deliver(self, answer: Answer, result: Any) -> None:
        """Shows what the studio made."""
        if isinstance(result, Animation):
            await deliver_animation(answer, result)
        else:
            await buttons.deliver(answer, result)

    def admit(self) -> bool:
        """Called by the task of every answer, at its begin; False once the bot is ending."""
        task = asyncio.current_task()
        if task is not None and not self._ending:
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        return not self._ending

    async def close(self) -> None:
        """Finishes the answers that are under way; those that take longer stay owed."""
        self._ending = True
        if self._follower is not None:
            self._follower.cancel()
        if self._answering:
            _, late = await asyncio.wait(self._answering, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await super().close()

    async def _follow_attributes(self) -> None:
        """A new model may have other attributes and sizes, and these are the commands' options."""
        offered = self.studio.attributes, self.studio.sizes
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            wanted = self.studio.attributes, self.studio.sizes
            if wanted == offered:
                continue
            try:
                await self.offer_commands()
                offered = wanted
            except (aiohttp.ClientError, OSError) as error:
                logger.warning("the commands did not reach Discord, again soon: %s", error)

    async def offer_commands(self) -> None:
        """The commands of the model in use now, here and in Discord."""
        self._build_commands()
        try:
            if not await sync_if_changed(self.tree, self.studio, self.settings.guild):
                logger.info("commands are as Discord has them")
        except discord.HTTPException as error:
            # Those that Discord has from the last time still work.
            logger.error("Discord did not take the commands: %s", error)

    def _build_commands(self) -> None:
        for cog in self.cogs.values():
            for command in getattr(cog, "wish_commands", tuple)():
                self.tree.add_command(command, override=True)

    async def on_ready(self) -> None:
        """Also after a new session, when Discord could not be reached for a while."""
        logger.info("ready in Discord as %s", self.user)
        if self._resumer is None or self._resumer.done():
            self._resumer = asyncio.create_task(self._resume())

    async def _resume(self) -> None:
        if not self.admit():
            return
        try:
            await self.orders.resume()
        except Exception:
            logger.exception("what is owed could not be taken up")

    async def on_message(self, message: discord.Message, /) -> None:
        """Messages are a cog's; there are no commands with a prefix."""


class Clerk(IrodoriBot):
    """Logs in to put the commands in order, and serves nobody."""

    async def setup_hook(self) -> None:
        await self._add_cogs()
        self._build_commands()


async def run_discord(studio: Studio, settings: DiscordSettings, token: str) -> None:
    """Serve Discord until cancelled.

    Raises discord.LoginFailure for a token that Discord does not know.
    """
    reach(settings)
    # Voice is not used; the log need not warn of its absence.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    async with IrodoriBot(studio, settings) as bot:
        await bot.start(token)


async def sync_commands(
    studio: Studio, settings: DiscordSettings, token: str, guild: int | None
) -> list[str]:
    """Tells Discord about the commands, and their names.

    Raises discord.DiscordException.
    """
    reach(settings)
    bot = Clerk(studio, settings)
    async with bot:
        await bot.login(token)
        await sync_if_changed(bot.tree, studio, guild, always=True)
        return [command.name for command in bot.tree.get_commands()]


def reach(settings: DiscordSettings) -> None:
    """Points discord.py at the Discord that the settings name."""
    Route.BASE = settings.api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = (
        yarl.URL(settings.gateway_url) if settings.gateway_url else DEFAULT_GATEWAY
    )
