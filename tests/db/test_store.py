"""The store: restarts, concurrency and cancellation."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import aiosqlite
import pytest

from db.records import GalleryQuery, GuildLimits, MemberSettings, Owner
from db.store import Store

from .conftest import ANN, NOON, MakeAvatar, pending_reply

BEN = Owner("discord", "2", "Ben")
EVERYONE = GalleryQuery("everyone", None, None, {}, limit=1000)


async def test_saved_records_are_read_after_a_restart(url: str) -> None:
    settings = MemberSettings(private=False, size=128, language="ja")
    limits = GuildLimits(30, 50, ("200", "201"), ("300",), gallery=False)
    store = await Store.open(url)
    await store.members.save_settings(ANN, settings)
    await store.guilds.save_limits("100", limits)
    await store.guilds.block("100", "7")
    await store.pending_replies.save(pending_reply())
    await store.notes.set("commands", "abc")
    await store.close()

    store = await Store.open(url)
    assert await store.members.settings(ANN) == settings
    assert await store.members.settings(BEN) == MemberSettings(None, None, None)
    assert await store.guilds.limits("100") == limits
    assert await store.guilds.limits("999") == GuildLimits(0, 0, (), (), True)
    assert await store.guilds.blocked("100") == ["7"]
    [again] = await store.pending_replies.claim("42", NOON)
    assert again == pending_reply()
    assert again.owner.name == "Ann"
    assert await store.notes.get("commands") == "abc"
    assert await store.notes.get("else") is None
    await store.close()


async def test_saving_again_replaces_the_record(store: Store) -> None:
    for size in (64, 256, None):
        settings = MemberSettings(private=True, size=size)
        await store.members.save_settings(ANN, settings)
        assert await store.members.settings(replace(ANN, name="renamed")) == settings
    for cooldown in (10, 0):
        await store.guilds.save_limits("100", GuildLimits(cooldown, 5))
    assert await store.guilds.limits("100") == GuildLimits(0, 5)
    for value in ("one", "two"):
        await store.notes.set("key", value)
    assert await store.notes.get("key") == "two"


async def test_a_canceled_write_leaves_the_store_usable(
    store: Store, new_avatar: MakeAvatar
) -> None:
    for steps in range(12):
        adding = asyncio.create_task(store.avatars.add([new_avatar(), new_avatar()]))
        for _ in range(steps):
            await asyncio.sleep(0)
        adding.cancel()
        await asyncio.gather(adding, return_exceptions=True)
    before = await store.avatars.count()
    assert before % 2 == 0
    await asyncio.gather(*(store.avatars.add([new_avatar()]) for _ in range(20)))
    assert await store.avatars.count() == before + 20


async def test_no_rollback_is_aborted_if_a_task_is_canceled(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = await Store.open(sqlite_url)
    began = asyncio.Event()
    rollback = aiosqlite.Connection.rollback

    async def slow_rollback(connection: aiosqlite.Connection) -> None:
        began.set()
        await asyncio.sleep(0.05)
        await rollback(connection)

    monkeypatch.setattr(aiosqlite.Connection, "rollback", slow_rollback)
    for work in (store.avatars.count(), store.notes.set("key", "value")):
        task: asyncio.Task[object] = asyncio.create_task(work)
        await began.wait()
        began.clear()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    monkeypatch.undo()
    await store.close()
    assert caplog.messages == []


async def test_readers_do_not_wait_for_writers(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    store = await Store.open(sqlite_url)
    [first] = await store.avatars.add([new_avatar()])
    other = sqlite3.connect(tmp_path / "data" / "irodori.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # another process writes
    writers = asyncio.gather(*(store.avatars.add([new_avatar()]) for _ in range(20)))
    async with asyncio.timeout(25):
        pages = await asyncio.gather(*(store.galleries.page(EVERYONE) for _ in range(20)))
    assert not writers.done()
    assert [avatar.id for page in pages for avatar in page.avatars] == [first.id] * 20
    other.execute("ROLLBACK")
    other.close()
    await writers
    assert await store.avatars.count() == 21
    await store.close()
