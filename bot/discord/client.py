"""The Discord client: its cogs and commands, and running it."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord import buttons, card, recolor, shape
from bot.discord.animations import show_morph
from bot.discord.bot import Interaction, IrodoriBot, PaintCommand, Source
from bot.discord.cogs import find_cogs
from bot.discord.community.channels import Place, note_reply
from bot.discord.deferred_reply import DeferredReply
from bot.discord.delivery import Delivery, Result
from bot.discord.failures import is_accepted, report_failure
from bot.discord.finding import show_sheet
from bot.discord.guessing import show_puzzle
from bot.discord.sync import sync_if_changed
from bot.discord.translator import FluentTranslator
from bot.settings import DiscordSettings
from bot.stopping import GRACE_SECONDS
from bot.studio import StoreUnavailable, Studio
from bot.studio.community.guessing import Puzzle
from bot.studio.finding import Sheet
from bot.studio.morph_file import Morph
from db.records import Avatar

logger = logging.getLogger(__name__)

POLL_SECONDS = 5  # between two checks of the model's attributes
DEFAULT_GATEWAY = DiscordWebSocket.DEFAULT_GATEWAY


class IrodoriTree(app_commands.CommandTree[IrodoriBot]):
    async def interaction_check(self, interaction: Interaction, /) -> bool:
        return await is_accepted(interaction)

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        await report_failure(interaction, error)


class ConfiguredBot(IrodoriBot):
    """A client with all cogs and commands; by itself it only registers the commands."""

    def __init__(self, studio: Studio, settings: DiscordSettings) -> None:
        super().__init__(studio, settings, IrodoriTree)
        for module in (buttons, card, recolor, shape):
            self.add_dynamic_items(*module.COMPONENTS)
        self._delivery = Delivery(self, show)

    async def setup_hook(self) -> None:
        await self.tree.set_translator(FluentTranslator())
        for cog in find_cogs():
            self.add_dynamic_items(*getattr(cog, "components", ()))
            await self.add_cog(cog(self))
        self._build_commands()

    async def paint(self, source: Source, command: PaintCommand) -> None:
        await self._delivery.paint(source, command)

    def open_request(self, source: Source) -> AbstractContextManager[None]:
        return self._delivery.open_request(source)

    async def offer_commands(self) -> None:
        self._build_commands()
        try:
            if not await sync_if_changed(self.tree, self.studio, self.settings.guild):
                logger.info("the commands have not changed")
        except discord.HTTPException as error:
            # The commands that were registered before still work.
            logger.error("Discord did not accept the commands: %s", error)

    def _build_commands(self) -> None:
        for cog in self.cogs.values():
            for command in getattr(cog, "wish_commands", tuple)():
                self.tree.add_command(command, override=True)


class ServingBot(ConfiguredBot):
    """Serves members, and updates the commands when the model in use changes."""

    def __init__(self, studio: Studio, settings: DiscordSettings) -> None:
        super().__init__(studio, settings)
        self._follower: asyncio.Task[None] | None = None
        self._resumers: set[asyncio.Task[None]] = set()
        self._unsubscribe = studio.processes.subscribe(self._start_resuming)

    async def setup_hook(self) -> None:
        await self.studio.processes.claim_shards(self.own_shards)
        await super().setup_hook()
        await self.offer_commands()
        self._follower = asyncio.create_task(self._follow_attributes())

    async def close(self) -> None:
        """Finishes the replies in progress; those that take longer stay pending."""
        if not self.closing:
            self._unsubscribe()
        self.closing = True
        if self._follower is not None:
            self._follower.cancel()
        if self.replying:
            _, late = await asyncio.wait(self.replying, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await super().close()

    async def _follow_attributes(self) -> None:
        """Updates the commands, whose options are the attributes and sizes of the model in use."""
        offered = self.studio.attributes, self.studio.sizes
        while True:
            await asyncio.sleep(POLL_SECONDS)
            wanted = self.studio.attributes, self.studio.sizes
            if wanted == offered:
                continue
            try:
                await self.offer_commands()
                offered = wanted
            except (aiohttp.ClientError, OSError, StoreUnavailable) as error:
                logger.warning("the commands could not be registered, retrying soon: %s", error)
            except Exception:  # would fail again; the next model may be another case
                logger.exception("the commands could not be registered")
                offered = wanted

    async def on_ready(self) -> None:
        """Resumes pending replies, also after Discord could not be reached for a while."""
        logger.info("ready in Discord as %s", self.user)
        self._start_resuming()

    def _start_resuming(self) -> None:
        """Resumes pending replies if Discord is connected."""
        if not self.is_ready():
            return
        resumer = asyncio.create_task(self._resume())
        self._resumers.add(resumer)
        resumer.add_done_callback(self._resumers.discard)

    async def _resume(self) -> None:
        if not self.accept():
            return
        try:
            await self._delivery.resume()
        except Exception:
            logger.exception("pending replies could not be resumed")


async def show(reply: DeferredReply, result: Result) -> None:
    """Fills in a reply with what the studio painted."""
    avatars: Sequence[Avatar] = ()
    if isinstance(result, Morph):
        await show_morph(reply, result)
    elif isinstance(result, Sheet):
        await show_sheet(reply, result)
    elif isinstance(result, Puzzle):
        await show_puzzle(reply, result)
    else:
        avatars = result
        await card.show_avatars(reply, result)
    if reply.shown is not None and not reply.pending.private:
        await note_reply(Place.of_reply(reply), reply.shown, avatars)


async def run_discord(studio: Studio, settings: DiscordSettings, token: str) -> None:
    """Serves Discord until canceled.

    Raises discord.LoginFailure for a token that Discord does not know, and ShardsTaken while
    another process on the database serves the same shards, or after it has taken them over.
    """
    set_discord_urls(settings)
    # Voice is not used, so its missing libraries need no warning.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    try:
        await _serve(studio, settings, token)
    except discord.PrivilegedIntentsRequired:
        logger.error(
            "discord.members_intent is true, but the application has no Server Members Intent; "
            "turn it on at https://discord.com/developers/applications, Bot. Until the next start, "
            "newcomers are not welcomed"
        )
        await _serve(studio, settings.model_copy(update={"members_intent": False}), token)


async def _serve(studio: Studio, settings: DiscordSettings, token: str) -> None:
    async with ServingBot(studio, settings) as bot:
        connection = asyncio.create_task(bot.start(token))
        loss = asyncio.create_task(studio.processes.lose_shards())
        try:
            await asyncio.wait([connection, loss], return_when=asyncio.FIRST_COMPLETED)
            (connection if connection.done() else loss).result()
        finally:
            connection.cancel()
            loss.cancel()
            await bot.close()  # rejects new interactions from here on, while the tasks still end
            await asyncio.wait([connection, loss])


async def sync_commands(
    studio: Studio, settings: DiscordSettings, token: str, guild: int | None
) -> list[str]:
    """Registers the commands with Discord; returns their names.

    Raises discord.DiscordException.
    """
    set_discord_urls(settings)
    async with ConfiguredBot(studio, settings) as bot:
        await bot.login(token)
        await sync_if_changed(bot.tree, studio, guild, always=True)
        return [command.name for command in bot.tree.get_commands()]


def set_discord_urls(settings: DiscordSettings) -> None:
    """Makes discord.py use the URLs in the settings."""
    Route.BASE = settings.api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = (
        yarl.URL(settings.gateway_url) if settings.gateway_url else DEFAULT_GATEWAY
    )
