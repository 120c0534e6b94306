"""Backs up a SQLite database to one file while it is in use, and restores such a file.

Both write a temporary file beside the target, verify it, and rename it.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from db.engine import known_revisions, parse_url
from db.errors import StoreError

PAGES_PER_STEP = 1000  # between two calls of `progress`
STEPS_PER_CALL = 10_000  # of SQLite's virtual machine, also between two calls
BUSY_SECONDS = 5
SIDE_FILES = ("-wal", "-shm", "-journal")  # that SQLite keeps beside a database


class BackupError(Exception):
    """A backup or restore that did nothing; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: the pictures, and the rows of all tables."""

    pictures: int
    rows: int
    bytes: int


def sqlite_path(url: str) -> Path:
    """The file of a SQLite URL. Raises BackupError for another database, StoreError for no URL."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise BackupError(
            "this command copies SQLite files; back up PostgreSQL with pg_dump --format=custom, "
            "and restore it with pg_restore"
        )
    if parsed.database in (None, "", ":memory:"):
        raise StoreError("db.url names no file; for example sqlite+aiosqlite:///data/irodori.db")
    return Path(parsed.database)


def backup(url: str, target: Path, progress: Callable[[], object] = lambda: None) -> Contents:
    """Copies the state that the database has now to the new file `target`.

    Others may read and write meanwhile. `progress` is called often; an exception that it raises
    ends the backup. Raises BackupError and StoreError; then there is no new file.
    """
    source = sqlite_path(url)
    if not source.is_file():
        raise BackupError(f"there is no database {source}")
    _refuse_existing(target)
    try:
        with _temporary(target) as temporary:
            with _open(source) as database:
                # one read transaction: the copy is of one state, however much is written meanwhile
                database.execute("BEGIN")
                expected = _count_rows(database)
                _copy_pages(database, temporary, progress)
            shutil.copymode(source, temporary)  # it contains what the database contains
            found = _verify(temporary, progress)
            if found != expected:
                raise BackupError(f"{target} was not written: its rows differ from the database's")
            _refuse_existing(target)
            _put(temporary, target)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"cannot back up {source} to {target}: {error}") from error
    return _contents(target, found)


def verify(file: Path) -> Contents:
    """Checks a backup completely. Raises BackupError if it is damaged or of another program."""
    if not file.is_file():
        raise BackupError(f"there is no file {file}")
    try:
        return _contents(file, _verify(file))
    except (sqlite3.Error, OSError) as error:
        raise BackupError(
            f"{file} is not a backup of Irodori, or it is damaged: {error}"
        ) from error


def restore(url: str, file: Path) -> tuple[Contents, Path | None]:
    """Replaces the database by a verified copy of the backup `file`.

    Returns what it holds and where the previous database, if there was one, is kept. Raises
    BackupError, without any change, if the backup is damaged or the database is in use, and
    StoreError for a wrong URL.
    """
    target = sqlite_path(url)
    contents = verify(file)
    if target.exists() and target.samefile(file):
        raise BackupError(f"{file} is the database itself")
    moment = datetime.now(UTC)
    kept = target.with_name(f"{target.name}.replaced-{moment:%Y%m%dT%H%M%S.%f}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(target) as temporary:
            with _open(file) as source:
                expected = _count_rows(source)
                _copy_pages(source, temporary, lambda: None)
            if _verify(temporary) != expected:
                raise BackupError(f"{file} could not be copied: rows are missing")
            if not target.exists():
                _put(temporary, target)
                return contents, None
            shutil.copymode(target, temporary)
            with _locked(target):
                for suffix in ("", *SIDE_FILES):
                    part = target.with_name(target.name + suffix)
                    if part.exists():
                        part.rename(kept.with_name(kept.name + suffix))
                _put(temporary, target)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"cannot restore {file} to {target}: {error}") from error
    return contents, kept


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """Opens an existing database."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
        connection.isolation_level = None
        yield connection


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """The name of a file beside `target`, which is deleted at the end if it was not renamed."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
    finally:
        for suffix in ("", *SIDE_FILES):
            temporary.with_name(temporary.name + suffix).unlink(missing_ok=True)


def _copy_pages(source: sqlite3.Connection, target: Path, progress: Callable[[], object]) -> None:
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # synced at the end, by `_put`
        source.backup(copy, pages=PAGES_PER_STEP, progress=lambda *_: progress())
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL beside it


def _verify(path: Path, progress: Callable[[], object] = lambda: None) -> dict[str, int]:
    """Rows by table of a database of Irodori. Raises sqlite3.Error and BackupError."""

    def proceed() -> int:  # SQLite ends a query whose handler raises
        progress()
        return 0

    with _open(path) as connection:
        connection.set_progress_handler(proceed, STEPS_PER_CALL)
        problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise BackupError(f"{path.name} is damaged: {'; '.join(problems)}")
        rows = _count_rows(connection)
        if not {"alembic_version", "avatars", "pictures"} <= rows.keys():
            raise BackupError(f"{path.name} is not a database of Irodori")
        versions = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
    known = {script.revision for script in known_revisions().walk_revisions()}
    if not known.issuperset(versions):
        raise BackupError(
            f"{path.name} has the schema {', '.join(versions)}, which this version does not know; "
            "update Irodori"
        )
    return rows


def _count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
        for (name,) in tables
    }


def _contents(path: Path, rows: dict[str, int]) -> Contents:
    return Contents(rows["pictures"], sum(rows.values()), path.stat().st_size)


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise BackupError(f"{target} exists already; choose another name")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Locks a database that nobody else has open. Raises BackupError if somebody has."""
    with _open(path) as connection:
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            # Leaving WAL needs that no other connection is open, even an idle one.
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise BackupError(f"{path} is in use; stop the bot first") from None
            raise
        except sqlite3.DatabaseError:
            pass  # too damaged to be locked, which is why it is replaced
        yield


def _put(temporary: Path, target: Path) -> None:
    """Renames a file that is on disk by then; afterwards the new name is on disk as well."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.rename(target)
    if os.name == "posix":  # other systems cannot open folders
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
