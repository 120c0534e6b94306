"""Weekly brackets of guilds: pictures in pairs, and votes for them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import load_avatars
from db.database import Database
from db.owners import save_owner
from db.records import Avatar, Bracket, Owner
from db.schema import AvatarRow, BracketRow, VoteRow


class BracketRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def candidates(self, guild: str, since: datetime, limit: int) -> list[str]:
        """Ids of the guild's public pictures since then with the most favorites."""
        a = AvatarRow
        found = select(a.public_id).where(
            a.guild == guild, a.deleted_at.is_(None), a.private.is_(False), a.created >= since
        )
        found = found.order_by(a.favorites.desc(), a.id.desc()).limit(limit)
        async with self._database.reading() as session:
            return list(await session.scalars(found))

    async def open(self, guild: str, week: str, entrants: Sequence[str], ends: datetime) -> None:
        """Opens the bracket of this week, unless there is one."""
        row = {"guild": guild, "week": week, "rounds": [list(entrants)], "ends": ends}
        insert = self._database.insert(BracketRow).values(row)
        async with self._database.writing() as session:
            await session.execute(insert.on_conflict_do_nothing())

    async def latest(self, guild: str) -> tuple[Bracket, str] | None:
        """The guild's newest bracket and its week."""
        b = BracketRow
        newest = select(b).where(b.guild == guild).order_by(b.id.desc()).limit(1)
        async with self._database.reading() as session:
            row = await session.scalar(newest)
        return None if row is None else (_bracket(row), row.week)

    async def get(self, id: int) -> Bracket | None:
        async with self._database.reading() as session:
            row = await session.get(BracketRow, id)
        return None if row is None else _bracket(row)

    async def pictures(self, ids: Sequence[str | None]) -> dict[str, Avatar]:
        """Those of these avatars that are public, by id."""
        a = AvatarRow
        public = select(a.id).where(
            a.public_id.in_([id for id in ids if id is not None]),
            a.deleted_at.is_(None),
            a.private.is_(False),
        )
        async with self._database.reading() as session:
            found = await load_avatars(session, list(await session.scalars(public)))
        return {avatar.id: avatar for avatar in found}

    async def advance(
        self, bracket: Bracket, winners: Sequence[str | None], ends: datetime, now: datetime
    ) -> None:
        """Begins the next round with these pictures, or finishes the bracket with the only one;
        nothing if the round was ended already.
        """
        b = BracketRow
        async with self._database.writing() as session:
            this = select(b).where(b.id == bracket.id).with_for_update()
            row = await session.scalar(this)
            if row is None or len(row.rounds) != len(bracket.rounds) or row.finished is not None:
                return
            row.rounds = [*row.rounds, list(winners)]
            row.ends = ends
            if len(winners) == 1:
                row.finished, row.winner = now, winners[0]

    async def vote(self, bracket: Bracket, pair: int, owner: Owner, choice: int) -> bool:
        """Stores or changes the owner's vote in the current round; False if that is over."""
        b = BracketRow
        async with self._database.writing() as session:
            key = await save_owner(self._database, session, owner)
            row = await session.scalar(select(b).where(b.id == bracket.id).with_for_update())
            if row is None or row.finished is not None or len(row.rounds) != len(bracket.rounds):
                return False
            vote = {"bracket_id": bracket.id, "round": bracket.round, "pair": pair}
            await self._database.upsert(
                session, VoteRow, vote | {"owner_id": key, "choice": choice}
            )
            return True

    async def votes(self, bracket: Bracket) -> Counter[tuple[int, int]]:
        """Number of votes in the current round, by pair and choice."""
        v = VoteRow
        given = select(v.pair, v.choice).where(v.bracket_id == bracket.id, v.round == bracket.round)
        async with self._database.reading() as session:
            return Counter((row.pair, row.choice) for row in await session.execute(given))

    async def banner(self, since: datetime) -> Avatar | None:
        """The newest winner since then that is public, of all guilds."""
        a, b = AvatarRow, BracketRow
        winners = select(a.id).join(b, b.winner == a.public_id)
        winners = winners.where(b.finished >= since, a.deleted_at.is_(None), a.private.is_(False))
        winners = winners.order_by(b.finished.desc(), b.id.desc()).limit(1)
        async with self._database.reading() as session:
            found = await load_avatars(session, list(await session.scalars(winners)))
        return found[0] if found else None


async def delete_brackets_of(session: AsyncSession, guild: str) -> None:
    """Deletes the guild's brackets and their votes."""
    b, v = BracketRow, VoteRow
    own = select(b.id).where(b.guild == guild)
    await session.execute(delete(v).where(v.bracket_id.in_(own)))
    await session.execute(delete(b).where(b.guild == guild))


def _bracket(row: BracketRow) -> Bracket:
    rounds = tuple(tuple(round) for round in row.rounds)
    return Bracket(row.id, row.guild, rounds, row.ends, row.finished, row.winner)
