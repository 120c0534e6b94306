"""`/limits`: limits that a server's admins set for its members."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.command_texts import describe_options, description
from bot.discord.context import language_of
from bot.discord.replies import defer_answer, fill_in
from bot.discord.text import mentions, role_lines
from bot.errors import NotAllowed
from bot.i18n.messages import say
from bot.studio.quotas import MAX_COOLDOWN, MAX_DAILY
from db.records import GuildLimits, RoleLimits


class TextChannel(app_commands.Transformer):
    """An option that takes a channel with messages, a forum or a thread, and returns its id."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        kinds = discord.ChannelType
        threads = [kinds.public_thread, kinds.private_thread, kinds.news_thread]
        voice = [kinds.voice, kinds.stage_voice]
        return [kinds.text, kinds.news, kinds.forum, *voice, *threads]

    async def transform(self, interaction: discord.Interaction[Any], value: Any, /) -> str:
        return str(value.id)


class LimitsCog(commands.Cog):
    limits = app_commands.Group(
        name="limits",
        description=description("limits"),
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        allowed_contexts=app_commands.AppCommandContext(
            guild=True, dm_channel=False, private_channel=False
        ),
    )

    def __init__(self, bot: IrodoriBot) -> None:
        self.studio = bot.studio

    @limits.command(name="show", description=description("limits show"))
    async def show(self, interaction: Interaction) -> None:
        await self._show(interaction, await self._admit(interaction))

    @limits.command(name="set", description=description("limits set"))
    @describe_options("limits set", "cooldown", "daily", "gallery")
    async def set_limits(
        self,
        interaction: Interaction,
        cooldown: app_commands.Range[int, 0, MAX_COOLDOWN] | None = None,
        daily: app_commands.Range[int, 0, MAX_DAILY] | None = None,
        gallery: bool | None = None,
    ) -> None:
        guild = await self._admit(interaction)
        given = {"cooldown": cooldown, "daily": daily, "gallery": gallery}
        changes: dict[str, Any] = {key: v for key, v in given.items() if v is not None}
        await self._change(guild, **changes)
        await self._show(interaction, guild)

    @limits.command(name="channel", description=description("limits channel"))
    @describe_options("limits channel", "where", "answer")
    async def channel(
        self,
        interaction: Interaction,
        where: app_commands.Transform[str, TextChannel],
        answer: bool = True,
    ) -> None:
        guild = await self._admit(interaction)
        channels = (await self.studio.guilds.limits(guild)).channels
        await self._change(guild, channels=_with(channels, where, answer))
        await self._show(interaction, guild)

    @limits.command(name="reports", description=description("limits reports"))
    @describe_options("limits reports", "where")
    async def reports(
        self,
        interaction: Interaction,
        where: app_commands.Transform[str, TextChannel] | None = None,
    ) -> None:
        guild = await self._admit(interaction)
        await self._change(guild, reports_channel=where)
        await self._show(interaction, guild)

    @limits.command(name="role", description=description("limits role"))
    @describe_options("limits role", "role", "exempt", "cooldown", "daily")
    async def role(
        self,
        interaction: Interaction,
        role: discord.Role,
        exempt: bool | None = None,
        cooldown: app_commands.Range[int, 0, MAX_COOLDOWN] | None = None,
        daily: app_commands.Range[int, 0, MAX_DAILY] | None = None,
    ) -> None:
        """Exempts the role, or with a cooldown or daily limit gives it its own limits."""
        guild, id = await self._admit(interaction), str(role.id)
        limits = await self.studio.guilds.limits(guild)
        own = {other: of_role for other, of_role in limits.role_limits.items() if other != id}
        if cooldown is not None or daily is not None:
            own[id] = RoleLimits(
                limits.cooldown if cooldown is None else cooldown,
                limits.daily if daily is None else daily,
            )
            exempt = exempt or False
        exempt_roles = _with(limits.exempt_roles, id, exempt is None or exempt)
        await self._change(guild, exempt_roles=exempt_roles, role_limits=own)
        await self._show(interaction, guild)

    @limits.command(name="block", description=description("limits block"))
    @describe_options("limits block", "member", "blocked")
    async def block(
        self, interaction: Interaction, member: discord.User, blocked: bool = True
    ) -> None:
        guild = await self._admit(interaction)
        if blocked:
            await self.studio.guilds.block(guild, str(member.id))
        else:
            await self.studio.guilds.unblock(guild, str(member.id))
        await self._show(interaction, guild)

    async def _admit(self, interaction: Interaction) -> str:
        """The server's id. Raises NotAllowed."""
        if interaction.guild_id is None or not interaction.permissions.manage_guild:
            raise NotAllowed("limits-not-allowed")
        await defer_answer(interaction, private=True)
        return str(interaction.guild_id)

    async def _change(self, guild: str, **changes: Any) -> None:
        limits: GuildLimits = await self.studio.guilds.limits(guild)
        await self.studio.quotas.save_limits(guild, replace(limits, **changes))

    async def _show(self, interaction: Interaction, guild: str) -> None:
        language = await language_of(interaction)
        limits = await self.studio.guilds.limits(guild)
        blocked = await self.studio.guilds.blocked(guild)
        lines = [
            say("limits-title", language),
            say("limits-cooldown", language, seconds=limits.cooldown),
            say("limits-daily", language, count=limits.daily),
            _listed("limits-channels", "<#{}>", limits.channels, language),
            _listed("limits-roles", "<@&{}>", limits.exempt_roles, language),
            *role_lines(limits, language),
            say("limits-gallery-on" if limits.gallery else "limits-gallery-off", language),
            _listed("limits-blocked", "<@{}>", blocked, language),
            _listed("limits-reports", "<#{}>", _one(limits.reports_channel), language),
        ]
        await fill_in(interaction, "\n".join(lines))


def _one(id: str | None) -> tuple[str, ...]:
    return () if id is None else (id,)


def _with(ids: tuple[str, ...], id: str, included: bool) -> tuple[str, ...]:
    rest = tuple(other for other in ids if other != id)
    return (*rest, id) if included else rest


def _listed(key: str, mention: str, ids: Sequence[str], language: str) -> str:
    if not ids:
        return say(f"{key}-none", language)
    return say(key, language, names=mentions(mention, ids, language))
