"""Connects to the database of a URL, and migrates its schema."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from config import expand_home
from db.errors import StoreError, is_full

DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit is on disk when it returns, power cuts included
    "foreign_keys = ON",
    "secure_delete = ON",  # a deleted picture is overwritten with zeros
)
CONNECTIONS = 15  # by default
BUSY_SECONDS = 4  # how long a transaction waits for other processes, or for PostgreSQL
OPENING_SECONDS = 30  # the same for a migration, since other processes may migrate as well
MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x1201D0  # an arbitrary number, of PostgreSQL's advisory lock


async def connect(url: str, connections: int = CONNECTIONS) -> AsyncEngine:
    """The engine for a database that has the newest schema.

    `sqlite+aiosqlite:///PATH` (a missing folder is created) or `postgresql+asyncpg://…`.
    Transactions begun on `writing(engine)` may write. A connection is open until the engine is
    disposed, so that `db.backup.restore` sees that a SQLite database is in use. Raises StoreError.
    """
    parsed = parse_url(url)
    shown = parsed.render_as_string(hide_password=True)
    create = _sqlite if parsed.get_backend_name() == "sqlite" else _postgres
    try:
        engine = create(parsed, OPENING_SECONDS, connections)
    except (ImportError, OSError) as error:
        raise StoreError(f"cannot open the database {shown}: {error}") from error
    try:
        async with _connection(writing(engine)) as connection, connection.begin():
            await connection.run_sync(_migrate)
    except CommandError as error:
        raise StoreError(
            f"the database {shown} has a schema that this version does not know: {error} "
            "Update Irodori, or set db.url to another database"
        ) from error
    except (SQLAlchemyError, OSError) as error:
        raise _cannot_open(shown, error) from error
    finally:
        await engine.dispose()
    engine = create(parsed, BUSY_SECONDS, connections)
    try:
        async with _connection(engine):
            pass  # goes to the pool
    except (SQLAlchemyError, OSError) as error:
        await engine.dispose()
        raise _cannot_open(shown, error) from error
    return engine


@asynccontextmanager
async def _connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Waits while other processes have all connections that the server allows."""
    until = time.monotonic() + OPENING_SECONDS
    while True:
        try:
            connection = await engine.connect()
            break
        except Exception as error:
            if not is_full(error) or time.monotonic() > until:
                raise
        await asyncio.sleep(0.1)
    try:
        yield connection
    finally:
        await connection.close()


def _cannot_open(shown: str, error: Exception) -> StoreError:
    reason = getattr(error, "orig", None) or error  # the driver's message, if there is one
    return StoreError(f"cannot open the database {shown}: {reason}")


def writing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, whose transactions take SQLite's write lock at their beginning. Taking it
    after a read could not wait for the lock, and would fail.
    """
    return engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, whose transactions only read, and see the state of the database at their
    first query. By default, each query of PostgreSQL would see what others have committed since;
    SQLite's do not.
    """
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@asynccontextmanager
async def listening(url: URL) -> AsyncIterator[Any]:
    """A connection of asyncpg to PostgreSQL, outside the pool, for notifications."""
    engine = _postgres(url, BUSY_SECONDS, 1).execution_options(isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            raw = await connection.get_raw_connection()
            yield raw.driver_connection
    finally:
        await engine.dispose()


def parse_url(url: str) -> URL:
    """Raises StoreError for what is no URL of a supported database."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"db.url {url!r} is not a database URL: {error}") from None
    if parsed.drivername not in DRIVERS:
        raise StoreError(
            f"db.url begins with {parsed.drivername}://; it must be one of "
            + ", ".join(f"{driver}://" for driver in DRIVERS)
        )
    if parsed.get_backend_name() == "sqlite" and (parsed.database or "").startswith("~"):
        try:
            parsed = parsed.set(database=str(expand_home(parsed.database or "")))
        except ValueError as error:
            raise StoreError(f"db.url: {error}") from None
    return parsed


def _sqlite(url: URL, busy_seconds: float, connections: int) -> AsyncEngine:
    if url.database in (None, "", ":memory:"):
        raise StoreError("db.url names no file; for example sqlite+aiosqlite:///data/irodori.db")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        connect_args={"timeout": busy_seconds},
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: see `begin`
        cursor = connection.cursor()
        try:
            for pragma in PRAGMAS:
                _retry_while_busy(partial(cursor.execute, f"PRAGMA {pragma}"), busy_seconds)
        except Exception:
            connection.close()  # ends its thread
            raise
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))

    return engine


def _retry_while_busy(execute: Callable[[], object], seconds: float) -> None:
    """Retries while SQLite is busy. SQLite does not wait for the lock that the change to WAL needs,
    so several processes that open a new database at once would fail.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            execute()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        await_only(asyncio.sleep(0.02))


def _postgres(url: URL, busy_seconds: float, connections: int) -> AsyncEngine:
    return create_async_engine(
        url,
        connect_args={
            "timeout": busy_seconds,
            "server_settings": {"lock_timeout": f"{round(busy_seconds * 1000)}"},
        },
        hide_parameters=True,
        pool_pre_ping=True,  # the server may have been restarted since the connection was last used
        pool_size=connections,
        max_overflow=0,
    )


@cache
def known_revisions() -> ScriptDirectory:
    """The migrations of the schema."""
    return ScriptDirectory.from_config(_alembic())


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # several bots may start at once
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    newest = known_revisions().get_current_head()
    if MigrationContext.configure(connection).get_current_heads() == (newest,):
        return  # Alembic's environment takes longer to find this out
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
