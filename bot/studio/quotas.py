"""Quotas: checks requests against the limits that a guild's admins have set."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.errors import BadPrompt, Blocked, TooSoon, WrongChannel
from bot.studio.request import Request
from db.guilds import GuildRepository
from db.records import GuildLimits, RoleLimits, Usage
from db.usage import UsageRepository

DAY = timedelta(days=1)
MAX_COOLDOWN = 24 * 60 * 60  # seconds
MAX_DAILY = 100_000  # pictures
NAMED_CHANNELS = 10
"""Channels that a refusal names, since messages of Discord have a limited length."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """`left` of `daily` pictures, None if there is no daily limit; `next_at` is when the member may
    request the next picture, None for now.
    """

    daily: int
    left: int | None
    next_at: datetime | None


class QuotaService:
    """Counts admitted requests as well as stored pictures, so that concurrent requests are limited
    like consecutive ones, also those of other processes.
    """

    def __init__(self, guilds: GuildRepository, usage: UsageRepository) -> None:
        self._guilds = guilds
        self._usage = usage

    async def save_limits(self, guild: str, limits: GuildLimits) -> None:
        """Raises BadPrompt for values out of range."""
        every: list[GuildLimits | RoleLimits] = [limits, *limits.role_limits.values()]
        for own in every:
            if not 0 <= own.cooldown <= MAX_COOLDOWN:
                raise BadPrompt("moderation-cooldown", most=MAX_COOLDOWN, seconds=own.cooldown)
            if not 0 <= own.daily <= MAX_DAILY:
                raise BadPrompt("moderation-daily", most=MAX_DAILY, count=own.daily)
        await self._guilds.save_limits(guild, limits)

    async def remaining(self, request: Request, roles: Collection[str]) -> Remaining | None:
        """What is left of the member's quota in the request's guild; None without limits."""
        if request.guild is None:
            return None
        limits = await self._guilds.limits(request.guild)
        exempt = set(roles) & set(limits.exempt_roles)
        limits = limits_of_roles(limits, roles)
        if exempt or not (limits.cooldown or limits.daily):
            return None
        now = datetime.now(UTC)
        used = await self._usage.since(request.owner, request.guild, now - DAY)
        left = max(0, limits.daily - sum(u.pictures for u in used)) if limits.daily else None
        next_at = None
        try:
            _check(limits, used, 1, now)
        except TooSoon as error:
            next_at = error.retry_at
        return Remaining(limits.daily, left, next_at)

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
            named = [f"<#{id}>" for id in limits.channels[:NAMED_CHANNELS]]
            more = ["…"] if len(limits.channels) > NAMED_CHANNELS else []
            raise WrongChannel("moderation-channel", channels=" ".join(named + more))
        limits = limits_of_roles(limits, roles)
        limited = limits.cooldown or limits.daily
        if not pictures or not limited or set(roles) & set(limits.exempt_roles):
            return None
        if limits.daily and pictures > limits.daily:
            raise BadPrompt("moderation-too-many", count=pictures, most=limits.daily)
        return await self._usage.reserve(
            owner, guild, pictures, lambda used, now: _check(limits, used, pictures, now)
        )


def limits_of_roles(limits: GuildLimits, roles: Collection[str]) -> GuildLimits:
    """The limits of a member with these roles: of each limit of the roles the most generous one,
    and those of the server if no role has its own.
    """
    own = [limits.role_limits[role] for role in roles if role in limits.role_limits]
    if not own:
        return limits
    unlimited = any(not role.daily for role in own)
    daily = 0 if unlimited else max(role.daily for role in own)
    return replace(limits, cooldown=min(role.cooldown for role in own), daily=daily)


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
