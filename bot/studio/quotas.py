"""Quotas: checks requests against the limits that a guild's admins have set."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.errors import BadPrompt, Blocked, TooSoon, WrongChannel
from bot.studio.request import Request
from db.guilds import GuildRepository
from db.records import GuildLimits, Owner, Usage
from db.usage import UsageRepository

DAY = timedelta(days=1)
MAX_COOLDOWN = 24 * 60 * 60  # seconds
MAX_DAILY = 100_000  # pictures


@dataclass(frozen=True, eq=False, slots=True)
class Ticket:
    """An admitted request whose pictures count towards the quota and are not stored yet."""

    created: datetime
    pictures: int


class QuotaService:
    """Counts admitted requests as well as stored pictures, so that concurrent requests are limited
    like consecutive ones.
    """

    def __init__(self, guilds: GuildRepository, usage: UsageRepository) -> None:
        self._guilds = guilds
        self._usage = usage
        self._tickets: dict[tuple[Owner, str], list[Ticket]] = {}
        self._lock = asyncio.Lock()

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
    ) -> AsyncIterator[Ticket | None]:
        """Admits a request. The pictures count towards the owner's quota from the start; they are
        painted and stored in the block. Yields None if no quota applies. `parent_channel` is the
        channel of a thread.

        A request that only reads has 0 pictures: it uses up no quota, but the guild's blocks and
        channels apply. Raises Blocked, WrongChannel, TooSoon, and BadPrompt for more pictures than
        a day's quota.
        """
        ticket = await self._open(request, pictures, roles, parent_channel)
        try:
            yield ticket
        finally:
            if ticket is not None and request.guild is not None:
                self._close(request.owner, request.guild, ticket)

    async def _open(
        self,
        request: Request,
        pictures: int,
        roles: Collection[str],
        parent_channel: str | None,
    ) -> Ticket | None:
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
        async with self._lock:  # counting and adding the ticket are one step
            now = datetime.now(UTC)
            # Tickets are read before usage: a picture that is stored in between is counted twice
            # for a moment, instead of not at all.
            open_tickets = list(self._tickets.get((owner, guild), ()))
            used = await self._usage.since(owner, guild, now - DAY)
            used += [
                Usage(ticket.created, ticket.pictures)
                for ticket in open_tickets
                if ticket.created <= now  # later ones are from before a change of the clock
            ]
            _check(limits, used, pictures, now)
            ticket = Ticket(now, pictures)
            self._tickets.setdefault((owner, guild), []).append(ticket)
            return ticket

    def _close(self, owner: Owner, guild: str, ticket: Ticket) -> None:
        tickets = self._tickets[owner, guild]
        tickets.remove(ticket)
        if not tickets:
            del self._tickets[owner, guild]


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
