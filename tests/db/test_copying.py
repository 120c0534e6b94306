"""`python -m db copy`, between all kinds of databases."""

import asyncio
import hashlib
import os
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.__main__ import main
from db.backup import BackupError
from db.copying import TABLES, CopyError, copy
from db.engine import connect
from db.records import MessageLink, Owner
from db.store import Store

from .conftest import ANN, NOON, MakeAvatar, get_avatar, get_picture, pending_reply

BEN = Owner("web", "2", "Ben ベン")


class Interrupted(Exception):  # noqa: N818 (raised on purpose)
    pass


@pytest.fixture
async def full(tmp_path: Path, new_avatar: MakeAvatar) -> str:
    """A SQLite database with rows in all tables that have foreign keys, and a deleted avatar."""
    url = f"sqlite+aiosqlite:///{tmp_path}/full.db"
    store = await Store.open(url)
    new = [new_avatar(owner=owner, picture=os.urandom(900)) for owner in (ANN, BEN) * 6]
    first, second, *_, deleted = await store.avatars.add(new)
    await store.avatars.add([new_avatar(parents=(first.id, second.id), private=True)])
    await store.avatars.delete(deleted.id)
    await store.favorites.toggle(first.id, BEN)
    await store.avatars.save_thumbnail(first.id, b"small")
    await store.pending_replies.save(pending_reply())
    await store.community.toggle_portrait("100", BEN)
    await store.puzzles.save("7", "100", 2)
    await store.puzzles.answer("7", BEN, 2)
    await store.posts.plan("showcase", "100", first.id, "200", NOON)
    [post] = await store.posts.take(["100"], NOON, 1)
    await store.posts.finish(post, NOON, "300", avatars=[first.id])
    await store.community.show(second.id, MessageLink("100", "200", "301"))
    await store.brackets.open("100", "2026-W09", [first.id, second.id], NOON)
    latest = await store.brackets.latest("100")
    assert latest is not None
    await store.brackets.vote(latest[0], 0, BEN, 1)
    await store.notes.set("greeting", "こんにちは")
    await store.close()
    return url


async def counts(url: str) -> dict[str, int]:
    engine = await connect(url)
    async with engine.connect() as connection:
        found = {
            table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
            for table in TABLES
        }
    await engine.dispose()
    return found


def ignore(table: str, rows: int) -> None:
    pass


async def test_a_copy_there_and_back_has_the_same_rows_and_pictures(
    full: str, url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    back = f"sqlite+aiosqlite:///{tmp_path}/back.db"
    assert await copy(full, url, ignore) == await counts(full)
    assert await copy(url, back, ignore) == await counts(full)
    original, copied, again = [await Store.open(each) for each in (full, url, back)]
    for id, _ in await original.avatars.picture_sizes(ANN):
        picture = await get_picture(original, id)
        assert hashlib.sha256(picture.data).hexdigest() == picture.sha256
        for store in (copied, again):
            assert await get_picture(store, id) == picture
            avatar, expected = await get_avatar(store, id), await get_avatar(original, id)
            assert avatar.created == expected.created
            assert avatar.conditions == expected.conditions
            assert avatar.latent.tobytes() == expected.latent.tobytes()
    # keys continue after the copied ones
    assert len(await copied.avatars.add([new_avatar(owner=Owner("web", "3", "New"))])) == 1
    for store in (original, copied, again):
        await store.close()


async def test_an_interrupted_copy_continues_where_it_stopped(full: str, url: str) -> None:
    copied: Counter[str] = Counter()

    def interrupt(table: str, rows: int) -> None:
        copied[table] += rows
        if copied["pictures"] == 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        await copy(full, url, interrupt, 2)
    rest: Counter[str] = Counter()

    def report(table: str, rows: int) -> None:
        rest[table] += rows

    expected = await counts(full)
    assert await copy(full, url, report, 2) == expected
    assert copied + rest == Counter(expected)
    assert rest["pictures"] == expected["pictures"] - 4
    assert await counts(url) == expected  # without the note on the progress


async def test_a_copy_to_a_database_with_rows_is_refused(
    full: str, url: str, new_avatar: MakeAvatar
) -> None:
    store = await Store.open(url)
    await store.avatars.add([new_avatar()])
    await store.close()
    before = await counts(url)
    with pytest.raises(CopyError, match="not empty"):
        await copy(full, url, ignore)
    assert await counts(url) == before


async def test_an_interrupted_copy_is_continued_only_from_its_source(
    full: str, url: str, tmp_path: Path
) -> None:
    def interrupt(table: str, rows: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        await copy(full, url, interrupt)
    other = f"sqlite+aiosqlite:///{tmp_path}/other.db"
    await (await Store.open(other)).close()
    with pytest.raises(CopyError, match=r"full\.db"):
        await copy(other, url, ignore)
    with pytest.raises(CopyError, match="not complete"):
        await copy(url, other, ignore)


async def test_a_source_that_changed_during_an_interruption_is_noticed(full: str, url: str) -> None:
    def interrupt(table: str, rows: int) -> None:
        if table == "pictures":
            raise Interrupted

    with pytest.raises(Interrupted):
        await copy(full, url, interrupt)
    with sqlite3.connect(full.removeprefix("sqlite+aiosqlite:///")) as source:
        source.execute("UPDATE pictures SET data = x'00' WHERE avatar_id = 1")
    source.close()
    with pytest.raises(CopyError, match="pictures differs"):
        await copy(full, url, ignore)


async def test_what_is_written_during_a_copy_is_not_copied(
    full: str, url: str, new_avatar: MakeAvatar
) -> None:
    expected = await counts(full)
    written = False

    def write(table: str, rows: int) -> None:
        nonlocal written
        if not written:
            path = full.removeprefix("sqlite+aiosqlite:///")
            with sqlite3.connect(path, timeout=0) as source:
                source.execute("INSERT INTO notes VALUES ('late', '')")
            source.close()
            written = True

    assert await copy(full, url, write) == expected


async def test_a_missing_source_is_not_created(tmp_path: Path, url: str) -> None:
    with pytest.raises(BackupError, match="there is no database"):
        await copy(f"sqlite+aiosqlite:///{tmp_path}/typo.db", url, ignore)
    assert not (tmp_path / "typo.db").exists()


def test_the_command_prints_what_was_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = (f"sqlite+aiosqlite:///{tmp_path}/{name}.db" for name in ("from", "to"))

    async def create() -> None:
        store = await Store.open(source)
        await store.notes.set("greeting", "hello")
        await store.close()

    asyncio.run(create())
    assert main(["copy", source, target]) == 0
    assert "the same 1 rows" in capsys.readouterr().out
    assert asyncio.run(counts(target))["notes"] == 1
    assert main(["copy", source, source]) == 1
    assert "the same database" in capsys.readouterr().err
