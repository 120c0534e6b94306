"""The guilds (Discord's servers) that the bot is in, and the data of those that it has left."""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import delete, func, select, update

from db.brackets import delete_brackets_of
from db.community import delete_puzzles_of
from db.database import Database
from db.forgetting import hash_guild, mark_forgotten
from db.posts import delete_posts_of
from db.schema import (
    AvatarRow,
    BlockedRow,
    CommunityRow,
    LimitsRow,
    PortraitRow,
    PresenceRow,
    UsageRow,
)

# The tables with data of a guild that refer to no other table with such data.
OF_GUILD = (LimitsRow, BlockedRow, UsageRow, CommunityRow, PortraitRow, PresenceRow)

BATCH = 100  # avatars that one transaction changes


class PresenceRepository:
    """Several applications of Discord may share a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self,
        application: str,
        guilds: Collection[str],
        now: datetime,
        serves: Callable[[str], bool] = lambda guild: True,
    ) -> None:
        """Of the guilds that this process serves, the application is in these and in no other: it
        has left those that it was in before, and those with limits, blocked members or community
        features that no application is known to be in.
        """
        p = PresenceRow
        async with self._database.writing() as session:
            known = set(await session.scalars(select(p.guild)))
            own = select(p.guild, p.left_at).where(p.application == application)
            left_at = {row.guild: row.left_at for row in await session.execute(own)}
            unknown = set(await session.scalars(select(LimitsRow.guild)))
            unknown |= set(await session.scalars(select(BlockedRow.guild).distinct()))
            unknown |= set(await session.scalars(select(CommunityRow.guild)))
            in_it = [guild for guild in set(guilds) if left_at.get(guild, now) is not None]
            left = [guild for guild, moment in left_at.items() if moment is None]
            gone = {*left, *(unknown - known)} - set(guilds)
            gone = {guild for guild in gone if serves(guild)}
            rows = [
                {"application": application, "guild": guild, "left_at": moment}
                for found, moment in ((in_it, None), (gone, now))
                for guild in sorted(found)
            ]
            if rows:
                await self._database.upsert(session, p, *rows)

    async def joined(self, application: str, guild: str) -> None:
        await self._set(application, guild, None)

    async def left(self, application: str, guild: str, now: datetime) -> None:
        await self._set(application, guild, now)

    async def _set(self, application: str, guild: str, left_at: datetime | None) -> None:
        row = {"application": application, "guild": guild, "left_at": left_at}
        async with self._database.writing() as session:
            await self._database.upsert(session, PresenceRow, row)

    async def left_before(self, moment: datetime) -> list[str]:
        """Guilds that every application has left before this moment."""
        p = PresenceRow
        still_in = func.count().filter(p.left_at.is_(None))
        left = select(p.guild).group_by(p.guild).order_by(p.guild)
        left = left.having(still_in == 0, func.max(p.left_at) < moment)
        async with self._database.reading() as session:
            return list(await session.scalars(left))

    async def delete_data(self, guild: str) -> int:
        """Deletes the guild's limits, blocked members, usage, and all data of its community
        features. Its pictures belong to members: they stay, without guild and channel, as do those
        that are being painted. Returns the number of pictures. Does nothing if an application is in
        the guild.
        """
        a, p = AvatarRow, PresenceRow
        count = 0
        while True:
            async with self._database.writing() as session:
                # locked, so that no application joins meanwhile
                present = select(p.left_at).where(p.guild == guild).with_for_update()
                if None in list(await session.scalars(present)):
                    return count
                if not count:
                    await mark_forgotten(self._database, session, hash_guild(guild))
                found = select(a.id).where(a.guild == guild).order_by(a.id).limit(BATCH)
                keys = list(await session.scalars(found.with_for_update(key_share=True)))
                if not keys:
                    for delete_all in (delete_posts_of, delete_brackets_of, delete_puzzles_of):
                        await delete_all(session, guild)
                    for table in OF_GUILD:
                        await session.execute(delete(table).where(table.guild == guild))
                    return count
                nowhere = update(a).where(a.id.in_(keys)).values(guild=None, channel=None)
                await session.execute(nowhere)
                count += len(keys)
