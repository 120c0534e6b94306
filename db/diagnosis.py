"""Checks a database for damage, and repairs what can be repaired without loss."""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import connect, writing
from db.schema import (
    AvatarRow,
    FavoriteRow,
    ParentRow,
    PictureRow,
    PostedAvatarRow,
    ReportRow,
    ShownRow,
    ThumbnailRow,
    ValueRow,
)

BATCH_ROWS = 200
# Rows that belong to an avatar and are deleted together with it.
DEPENDENT = (
    PictureRow,
    ThumbnailRow,
    ValueRow,
    ParentRow,
    FavoriteRow,
    ReportRow,
    PostedAvatarRow,
    ShownRow,
)


def integrity_problems(file: Path) -> list[str]:
    """What SQLite's integrity check finds, at most a few lines. Raises sqlite3.Error."""
    uri = f"{file.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    return [] if found == ["ok"] else found


class Diagnosis:
    """Checks of an open database. The methods raise SQLAlchemyError and OSError."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def count_orphans(self) -> dict[str, int]:
        """By table, the rows of avatars that were deleted or never existed."""
        found = {}
        async with self._engine.connect() as connection:
            for table in DEPENDENT:
                count = select(func.count()).select_from(table).where(_orphaned(table))
                if rows := await connection.scalar(count):
                    found[table.__tablename__] = rows
        return found

    async def delete_orphans(self) -> int:
        """Returns the number of deleted rows."""
        total = 0
        async with writing(self._engine).begin() as connection:
            for table in DEPENDENT:
                total += (await connection.execute(delete(table).where(_orphaned(table)))).rowcount
        return total

    async def check_pictures(self) -> tuple[int, list[str], list[str]]:
        """The number of avatars, and the public ids of those whose picture is missing, and of those
        whose picture differs from its SHA-256.
        """
        a, after, total = AvatarRow, 0, 0
        missing: list[str] = []
        damaged: list[str] = []
        query = (
            select(a.id, a.public_id, a.sha256, PictureRow.data)
            .outerjoin(PictureRow, PictureRow.avatar_id == a.id)
            .where(a.deleted_at.is_(None))
            .order_by(a.id)
            .limit(BATCH_ROWS)
        )
        async with self._engine.connect() as connection:
            while rows := (await connection.execute(query.where(a.id > after))).all():
                await connection.rollback()  # a long transaction would keep the WAL from shrinking
                intact = await asyncio.to_thread(_intact, [(row.sha256, row.data) for row in rows])
                for row, good in zip(rows, intact, strict=True):
                    if row.data is None:
                        missing.append(row.public_id)
                    elif not good:
                        damaged.append(row.public_id)
                after = rows[-1].id
                total += len(rows)
        return total, missing, damaged

    async def newest(self) -> datetime | None:
        """When the newest avatar was stored."""
        newest = select(AvatarRow.created).order_by(AvatarRow.id.desc()).limit(1)
        async with self._engine.connect() as connection:
            return await connection.scalar(newest)


@asynccontextmanager
async def open_diagnosis(url: str) -> AsyncIterator[Diagnosis]:
    """Raises StoreError."""
    engine = await connect(url)
    try:
        yield Diagnosis(engine)
    finally:
        await engine.dispose()


def _orphaned(table: type) -> ColumnElement[bool]:
    living = select(AvatarRow.id).where(
        AvatarRow.id == table.avatar_id,  # type: ignore[attr-defined]
        AvatarRow.deleted_at.is_(None),
    )
    return ~living.exists()


def _intact(pictures: Sequence[tuple[str, bytes | None]]) -> list[bool]:
    return [data is not None and hashlib.sha256(data).hexdigest() == sum for sum, data in pictures]
