"""Guilds (Discord's servers): limits, and blocked members."""

from dataclasses import asdict

from sqlalchemy import delete, select

from db.database import Database
from db.records import GuildLimits, RoleLimits
from db.schema import BlockedRow, LimitsRow


class GuildRepository:
    """Members are identified by the `key` of their owner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def limits(self, guild: str) -> GuildLimits:
        async with self._database.reading() as session:
            row = await session.get(LimitsRow, guild)
        if row is None:
            return GuildLimits()
        return GuildLimits(
            cooldown=row.cooldown,
            daily=row.daily,
            channels=tuple(row.channels),
            exempt_roles=tuple(row.exempt_roles),
            gallery=row.gallery,
            reports_channel=row.reports_channel,
            role_limits={id: RoleLimits(**own) for id, own in (row.role_limits or {}).items()},
        )

    async def save_limits(self, guild: str, limits: GuildLimits) -> None:
        row = {
            "guild": guild,
            "cooldown": limits.cooldown,
            "daily": limits.daily,
            "channels": list(limits.channels),
            "exempt_roles": list(limits.exempt_roles),
            "gallery": limits.gallery,
            "reports_channel": limits.reports_channel,
            "role_limits": {id: asdict(own) for id, own in limits.role_limits.items()},
        }
        async with self._database.writing() as session:
            await self._database.upsert(session, LimitsRow, row)

    async def block(self, guild: str, member: str) -> None:
        insert = self._database.insert(BlockedRow).values(guild=guild, member=member)
        async with self._database.writing() as session:
            await session.execute(insert.on_conflict_do_nothing())

    async def unblock(self, guild: str, member: str) -> None:
        b = BlockedRow
        async with self._database.writing() as session:
            await session.execute(delete(b).where(b.guild == guild, b.member == member))

    async def blocked(self, guild: str) -> list[str]:
        found = select(BlockedRow.member).where(BlockedRow.guild == guild)
        async with self._database.reading() as session:
            return list(await session.scalars(found.order_by(BlockedRow.member)))

    async def is_blocked(self, guild: str, member: str) -> bool:
        async with self._database.reading() as session:
            return await session.get(BlockedRow, (guild, member)) is not None
