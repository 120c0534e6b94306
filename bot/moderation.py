"""Who may ask for pictures, where, and how often: what a server's admins have set."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.errors import BadPrompt, Blocked, TooSoon, WrongPlace
from db.desk import Desk
from db.store import GuildLimits, Owner, Usage

DAY = timedelta(days=1)
MAX_COOLDOWN = 24 * 60 * 60  # seconds
MAX_DAILY = 100_000  # pictures
# What was admitted and never asked for (its answer could not be sent) stops counting then.
ABANDONED = timedelta(minutes=15)


@dataclass(eq=False, slots=True)
class _Admission:
    moment: datetime
    pictures: int


class Gate:
    """Counts what is under way as well as what is stored, so that who asks ten times at once is
    admitted as often as who asks one after the other.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._under_way: dict[tuple[Owner, str], list[_Admission]] = {}
        self._turn = asyncio.Lock()

    async def admit(
        self,
        owner: Owner,
        guild: str | None,
        channel: str | None,
        roles: Collection[str],
        pictures: int,
        parent: str | None = None,
    ) -> None:
        """Lets so many pictures pass, or raises Blocked, WrongPlace, TooSoon, BadPrompt.

        0 is for what paints nothing: who is blocked may not do that either.
        """
        if guild is None:
            return
        if await self._desk.is_blocked(guild, owner.key):
            raise Blocked("moderation-blocked")
        limits = await self._desk.limits(guild)
        if limits.channels and not {channel, parent} & set(limits.channels):
            channels = " ".join(f"<#{id}>" for id in limits.channels)
            raise WrongPlace("moderation-channel", channels=channels)
        limited = limits.cooldown or limits.daily
        if not pictures or not limited or set(roles) & set(limits.exempt_roles):
            return
        if limits.daily and pictures > limits.daily:
            raise BadPrompt("moderation-too-many", count=pictures, most=limits.daily)
        async with self._turn:  # nobody else is admitted between the counting and the noting down
            now = datetime.now(UTC)
            # First what is under way, then what is stored: what moves over meanwhile counts twice
            # for a moment, and never not at all.
            under_way = self._living(owner, guild, now)
            used = [Usage(a.moment, a.pictures) for a in under_way]
            used = await self._desk.usage(owner, guild, now - DAY) + used
            _check(limits, used, pictures, now)
            self._under_way.setdefault((owner, guild), []).append(_Admission(now, pictures))

    def leave(self, owner: Owner, guild: str | None, pictures: int) -> None:
        """So many pictures, admitted together, are stored by now, or have failed."""
        admitted = self._under_way.get((owner, guild or ""), [])
        # the first one of that size: what was admitted before it may take longer
        done = next((a for a in admitted if a.pictures == pictures), None)
        if done is not None:
            admitted.remove(done)
            if not admitted:
                del self._under_way[owner, guild or ""]

    def _living(self, owner: Owner, guild: str, now: datetime) -> list[_Admission]:
        admitted = self._under_way.pop((owner, guild), [])
        admitted = [a for a in admitted if now - a.moment < ABANDONED]
        if admitted:
            self._under_way[owner, guild] = admitted
        return list(admitted)


def check_limits(limits: GuildLimits) -> None:
    """Raises BadPrompt for limits that make no sense."""
    if not 0 <= limits.cooldown <= MAX_COOLDOWN:
        raise BadPrompt("moderation-cooldown", most=MAX_COOLDOWN, seconds=limits.cooldown)
    if not 0 <= limits.daily <= MAX_DAILY:
        raise BadPrompt("moderation-daily", most=MAX_DAILY, count=limits.daily)


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
                raise TooSoon("moderation-quota", retry_at=u.created + DAY, most=limits.daily)
