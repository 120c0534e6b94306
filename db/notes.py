"""Small values that the bot stores across restarts, by key."""

from sqlalchemy import select

from db.database import Database
from db.schema import NoteRow


class NoteRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> str | None:
        async with self._database.reading() as session:
            return await session.scalar(select(NoteRow.value).where(NoteRow.key == key))

    async def set(self, key: str, value: str) -> None:
        async with self._database.writing() as session:
            await self._database.upsert(session, NoteRow, {"key": key, "value": value})
