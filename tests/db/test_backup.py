"""`python -m db backup` and `restore`."""

import asyncio
import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from db.__main__ import main
from db.backup import PAGES_PER_STEP, BackupError, backup, restore
from db.records import GalleryQuery
from db.store import Store

from .conftest import MakeAvatar, get_picture
from .test_durability import ROOT, WRITER


async def add(url: str, new_avatar: MakeAvatar, count: int, size: int = 5000) -> dict[str, bytes]:
    """Adds avatars with different pictures of `size` bytes; the pictures by id."""
    store = await Store.open(url)
    new = [new_avatar(picture=os.urandom(size)) for _ in range(count)]
    avatars = await store.avatars.add(new)
    await store.close()
    return {avatar.id: each.picture for avatar, each in zip(avatars, new, strict=True)}


async def pictures(url: str) -> dict[str, bytes]:
    store = await Store.open(url)
    page = await store.galleries.page(GalleryQuery("everyone", None, None, {}, limit=10_000))
    found = {a.id: (await get_picture(store, a.id)).data for a in page.avatars}
    await store.close()
    return found


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_restored_backup_has_the_same_pictures(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar, capsys: pytest.CaptureFixture[str]
) -> None:
    original = await add(sqlite_url, new_avatar, 5)
    file = tmp_path / "copy.db"
    assert main(["backup", str(file), "--db.url", sqlite_url]) == 0
    assert "5 pictures" in capsys.readouterr().out
    later = await add(sqlite_url, new_avatar, 2)

    assert main(["restore", str(file), "--db.url", sqlite_url]) == 0
    assert await pictures(sqlite_url) == original
    kept = [name for name in names(tmp_path / "data") if ".replaced-" in name]
    assert len(kept) == 1
    assert kept[0] in capsys.readouterr().out
    assert await pictures(f"sqlite+aiosqlite:///{tmp_path}/data/{kept[0]}") == original | later
    assert names(tmp_path) == {"data", "copy.db"}


async def test_restoring_where_there_is_no_database(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    original = await add(sqlite_url, new_avatar, 2)
    backup(sqlite_url, tmp_path / "copy.db")
    other = f"sqlite+aiosqlite:///{tmp_path}/other/new.db"
    assert restore(other, tmp_path / "copy.db")[1] is None
    assert await pictures(other) == original


async def test_a_backup_under_load_is_one_state_of_the_database(
    sqlite_url: str, tmp_path: Path
) -> None:
    writer = subprocess.Popen(  # noqa: ASYNC220 (returns at once)
        [sys.executable, str(WRITER), sqlite_url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None

    def stored(count: int) -> dict[str, str]:
        lines = [writer.stdout.readline().split() for _ in range(count)]  # type: ignore[union-attr]
        return {line[1]: line[2] for line in lines if line[0] == "shown"}

    try:
        before = stored(30)
        await asyncio.to_thread(backup, sqlite_url, tmp_path / "copy.db", lambda: None)
        stored(10)  # the writer goes on
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.communicate()
    found = await pictures(f"sqlite+aiosqlite:///{tmp_path}/copy.db")
    sums = {id: hashlib.sha256(data).hexdigest() for id, data in found.items()}
    assert before.items() <= sums.items()


async def test_writes_during_a_backup_neither_wait_nor_change_it(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    large = 500_000
    original = await add(sqlite_url, new_avatar, 3 * PAGES_PER_STEP * 4096 // large + 1, large)
    path = tmp_path / "data" / "irodori.db"
    steps = 0

    def write() -> None:
        nonlocal steps
        steps += 1
        assert steps < 100, "the backup begins again after each write"
        with sqlite3.connect(path, timeout=0) as connection:
            connection.execute("INSERT INTO notes VALUES (?, '')", (f"step {steps}",))
        connection.close()

    backup(sqlite_url, tmp_path / "copy.db", write)
    assert steps >= 3
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    copy.close()
    assert await pictures(f"sqlite+aiosqlite:///{tmp_path}/copy.db") == original


async def test_a_canceled_backup_leaves_no_file(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    await add(sqlite_url, new_avatar, 1)

    def cancel() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(sqlite_url, tmp_path / "copy.db", cancel)
    assert names(tmp_path) == {"data"}


async def test_a_backup_never_overwrites_a_file(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar, capsys: pytest.CaptureFixture[str]
) -> None:
    await add(sqlite_url, new_avatar, 1)
    (tmp_path / "copy.db").write_bytes(b"precious")
    assert main(["backup", str(tmp_path / "copy.db"), "--db.url", sqlite_url]) == 1
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "copy.db").read_bytes() == b"precious"


def test_a_backup_of_a_missing_database_creates_nothing(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="there is no database"):
        backup(sqlite_url, tmp_path / "copy.db")
    assert names(tmp_path) == set()


async def test_a_damaged_backup_is_not_restored(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    original = await add(sqlite_url, new_avatar, 30)
    file = tmp_path / "copy.db"
    backup(sqlite_url, file)
    whole = file.read_bytes()
    half = len(whole) // 8192 * 4096
    for damaged in (b"text", whole[:half], whole[:4096] + os.urandom(half) + whole[4096 + half :]):
        file.write_bytes(damaged)
        with pytest.raises(BackupError):
            restore(sqlite_url, file)
    assert names(tmp_path / "data") == {"irodori.db"}
    assert await pictures(sqlite_url) == original


def test_another_programs_database_is_not_restored(sqlite_url: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE addresses (name)")
    other.close()
    with pytest.raises(BackupError, match="not a database of Irodori"):
        restore(sqlite_url, tmp_path / "other.db")


async def test_a_backup_of_a_newer_version_is_not_restored(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    await add(sqlite_url, new_avatar, 1)
    backup(sqlite_url, tmp_path / "copy.db")
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        copy.execute("UPDATE alembic_version SET version_num = '9999'")
    copy.close()
    with pytest.raises(BackupError, match="update Irodori"):
        restore(sqlite_url, tmp_path / "copy.db")


async def test_a_database_in_use_is_not_replaced(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    original = await add(sqlite_url, new_avatar, 2)
    backup(sqlite_url, tmp_path / "copy.db")
    store = await Store.open(sqlite_url)  # idle
    with pytest.raises(BackupError, match="in use"):
        await asyncio.to_thread(restore, sqlite_url, tmp_path / "copy.db")
    more = await store.avatars.add([new_avatar()])
    await store.close()
    assert (await pictures(sqlite_url)).keys() == original.keys() | {more[0].id}


async def test_a_database_too_damaged_to_open_is_replaced(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    original = await add(sqlite_url, new_avatar, 2)
    backup(sqlite_url, tmp_path / "copy.db")
    (tmp_path / "data" / "irodori.db").write_bytes(b"noise" * 4096)
    kept = restore(sqlite_url, tmp_path / "copy.db")[1]
    assert kept is not None
    assert kept.read_bytes() == b"noise" * 4096
    assert await pictures(sqlite_url) == original


def test_postgresql_is_backed_up_by_its_own_tools(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "x.db", "--db.url", "postgresql+asyncpg://localhost/irodori"]) == 1
    assert "pg_dump" in capsys.readouterr().err
