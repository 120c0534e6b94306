"""A database that does not work for a while."""

import asyncio
import contextlib
import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import SERVER
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from db.engine import BUSY_SECONDS
from db.errors import StoreUnavailable, unavailable
from db.records import GalleryQuery
from db.store import Store

from .conftest import MakeAvatar, get_picture

EVERYONE = GalleryQuery("everyone", None, None, {})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.engine.BUSY_SECONDS", 0.2)


@contextlib.contextmanager
def locked(database: Path, mode: str) -> Iterator[None]:
    """Another process holds the lock."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute(f"BEGIN {mode}")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextlib.contextmanager
def full_disk(largest: int) -> Iterator[None]:
    """No file grows beyond this number of bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_nobody_waits_longer_than_five_seconds_for_a_lock() -> None:
    assert BUSY_SECONDS < 5


@pytest.mark.usefixtures("impatient")
async def test_writers_fail_together_while_the_database_is_locked(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    store = await Store.open(sqlite_url)
    [kept] = await store.avatars.add([new_avatar()])
    start = time.monotonic()
    with locked(tmp_path / "data" / "irodori.db", "IMMEDIATE"):
        writes = [store.avatars.add([new_avatar()]) for _ in range(100)]
        answers = await asyncio.gather(*writes, return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert "locked" in str(answers[0])
        # one after the other would take 20 s
        assert time.monotonic() - start < 10
        assert (await get_picture(store, kept.id)).sha256 == kept.sha256
    await store.avatars.add([new_avatar()])
    assert await store.avatars.count() == 2
    await store.close()


async def test_a_full_disk_is_reported_and_pictures_are_still_read(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    store = await Store.open(sqlite_url)
    [kept] = await store.avatars.add([new_avatar()])
    with full_disk((tmp_path / "data" / "irodori.db-wal").stat().st_size):
        with pytest.raises(StoreUnavailable):
            await store.avatars.add([new_avatar(picture=bytes(100_000))])
        assert (await get_picture(store, kept.id)).sha256 == kept.sha256
    await store.avatars.add([new_avatar()])
    assert await store.avatars.count() == 2
    await store.close()


async def test_a_damaged_database_is_reported(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    store = await Store.open(sqlite_url)
    await store.avatars.add([new_avatar(picture=bytes(50_000)) for _ in range(9)])
    await store.check()
    await store.close()
    store = await Store.open(sqlite_url)
    file = tmp_path / "data" / "irodori.db"
    with file.open("r+b") as pages:
        pages.seek(4096)  # the first page has the schema
        pages.write(b"\xa5" * (file.stat().st_size - 4096))
    with pytest.raises(StoreUnavailable):
        await store.check()
    with pytest.raises(StoreUnavailable):
        await store.galleries.page(EVERYONE)
    await store.close()


def test_a_read_only_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE notes (key)")
    read_only = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as caught:
        read_only.execute("INSERT INTO notes VALUES (1)")
    found = unavailable(OperationalError("", {}, caught.value))
    assert str(found) == "attempt to write a readonly database"


async def test_a_defect_of_the_program_keeps_its_error(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)no_such_table") as caught:
        async with store._database.reading() as session:
            await session.execute(text("SELECT 1 FROM no_such_table"))
    assert not isinstance(caught.value, StoreUnavailable)


@pytest.mark.skipif(SERVER is None, reason="no TEST_POSTGRES_URL")
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_restart_of_postgresql_is_reported(store: Store, new_avatar: MakeAvatar) -> None:
    with pytest.raises(StoreUnavailable):
        async with store._database.writing() as session:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    await store.avatars.add([new_avatar()])  # on a new connection


def test_a_server_that_does_not_listen_is_unavailable() -> None:
    assert unavailable(ConnectionRefusedError(111, "Connection refused")) is not None
    assert unavailable(ValueError("no avatar was ever stored as x")) is None
