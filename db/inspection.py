"""Looks at the database of a URL before the bot uses it, without any change."""

import asyncio
import os
from pathlib import Path
from urllib.parse import quote

from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, Connection, delete, false, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from db.engine import BUSY_SECONDS, known_revisions, parse_url
from db.errors import StoreError
from db.schema import AvatarRow, NoteRow
from db.settings import DbSettings

SQLITE_MAGIC = b"SQLite format 3\0"
WHEN_IT_STARTS = "when the bot starts"


async def inspect_database(url: str) -> str:
    """What the database contains, in words. Raises StoreError if the bot could not use it."""
    existing = parse_url(url)
    if existing.get_backend_name() == "sqlite":
        if existing.database in (None, "", ":memory:"):
            raise StoreError(f"db.url names no file; for example {DbSettings().url}")
        path = Path(existing.database)
        found = await asyncio.to_thread(_existing_file, path)
        if found is None:
            return _missing(path, is_default=url == DbSettings().url)
        existing = existing.set(database=found, query={"mode": "rw", "uri": "true"})
    try:
        engine = create_async_engine(
            existing, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True
        )
        try:
            async with engine.connect() as connection:
                text = await connection.run_sync(_look, existing)
                await connection.rollback()
                return text
        finally:
            await engine.dispose()
    except (SQLAlchemyError, ImportError, OSError) as error:
        shown = parse_url(url).render_as_string(hide_password=True)
        reason = getattr(error, "orig", None) or error
        raise StoreError(f"the database {shown} cannot be used: {reason}") from error


def _existing_file(path: Path) -> str | None:
    """The name of a file for SQLite's URIs, with which it creates no file."""
    return f"file:{quote(path.absolute().as_posix())}" if path.is_file() else None


def _look(connection: Connection, url: URL) -> str:
    versions = set(MigrationContext.configure(connection).get_current_heads())
    scripts = known_revisions()
    if not versions:
        if url.get_backend_name() == "sqlite" and inspect(connection).get_table_names():
            raise StoreError("it is a database of another program; correct db.url")
        if url.get_backend_name() == "postgresql":
            allowed = func.has_schema_privilege(func.current_schema(), "CREATE")
            if not connection.scalar(select(allowed)):
                raise StoreError(f"{url.username or 'this user'} may not create tables in it")
        return f"it is empty; its tables are created {WHEN_IT_STARTS}"
    if not versions <= {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"it has the schema {', '.join(sorted(versions))}, which this version does not know; "
            "update Irodori, or set db.url to another database"
        )
    connection.execute(delete(NoteRow).where(false()))  # fails if the database is read-only
    pictures = connection.scalar(select(func.count()).select_from(AvatarRow))
    outdated = versions != set(scripts.get_heads())
    migrated = f"; its schema is updated {WHEN_IT_STARTS}" if outdated else ""
    return f"can be read and written; {pictures} pictures{migrated}"


def _missing(path: Path, is_default: bool) -> str:
    """What a start would do. Raises StoreError if the path is probably mistyped."""
    folder = path.parent
    if not folder.is_dir() and (not is_default or folder.exists()):
        raise StoreError(f"there is no folder {folder}; create it, or correct db.url")
    others = sorted(each.name for each in folder.glob("*") if _is_sqlite(each))
    if others:
        raise StoreError(
            f"there is no {path}, but {folder} contains {', '.join(others[:3])}; correct db.url, "
            f"unless you want a new database, which is created {WHEN_IT_STARTS}"
        )
    existing = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    if not os.access(existing, os.W_OK | os.X_OK):
        raise StoreError(f"{path} cannot be created: this account may not write to {existing}")
    return f"{path} does not exist yet; it is created {WHEN_IT_STARTS}"


def _is_sqlite(file: Path) -> bool:
    try:
        if not file.is_file():  # a FIFO would block
            return False
        with file.open("rb") as opened:
            return opened.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError:
        return False
