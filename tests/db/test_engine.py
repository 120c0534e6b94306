import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from postgres import SERVER
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from db.engine import connect, writing
from db.errors import StoreError
from db.store import Store


async def test_every_connection_to_sqlite_has_its_settings(sqlite_url: str) -> None:
    engine = await connect(sqlite_url)
    all_connected = asyncio.Barrier(4)

    async def settings() -> dict[str, object]:
        async with engine.connect() as connection:
            await all_connected.wait()  # so that four connections are open
            names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            return {n: await connection.scalar(text(f"PRAGMA {n}")) for n in names}

    found = await asyncio.gather(*(settings() for _ in range(4)))
    await engine.dispose()
    full, on = 2, 1
    expected = {"journal_mode": "wal", "synchronous": full, "foreign_keys": on, "secure_delete": on}
    assert found == [expected] * 4


async def test_a_dangling_foreign_key_is_rejected(url: str) -> None:
    engine = await connect(url)
    for insert in (
        "INSERT INTO pictures (avatar_id, data) VALUES (1, '')",
        "INSERT INTO avatar_values (attribute, value, avatar_id) VALUES ('hair', 'pink', 1)",
        "INSERT INTO avatar_parents (avatar_id, position, parent) VALUES (1, 0, 'nosuchid')",
        "INSERT INTO favourites (avatar_id, owner_id, created) VALUES (1, 1, '2026-01-01')",
    ):
        with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
            async with engine.begin() as connection:
                await connection.execute(text(insert))
    await engine.dispose()


async def test_concurrent_writers_wait_for_each_other(sqlite_url: str) -> None:
    engine = await connect(sqlite_url)
    count = text("SELECT count(*) FROM owners")
    first_reads = asyncio.Event()

    async def add(name: str, before: asyncio.Event | None) -> int:
        if before is not None:
            await before.wait()
        async with writing(engine).begin() as connection:
            seen = await connection.scalar(count)
            first_reads.set()
            await asyncio.sleep(0.05)
            values = f"INSERT INTO owners (kind, key, name) VALUES ('web', '{name}', '')"
            await connection.execute(text(values))
            return int(seen or 0)

    counts = await asyncio.gather(add("1", None), add("2", first_reads))
    assert list(counts) == [0, 1]
    await engine.dispose()


async def test_the_folder_of_the_database_is_created(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/a/50%/ü c/irodori.db")
    assert await store.avatars.count() == 0
    await store.close()
    assert (tmp_path / "a" / "50%" / "ü c" / "irodori.db").is_file()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("data/irodori.db", "'data/irodori.db' is not a database URL"),
        ("sqlite:///data/irodori.db", r"begins with sqlite://.*sqlite\+aiosqlite://"),
        ("mysql+aiomysql://localhost/irodori", r"begins with mysql\+aiomysql://"),
        ("sqlite+aiosqlite://", "names no file"),
        ("sqlite+aiosqlite:///:memory:", "names no file"),
    ],
)
async def test_an_invalid_url_is_rejected(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        await Store.open(url)


async def test_the_error_names_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    (tmp_path / "notes.txt").write_text("this is no database, but long enough to be one " * 50)
    (tmp_path / "folder").mkdir()
    for name, reason in (
        ("notes.txt", "not a database"),
        ("folder", "unable to open"),
        ("notes.txt/irodori.db", "notes.txt"),
    ):
        with pytest.raises(StoreError, match=rf"{tmp_path}/{name}: .*{reason}"):
            await Store.open(f"sqlite+aiosqlite:///{tmp_path}/{name}")
    # the driver has a thread per connection; all must end
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10)
        assert not thread.is_alive()


async def test_error_messages_hide_the_password() -> None:
    with pytest.raises(StoreError, match="cannot open the database postgresql") as caught:
        await Store.open("postgresql+asyncpg://irodori:hunter2@127.0.0.1:1/irodori")
    assert "hunter2" not in str(caught.value)


@asynccontextmanager
async def limited(url: str, connections: int) -> AsyncIterator[str]:
    """The URL for a role that may open this number of connections of PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        pytest.skip("SQLite has no such limit")
    role = f"{parsed.database}_member"
    admin = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT {connections}"))
        await connection.execute(text(f"ALTER DATABASE {parsed.database} OWNER TO {role}"))
        await connection.execute(text(f"GRANT ALL ON SCHEMA public TO {role}"))
    try:
        yield parsed.set(username=role).render_as_string(hide_password=False)
    finally:
        async with admin.connect() as connection:
            await connection.execute(
                text(f"ALTER DATABASE {parsed.database} OWNER TO CURRENT_USER")
            )
            await connection.execute(text(f"REASSIGN OWNED BY {role} TO CURRENT_USER"))
            await connection.execute(text(f"DROP OWNED BY {role}"))
            await connection.execute(text(f"DROP ROLE {role}"))
        await admin.dispose()


@pytest.mark.skipif(SERVER is None, reason="TEST_POSTGRES_URL is not set")
async def test_processes_wait_for_a_connection_of_postgresql(url: str) -> None:
    """The server allows as many connections as one of the two processes has."""
    async with limited(url, 2) as only_two:
        first = await connect(only_two, connections=2)
        async with first.connect(), first.connect():
            opening = asyncio.create_task(Store.open(only_two, connections=2))
            done, _ = await asyncio.wait([opening], timeout=0.5)
            assert not done
        await first.dispose()
        await (await opening).close()


@pytest.mark.skipif(SERVER is None, reason="TEST_POSTGRES_URL is not set")
async def test_requests_wait_while_postgresql_has_no_connection_left(url: str) -> None:
    """Three processes would open twelve connections; the server allows four."""
    async with limited(url, 4) as only_four:
        stores = [await Store.open(only_four, connections=4) for _ in range(3)]
        writes = [store.notes.set(f"{n}", "") for n in range(20) for store in stores]
        reads = [store.notes.get("0") for _ in range(20) for store in stores]
        await asyncio.gather(*writes, *reads)
        for store in stores:
            await store.close()
