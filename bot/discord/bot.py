"""The Discord client as cogs and components see it, and what members address it with."""

import asyncio
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import discord
from discord import app_commands
from discord.ext import commands

from bot.i18n.messages import language_in
from bot.settings import DiscordSettings
from bot.studio import Studio
from db.tasks import Task


@dataclass(frozen=True, slots=True)
class PaintCommand:
    """What to paint and how to reply. A `private` reply is seen by the requester alone; where
    `names_requester` the reply says who asked, because Discord itself does not show it.
    """

    task: Task
    private: bool = False
    names_requester: bool = False


class IrodoriBot(commands.AutoShardedBot):
    """Answers interactions, which need no intents, and messages that mention it, which need those
    of messages. None is privileged: Discord shows the bot the text of these messages alone."""

    def __init__(
        self,
        studio: Studio,
        settings: DiscordSettings,
        tree_cls: type[app_commands.CommandTree[Any]],
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,  # unused: see `on_message`
            help_command=None,
            tree_cls=tree_cls,
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
        self.closing = False
        self.replying: set[asyncio.Task[Any]] = set()

    @property
    def own_id(self) -> int:
        """The bot's own user id; the bot must have logged in."""
        assert self.user is not None
        return self.user.id

    def accept(self) -> bool:
        """Called by the task of every reply, when it begins; False once the bot is closing."""
        task = asyncio.current_task()
        if task is not None and not self.closing:
            self.replying.add(task)
            task.add_done_callback(self.replying.discard)
        return not self.closing

    async def on_message(self, message: discord.Message, /) -> None:
        """Messages are handled by a cog; there are no commands with a prefix."""

    @abstractmethod
    async def paint(self, source: "Source", command: PaintCommand) -> None:
        """Paints, and replies with the result. Raises Refusal, discord.HTTPException."""

    @abstractmethod
    async def offer_commands(self) -> None:
        """Builds the commands for the model in use, here and in Discord."""


Interaction: TypeAlias = discord.Interaction[IrodoriBot]


@dataclass(frozen=True, slots=True)
class Mention:
    """A message that mentions the bot, with the attributes of an interaction that code uses."""

    client: IrodoriBot
    message: discord.Message
    extras: dict[Any, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return self.message.id

    @property
    def user(self) -> discord.User | discord.Member:
        return self.message.author

    @property
    def guild_id(self) -> int | None:
        return self.message.guild.id if self.message.guild is not None else None

    @property
    def channel(self) -> discord.abc.Messageable:
        return self.message.channel

    @property
    def channel_id(self) -> int:
        return self.message.channel.id

    @property
    def locale(self) -> discord.Locale:
        """That of the text, else the server's: a message does not tell its author's."""
        written = language_in(self.message.content)
        if written is not None:
            return discord.Locale(written)
        guild = self.message.guild
        return guild.preferred_locale if guild is not None else discord.Locale.american_english


Source: TypeAlias = Interaction | Mention
