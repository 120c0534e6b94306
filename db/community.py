"""Features for communities: what guilds have turned on, and who takes part."""

from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import case, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import select_key
from db.database import Database
from db.owners import save_owner, select_owner_id
from db.records import CommunitySettings, MessageLink, Owner, Score
from db.schema import (
    AvatarRow,
    CommunityRow,
    GuessRow,
    OwnerRow,
    PortraitRow,
    PuzzleRow,
    ShownRow,
    VoteRow,
)


class CommunityRepository:
    """The settings of guilds, members of family portraits, and links to messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self, guild: str) -> CommunitySettings:
        async with self._database.reading() as session:
            row = await session.get(CommunityRow, guild)
        return CommunitySettings() if row is None else _settings(row.settings)

    async def all_settings(self) -> dict[str, CommunitySettings]:
        """By guild, of all guilds that have ever changed them."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(CommunityRow))
            return {row.guild: _settings(row.settings) for row in rows}

    async def save_settings(self, guild: str, settings: CommunitySettings) -> None:
        row = {"guild": guild, "settings": asdict(settings)}
        async with self._database.writing() as session:
            await self._database.upsert(session, CommunityRow, row)

    async def portrait(self, guild: str) -> list[Owner]:
        """The members of the guild's family portrait, in the order in which they joined it."""
        o, p = OwnerRow, PortraitRow
        members = select(o.kind, o.key, o.name).join(p, p.owner_id == o.id)
        members = members.where(p.guild == guild).order_by(p.joined, p.owner_id)
        async with self._database.reading() as session:
            return [Owner(*row) for row in await session.execute(members)]

    async def toggle_portrait(self, guild: str, owner: Owner) -> bool:
        """Adds the owner to the guild's portrait, or removes it; whether it is there now."""
        p = PortraitRow
        async with self._database.writing() as session:
            key = await save_owner(self._database, session, owner)
            this = (p.guild == guild) & (p.owner_id == key)
            removed = await session.scalar(delete(p).where(this).returning(p.owner_id))
            if removed is None:
                values = {"guild": guild, "owner_id": key, "joined": datetime.now(UTC)}
                await session.execute(self._database.insert(p).values(values))
            return removed is None

    async def leave_portrait(self, guild: str, owner: Owner) -> None:
        p = PortraitRow
        own = p.owner_id == select_owner_id(owner)
        async with self._database.writing() as session:
            await session.execute(delete(p).where(p.guild == guild, own))

    async def show(self, id: str, link: MessageLink) -> None:
        """Stores that the message shows the avatar, unless an earlier one of the guild does."""
        async with self._database.writing() as session:
            key = await session.scalar(select_key(id).with_for_update(key_share=True))
            if key is None:  # deleted meanwhile
                return
            row = {"avatar_id": key, "guild": link.guild, "channel": link.channel}
            values = self._database.insert(ShownRow).values(row | {"message": link.message})
            await session.execute(values.on_conflict_do_nothing())

    async def links(self, ids: tuple[str, ...], guild: str) -> dict[str, MessageLink]:
        """By avatar, the message of the guild that shows it."""
        a, s = AvatarRow, ShownRow
        found = select(a.public_id, s.guild, s.channel, s.message).join(s, s.avatar_id == a.id)
        found = found.where(a.public_id.in_(ids), s.guild == guild)
        async with self._database.reading() as session:
            rows = await session.execute(found)
            return {row.public_id: MessageLink(row.guild, row.channel, row.message) for row in rows}

    async def of_owner(self, owner: Owner) -> dict[str, Any]:
        """For the export of the owner's data: portraits, votes and answers."""
        key = select_owner_id(owner)
        p, v, g = PortraitRow, VoteRow, GuessRow
        async with self._database.reading() as session:
            portraits = await session.scalars(select(p.guild).where(p.owner_id == key))
            votes = select(v.bracket_id, v.round, v.pair, v.choice).where(v.owner_id == key)
            guesses = select(g.puzzle_id, g.choice).where(g.owner_id == key)
            return {
                "portraits": list(portraits),
                "votes": [dict(row) for row in (await session.execute(votes)).mappings()],
                "guesses": [dict(row) for row in (await session.execute(guesses)).mappings()],
            }


class PuzzleRepository:
    """The questions of `/guess` and their answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, id: str, guild: str, answer: int) -> None:
        row = {"id": id, "guild": guild, "answer": answer, "created": datetime.now(UTC)}
        async with self._database.writing() as session:
            await self._database.upsert(session, PuzzleRow, row)

    async def answer(self, id: str, owner: Owner, choice: int) -> tuple[int, bool] | None:
        """Stores the owner's first choice. Returns the right one, and whether the owner has
        answered before; None if there is no such question.
        """
        async with self._database.writing() as session:
            puzzle = await session.get(PuzzleRow, id)
            if puzzle is None:
                return None
            key = await save_owner(self._database, session, owner)
            row = {"puzzle_id": id, "owner_id": key, "choice": choice}
            insert = self._database.insert(GuessRow).values(row).on_conflict_do_nothing()
            added = await session.scalar(insert.returning(GuessRow.owner_id))
            return puzzle.answer, added is None

    async def scores(self, guild: str, limit: int) -> list[Score]:
        """The owners with the most right answers in the guild, the best first."""
        g, o, p = GuessRow, OwnerRow, PuzzleRow
        right = func.sum(case((g.choice == p.answer, 1), else_=0))
        scores = select(o.kind, o.key, o.name, right, func.count()).select_from(g)
        scores = scores.join(p, p.id == g.puzzle_id).join(o, o.id == g.owner_id)
        scores = scores.where(p.guild == guild).group_by(o.id)
        scores = scores.order_by(right.desc(), func.count(), o.id).limit(limit)
        async with self._database.reading() as session:
            rows = await session.execute(scores)
            return [Score(Owner(*names), right, count) for *names, right, count in rows]

    async def score(self, guild: str, owner: Owner) -> Score:
        g, p = GuessRow, PuzzleRow
        right = func.coalesce(func.sum(case((g.choice == p.answer, 1), else_=0)), 0)
        own = select(right, func.count()).select_from(g).join(p, p.id == g.puzzle_id)
        own = own.where(p.guild == guild, g.owner_id == select_owner_id(owner))
        async with self._database.reading() as session:
            return Score(owner, *(await session.execute(own)).one())


async def delete_puzzles_of(session: AsyncSession, guild: str) -> None:
    """Deletes the guild's questions and the answers to them."""
    g, p = GuessRow, PuzzleRow
    own = select(p.id).where(p.guild == guild)
    await session.execute(delete(g).where(g.puzzle_id.in_(own)))
    await session.execute(delete(p).where(p.guild == guild))


def _settings(stored: dict[str, Any]) -> CommunitySettings:
    """Settings that later versions have added or removed do not matter."""
    known = {field.name for field in fields(CommunitySettings)}
    values = {name: value for name, value in stored.items() if name in known}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return CommunitySettings(**{**values, **lists})
