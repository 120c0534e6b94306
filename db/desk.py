"""Beside the avatars: members' settings, servers' limits, answers owed, and notes."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select

from db.gallery import owner_id
from db.records import GuildLimits, MemberSettings, Owed, Owner, Usage
from db.schema import BlockedRow, LimitsRow, NoteRow, OwedRow, SettingsRow, UsageRow
from db.sessions import Sessions


class Desk:
    """What a `save` method wrote is on disk when it returns."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def settings(self, owner: Owner) -> MemberSettings:
        s = SettingsRow
        found = select(s.private, s.size, s.language).where(s.owner_id == owner_id(owner))
        async with self._sessions.reading() as session:
            row = (await session.execute(found)).one_or_none()
        return MemberSettings() if row is None else MemberSettings(*row)

    async def save_settings(self, owner: Owner, settings: MemberSettings) -> None:
        async with self._sessions.writing() as session:
            row = {
                "owner_id": await self._sessions.owner_id(session, owner),
                "private": settings.private,
                "size": settings.size,
                "language": settings.language,
            }
            await self._sessions.upsert(session, SettingsRow, row)

    async def limits(self, guild: str) -> GuildLimits:
        async with self._sessions.reading() as session:
            row = await session.get(LimitsRow, guild)
        if row is None:
            return GuildLimits()
        return GuildLimits(
            row.cooldown, row.daily, tuple(row.channels), tuple(row.exempt_roles), row.gallery
        )

    async def save_limits(self, guild: str, limits: GuildLimits) -> None:
        row = {
            "guild": guild,
            "cooldown": limits.cooldown,
            "daily": limits.daily,
            "channels": list(limits.channels),
            "exempt_roles": list(limits.exempt_roles),
            "gallery": limits.gallery,
        }
        async with self._sessions.writing() as session:
            await self._sessions.upsert(session, LimitsRow, row)

    async def block(self, guild: str, member: str, blocked: bool) -> None:
        """`member` is the `key` of an owner."""
        b = BlockedRow
        row = {"guild": guild, "member": member}
        async with self._sessions.writing() as session:
            if blocked:
                insert = self._sessions.insert(b).values(row)
                await session.execute(insert.on_conflict_do_nothing())
            else:
                await session.execute(delete(b).where(b.guild == guild, b.member == member))

    async def blocked(self, guild: str) -> list[str]:
        found = select(BlockedRow.member).where(BlockedRow.guild == guild)
        async with self._sessions.reading() as session:
            return list(await session.scalars(found.order_by(BlockedRow.member)))

    async def is_blocked(self, guild: str, member: str) -> bool:
        async with self._sessions.reading() as session:
            return await session.get(BlockedRow, (guild, member)) is not None

    async def usage(self, owner: Owner, guild: str, since: datetime) -> list[Usage]:
        """What the owner had painted in the guild, deleted pictures included, the oldest first.

        No more than the last 24 hours are kept.
        """
        u = UsageRow
        found = select(u.created, u.pictures).where(
            u.kind == owner.kind, u.key == owner.key, u.guild == guild, u.created > since
        )
        async with self._sessions.reading() as session:
            rows = await session.execute(found.order_by(u.created))
            return [Usage(*row) for row in rows]

    async def owe(self, owed: Owed) -> None:
        """Writes an order down, over the one with the same id if there is one."""
        row = {
            "id": owed.id,
            "application": owed.application,
            "token": owed.token,
            "work": owed.work,
            "given": owed.given,
            "owner_kind": owed.owner.kind,
            "owner_key": owed.owner.key,
            "owner_name": owed.owner.name,
            "guild": owed.guild,
            "channel": owed.channel,
            "language": owed.language,
            "private": owed.private,
            "named": owed.named,
            "created": owed.created,
        }
        async with self._sessions.writing() as session:
            await self._sessions.upsert(session, OwedRow, row)

    async def settle(self, ids: Collection[str]) -> None:
        """Forgets the orders, their tokens included."""
        async with self._sessions.writing() as session:
            await session.execute(delete(OwedRow).where(OwedRow.id.in_(ids)))

    async def owed(self, since: datetime) -> list[Owed]:
        """The orders that are younger, the oldest first; the older ones are forgotten."""
        async with self._sessions.writing() as session:
            await session.execute(delete(OwedRow).where(OwedRow.created < since))
            rows = await session.scalars(select(OwedRow).order_by(OwedRow.created))
            return [_owed(row) for row in rows]

    async def note(self, key: str) -> str | None:
        async with self._sessions.reading() as session:
            return await session.scalar(select(NoteRow.value).where(NoteRow.key == key))

    async def save_note(self, key: str, value: str) -> None:
        async with self._sessions.writing() as session:
            await self._sessions.upsert(session, NoteRow, {"key": key, "value": value})


def _owed(row: OwedRow) -> Owed:
    return Owed(
        id=row.id,
        application=row.application,
        token=row.token,
        work=row.work,
        given=row.given,
        owner=Owner(row.owner_kind, row.owner_key, row.owner_name),
        guild=row.guild,
        channel=row.channel,
        language=row.language,
        private=row.private,
        named=row.named,
        created=row.created,
    )
