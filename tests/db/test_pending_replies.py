"""Pending replies."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db.database import Database
from db.store import Store

from .conftest import NOON, pending_reply


async def test_pending_replies_are_listed_until_resolved_or_expired(store: Store) -> None:
    minutes = {id: NOON + timedelta(minutes=m) for id, m in (("a", 0), ("b", 10), ("c", 5))}
    for id, moment in minutes.items():
        await store.pending_replies.save(pending_reply(id, created=moment))
    await store.pending_replies.save(pending_reply("b", created=minutes["b"], token="renewed"))
    assert [(o.id, o.token[:7]) for o in await store.pending_replies.claim("42", NOON)] == [
        ("a", "aW50ZXJ"),
        ("c", "aW50ZXJ"),
        ("b", "renewed"),
    ]
    await store.pending_replies.resolve(["c", "no such order"])
    assert [o.id for o in await store.pending_replies.claim("42", NOON + timedelta(minutes=1))] == [
        "b"
    ]
    # expired replies were deleted
    assert [o.id for o in await store.pending_replies.claim("42", NOON)] == ["b"]


def test_repr_hides_the_token() -> None:
    assert "aW50" not in repr(pending_reply())


async def test_the_task_of_a_pending_reply_is_none_if_invalid(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer version or a damaged database can contain unknown tasks."""
    await store.pending_replies.save(pending_reply("a"))
    await store.pending_replies.save(pending_reply("b"))
    async with store._database.writing() as session:
        await session.execute(text("UPDATE owed SET work = 'delete_everything' WHERE id = 'a'"))
    assert [(p.id, p.task is None) for p in await store.pending_replies.claim("42", NOON)] == [
        ("a", True),
        ("b", False),
    ]
    assert "delete_everything" in caplog.text


async def test_concurrent_saves_share_a_transaction(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions, writing = 0, Database.writing

    @asynccontextmanager
    async def counted(database: Database, **keywords: Any) -> AsyncIterator[Any]:
        nonlocal transactions
        transactions += 1
        async with writing(database, **keywords) as session:
            yield session

    monkeypatch.setattr(Database, "writing", counted)
    ids = [f"{n:02}" for n in range(20)]
    await asyncio.gather(*(store.pending_replies.save(pending_reply(id)) for id in ids))
    assert transactions <= 2
    assert [o.id for o in await store.pending_replies.claim("42", NOON)] == ids


async def test_a_reply_that_cannot_be_saved_does_not_fail_concurrent_ones(store: Store) -> None:
    replies = [pending_reply("a"), pending_reply("b", token="\ud800"), pending_reply("c")]
    saves = [store.pending_replies.save(reply) for reply in replies]
    results = await asyncio.gather(*saves, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert [o.id for o in await store.pending_replies.claim("42", NOON)] == ["a", "c"]


async def test_a_reply_is_resolved_after_a_canceled_save(store: Store) -> None:
    saving = asyncio.create_task(store.pending_replies.save(pending_reply("a")))
    await asyncio.sleep(0)
    saving.cancel()
    await store.pending_replies.resolve(["a"])
    assert await store.pending_replies.claim("42", NOON) == []


async def test_an_urgent_write_precedes_those_that_wait(sqlite_url: str) -> None:
    """On SQLite, which has one writer at a time."""
    store = await Store.open(sqlite_url)
    order: list[str] = []
    database = store._database

    async def write(name: str, *, urgent: bool = False) -> None:
        async with database.writing(urgent=urgent):
            order.append(name)

    async with database.writing():
        ordinary = [asyncio.create_task(write(f"{n}")) for n in range(3)]
        await asyncio.sleep(0)
        urgent = asyncio.create_task(write("urgent", urgent=True))
        await asyncio.sleep(0)
    await asyncio.gather(*ordinary, urgent)
    assert order[0] == "urgent"
    await store.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.engine.BUSY_SECONDS", 0.1)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another process holds the lock of a SQLite database."""
    other = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def stored_ids(url: str) -> set[str]:
    with closing(sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM owed")}


@pytest.mark.usefixtures("impatient")
async def test_a_reply_resolved_while_the_database_is_locked_is_not_resumed(
    sqlite_url: str,
) -> None:
    store = await Store.open(sqlite_url)
    for id in ("a", "b"):
        await store.pending_replies.save(pending_reply(id))
    with locked(sqlite_url):
        await store.pending_replies.resolve(["a"])
    assert [reply.id for reply in await store.pending_replies.claim("42", NOON)] == ["b"]
    assert stored_ids(sqlite_url) == {"b"}
    await store.close()


@pytest.mark.usefixtures("impatient")
async def test_a_reply_resolved_while_the_database_is_locked_is_deleted_by_the_next_write(
    sqlite_url: str,
) -> None:
    """After that, it would not be painted by another process, either."""
    store = await Store.open(sqlite_url)
    await store.pending_replies.save(pending_reply("a"))
    with locked(sqlite_url):
        await store.pending_replies.resolve(["a"])
    await store.pending_replies.save(pending_reply("b"))
    assert stored_ids(sqlite_url) == {"b"}
    with locked(sqlite_url):
        await store.pending_replies.resolve(["b"])
    await store.close()
    assert stored_ids(sqlite_url) == set()


@pytest.mark.usefixtures("impatient")
async def test_a_reply_resolved_while_the_database_is_locked_is_deleted_without_another_write(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.pending_replies.RETRY_SECONDS", 0)
    store = await Store.open(sqlite_url)
    await store.pending_replies.save(pending_reply("a"))
    with locked(sqlite_url):
        await store.pending_replies.resolve(["a"])
    async with asyncio.timeout(60):
        while stored_ids(sqlite_url):  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0)
    await store.close()
