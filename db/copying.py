"""Copies everything from one database to another, of the same kind or not.

Each batch is one transaction, which also stores how far the copy is, in the note `PROGRESS` of the
target. So a copy that was interrupted goes on where it stopped.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Table, delete, func, insert, literal, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.backup import BackupError, sqlite_path
from db.engine import connect, parse_url, writing
from db.schema import Base, NoteRow

PROGRESS = "copy"
BATCH_ROWS = 200
TABLES: list[Table] = Base.metadata.sorted_tables  # referenced tables first
NOTES = Base.metadata.tables[NoteRow.__tablename__]


class CopyError(Exception):
    """The copy did not begin or is not complete; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Of the rows of a table, in any order: their number, and the sum of their SHA-256."""

    rows: int
    sum: int


Report = Callable[[str, int], object]


async def copy(
    source_url: str, target_url: str, report: Report, batch_rows: int = BATCH_ROWS
) -> dict[str, int]:
    """Copies and verifies all rows; returns their number by table.

    The target is empty, or has a copy of the same source that was interrupted. The source is read
    in one state. `report` is called after each batch, with the table and the rows copied.

    Raises CopyError, StoreError, BackupError (there is no file of the source).
    """
    parsed = parse_url(source_url)
    if parsed == parse_url(target_url):
        raise CopyError("FROM and TO are the same database")
    if parsed.get_backend_name() == "sqlite":
        file = sqlite_path(source_url)
        if not file.is_file():  # it would be created
            raise BackupError(f"there is no database {file}")
    async with _open(source_url) as source, _open(target_url) as target:
        try:
            async with _one_state(source) as reader:
                if await _progress(reader) is not None:
                    raise CopyError("FROM is a copy that is not complete; complete it first")
                progress = await _begin(target, parsed.render_as_string())
                await _copy_rows(reader, target, progress, report, batch_rows)
                counts = await _compare(reader, target)
            async with writing(target).begin() as connection:
                await _set_sequences(connection)
                await connection.execute(delete(NOTES).where(NOTES.c.key == PROGRESS))
        except (SQLAlchemyError, OSError) as error:
            reason = getattr(error, "orig", None) or error
            raise CopyError(
                f"the copy was interrupted; the same command continues it: {reason}"
            ) from error
    return counts


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[AsyncEngine]:
    engine = await connect(url)
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def _one_state(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction that sees one state of the database, however long it takes."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    async with engine.connect() as connection:
        yield connection


async def _progress(connection: AsyncConnection) -> dict[str, Any] | None:
    """None if no copy to this database was begun."""
    text = await connection.scalar(select(NOTES.c.value).where(NOTES.c.key == PROGRESS))
    return None if text is None else json.loads(text)


async def _begin(target: AsyncEngine, source: str) -> dict[str, Any]:
    """The progress of a new copy, or of the one that was interrupted. Raises CopyError."""
    async with writing(target).begin() as connection:
        progress = await _progress(connection)
        if progress is not None:
            if progress["source"] != source:
                raise CopyError(
                    f"TO has a part of a copy of {progress['source']}; continue with that FROM, or "
                    "empty TO"
                )
            return progress
        # Notes do not count: `python -m bot --check` writes one.
        for table in TABLES:
            if table is not NOTES and (await connection.execute(select(table).limit(1))).first():
                raise CopyError(f"TO is not empty: there are rows in {table.name}")
        await connection.execute(delete(NOTES))
        progress = {"source": source, "table": TABLES[0].name, "after": None}
        await connection.execute(insert(NOTES).values(key=PROGRESS, value=json.dumps(progress)))
        return progress


async def _copy_rows(
    reader: AsyncConnection,
    target: AsyncEngine,
    progress: dict[str, Any],
    report: Report,
    batch_rows: int,
) -> None:
    names = [table.name for table in TABLES]
    after = progress["after"]
    for table in TABLES[names.index(progress["table"]) :]:
        while rows := await _read(reader, table, after, batch_rows):
            after = [rows[-1][column.name] for column in table.primary_key]
            now = progress | {"table": table.name, "after": after}
            async with writing(target).begin() as connection:
                await connection.execute(insert(table), rows)
                await connection.execute(
                    NOTES.update().where(NOTES.c.key == PROGRESS).values(value=json.dumps(now))
                )
            report(table.name, len(rows))
        after = None


async def _read(
    connection: AsyncConnection, table: Table, after: list[Any] | None, count: int
) -> list[dict[str, Any]]:
    """The next rows after this primary key, in its order."""
    keys = list(table.primary_key)
    query = select(table).order_by(*keys).limit(count)
    if after is not None:
        values = [literal(value, key.type) for value, key in zip(after, keys, strict=True)]
        query = query.where(tuple_(*keys) > tuple_(*values))
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _compare(reader: AsyncConnection, target: AsyncEngine) -> dict[str, int]:
    """Compares every row of both; the rows by table. Raises CopyError."""
    counts = {}
    async with _one_state(target) as copied:
        for table in TABLES:
            expected, found = await _digest(reader, table), await _digest(copied, table)
            if expected != found:
                raise CopyError(
                    f"the table {table.name} differs: it has {expected.rows} rows in FROM and "
                    f"{found.rows} in TO. Perhaps TO is in use, or FROM changed since an "
                    "interrupted copy began. Stop the bot, empty TO and copy again"
                )
            counts[table.name] = found.rows
    return counts


async def _digest(connection: AsyncConnection, table: Table) -> Digest:
    rows, total, after = 0, 0, None
    while batch := await _read(connection, table, after, BATCH_ROWS):
        after = [batch[-1][column.name] for column in table.primary_key]
        for row in batch:
            if table is NOTES and row["key"] == PROGRESS:
                continue
            rows += 1
            values = repr([_canonical(value) for value in row.values()])
            total += int.from_bytes(hashlib.sha256(values.encode()).digest(), "big")
    return Digest(rows, total)


def _canonical(value: Any) -> Any:
    """The same for equal values, whatever database they are from."""
    if isinstance(value, np.ndarray):
        value = value.astype("<f4").tobytes()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


async def _set_sequences(connection: AsyncConnection) -> None:
    """Continues PostgreSQL's generated keys after the copied ones; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = await connection.scalar(
            select(func.pg_get_serial_sequence(table.name, column.name))
        )
        last = await connection.scalar(select(func.max(column)))
        if sequence is not None and last is not None:
            await connection.execute(select(func.setval(sequence, last)))
