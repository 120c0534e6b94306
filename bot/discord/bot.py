"""The interface of the Discord client for cogs and components; interactions and mentions."""

import asyncio
from abc import abstractmethod
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.proxy import proxy_of
from bot.i18n.messages import language_in
from bot.settings import DiscordSettings
from bot.studio import Studio
from db.records import Shards
from db.tasks import Task

# Discord sends the guilds one by one: the bot is ready when none has arrived for this long.
READY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class PaintCommand:
    """What to paint and how to reply. Only the requester sees a `private` reply. With
    `names_requester` the reply names the requester, because Discord does not show who clicked a
    button.
    """

    task: Task
    private: bool = False
    names_requester: bool = False


class IrodoriBot(commands.AutoShardedBot):
    """Replies to interactions and mentions. Mentions need the intents for messages; none of these
    is privileged, because Discord always sends bots the text of messages that mention them. The
    privileged intent for members is only requested if the settings say so.
    """

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
            intents=discord.Intents(
                guilds=True,
                guild_messages=True,
                dm_messages=True,
                members=settings.members_intent,
            ),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=READY_SECONDS,
            proxy=proxy_of(settings),
            shard_count=settings.shards,
            shard_ids=list(settings.shard_ids) or None,  # type: ignore[arg-type]
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
        self.autocompletions: Counter[int] = Counter()  # in progress, by the member's id

    @property
    def own_id(self) -> int:
        """The bot's own user id; the bot must have logged in."""
        assert self.user is not None
        return self.user.id

    @property
    def own_shards(self) -> Shards:
        """The shards that this process connects; the bot must have logged in."""
        application, settings = str(self.application_id), self.settings
        if not settings.shard_ids or settings.shards is None:
            return Shards(application, 1, [0])
        return Shards(application, settings.shards, list(settings.shard_ids))

    def serves(self, guild: str) -> bool:
        """Whether Discord sends the events of this guild to this process."""
        own = self.own_shards
        return (int(guild) >> 22) % own.count in own.ids

    def accept(self) -> bool:
        """Makes `close` wait for the current task, which replies. False if the bot is closing."""
        task = asyncio.current_task()
        if task is not None and not self.closing:
            self.replying.add(task)
            task.add_done_callback(self.replying.discard)
        return not self.closing

    async def on_message(self, message: discord.Message, /) -> None:
        """Does nothing: MentionCog handles messages, and there are no prefix commands."""

    @abstractmethod
    async def paint(self, source: "Source", command: PaintCommand) -> None:
        """Paints, and replies with the result. Raises Refusal, discord.HTTPException."""

    @abstractmethod
    def open_request(self, source: "Source") -> AbstractContextManager[None]:
        """Counts an open request of the member in the block, as `paint` does.

        Raises NotAllowed for a member who has as many as allowed.
        """

    @abstractmethod
    async def offer_commands(self) -> None:
        """Builds the commands for the model in use, and registers them with Discord."""


Interaction: TypeAlias = discord.Interaction[IrodoriBot]


@dataclass(frozen=True, slots=True)
class Mention:
    """A message that mentions the bot, with the same attributes as an interaction."""

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
        """The language of the text, else of the server; a message does not contain its author's."""
        written = language_in(self.message.content)
        if written is not None:
            return discord.Locale(written)
        guild = self.message.guild
        return guild.preferred_locale if guild is not None else discord.Locale.american_english


Source: TypeAlias = Interaction | Mention
