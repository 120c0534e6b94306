"""Quotas: checks requests against the limits that a guild's admins have set."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from bot.errors import BadPrompt, Blocked, TooSoon, WrongChannel
from bot.studio.request import Request
from db.guilds import GuildRepository
from db.records import GuildLimits, Usage
from db.usage import UsageRepository

DAY = timedelta(days=1)
MAX_COOLDOWN = 24 * 60 * 60  # seconds
MAX_DAILY = 100_000  # pictures


class QuotaService:
    """Counts admitted requests as well as stored pictures, so that concurrent requests are limited
    like consecutive ones, also those of other processes.
    """

    def __init__(self, guilds: GuildRepository, usage: UsageRepository) -> None:
        self._guilds = guilds
        self._usage = usage

    async def save_limits(self, guild: str, limits: GuildLimits) -> None:
        """Raises BadPrompt for values out of range."""
        if not 0 <= limits.cooldown <= MAX_COOLDOWN:
            raise BadPrompt("moderation-cooldown", most=MAX_COOLDOWN, seconds=limits.cooldown)
        if not 0 <= limits.daily <= MAX_DAILY:
            raise BadPrompt("moderation-daily", most=MAX_DAILY, count=limits.daily)
        await self._guilds.save_limits(guild, limits)

    @asynccontextmanager
    async def admit(
        self,
        request: Request,
        pictures: int,
        *,
        roles: Collection[str] = (),
        parent_channel: str | None = None,
    ) -> AsyncIterator[None]:
        """Admits a request. The pictures count towards the owner's quota from the start; they are
        painted and stored in the block. `parent_channel` is the channel of a thread.

        A request that only reads has 0 pictures: it uses up no quota, but the guild's blocks and
        channels apply. Raises Blocked, WrongChannel, TooSoon, and BadPrompt for more pictures than
        a day's quota.
        """
        reservation = await self._open(request, pictures, roles, parent_channel)
        try:
            yield
        finally:
            if reservation is not None:
                await self._usage.release(reservation)

    async def _open(
        self,
        request: Request,
        pictures: int,
        roles: Collection[str],
        parent_channel: str | None,
    ) -> int | None:
        """The key of a reservation of usage, or None if no quota applies."""
        owner, guild = request.owner, request.guild
        if guild is None:
            return None
        if await self._guilds.is_blocked(guild, owner.key):
            raise Blocked("moderation-blocked")
        limits = await self._guilds.limits(guild)
        if limits.channels and not {request.channel, parent_channel} & set(limits.channels):
            channels = " ".join(f"<#{id}>" for id in limits.channels)
            raise WrongChannel("moderation-channel", channels=channels)
        limited = limits.cooldown or limits.daily
        if not pictures or not limited or set(roles) & set(limits.exempt_roles):
            return None
        if limits.daily and pictures > limits.daily:
            raise BadPrompt("moderation-too-many", count=pictures, most=limits.daily)
        return await self._usage.reserve(
            owner, guild, pictures, lambda used, now: _check(limits, used, pictures, now)
        )


def _check(limits: GuildLimits, used: list[Usage], pictures: int, now: datetime) -> None:
    """Raises TooSoon. `used` are the last 24 hours."""
    if limits.cooldown and used:
        again = max(u.created for u in used) + timedelta(seconds=limits.cooldown)
        if again > now:
            raise TooSoon("moderation-cooldown-over", retry_at=again)
    if limits.daily:
        left = limits.daily - sum(u.pictures for u in used)
        if left >= pictures:
            return
        for u in sorted(used, key=lambda u: u.created):
            left += u.pictures
            if left >= pictures:
                raise TooSoon("moderation-daily-used", retry_at=u.created + DAY, most=limits.daily)
