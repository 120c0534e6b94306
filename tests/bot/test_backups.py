"""Automatic backups."""

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.backups import back_up, backups, keep_backups, seconds_until_due, time_of
from bot.serve import StartError, serve
from bot.settings import Settings
from db.backup import verify
from db.settings import DbSettings
from db.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def found_in(settings: DbSettings) -> list[Path]:
    """The backups in the folder, the oldest first."""
    return list(backups(settings.backup_dir, datetime.max.replace(tzinfo=UTC)))


@pytest.fixture
async def settings(tmp_path: Path) -> DbSettings:
    url = f"sqlite+aiosqlite:///{tmp_path}/bot.db"
    await (await Store.open(url)).close()
    return DbSettings(url=url, backup_hours=2, backup_keep=2, backup_dir=tmp_path / "backups")


async def test_old_backups_are_deleted_and_other_files_kept(settings: DbSettings) -> None:
    settings.backup_dir.mkdir()
    other = settings.backup_dir / "irodori-by-hand.db"
    other.touch()
    for hours in range(4):
        assert await back_up(settings, NOON + hours * HOUR)
    found = found_in(settings)
    assert [path.name for path in found] == [
        "irodori-20260301T140000.000000Z.db",
        "irodori-20260301T150000.000000Z.db",
    ]
    assert set(settings.backup_dir.iterdir()) == {other, *found}
    for path in found:
        verify(path)


async def test_the_next_backup_is_due_hours_after_the_newest_one(settings: DbSettings) -> None:
    assert seconds_until_due(settings, NOON) == 0
    await back_up(settings, NOON)
    assert seconds_until_due(settings, NOON + HOUR) == 3600
    assert seconds_until_due(settings, NOON + 2 * HOUR) == 0
    assert seconds_until_due(settings, NOON + 3 * HOUR) == 0
    assert seconds_until_due(settings, NOON - HOUR) == 0  # the clock was wrong


async def test_a_backup_in_the_future_is_neither_counted_nor_deleted(settings: DbSettings) -> None:
    future = NOON + 1000 * HOUR
    for moment in (NOON - HOUR, NOON, future):
        assert await back_up(settings, moment)
    assert seconds_until_due(settings, NOON + HOUR) == 3600
    for hours in (2, 4):
        assert await back_up(settings, NOON + hours * HOUR)
    assert [time_of(path) for path in found_in(settings)] == [
        NOON + 2 * HOUR,
        NOON + 4 * HOUR,
        future,
    ]
    assert seconds_until_due(settings, NOON + 5 * HOUR) == 3600


async def test_a_name_with_an_impossible_time_is_no_backup(settings: DbSettings) -> None:
    settings.backup_dir.mkdir()
    other = settings.backup_dir / "irodori-99999931T000000.000000Z.db"
    other.touch()
    assert seconds_until_due(settings, NOON) == 0
    for hours in range(3):
        assert await back_up(settings, NOON + hours * HOUR)
    assert other.exists()
    assert len(found_in(settings)) == 2


async def test_backups_continue_after_their_folder_could_not_be_read(
    settings: DbSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable(settings: DbSettings, now: datetime) -> float:
        raise PermissionError("the folder cannot be read")

    pauses: asyncio.Queue[float] = asyncio.Queue()

    async def pause(seconds: float) -> None:
        pauses.put_nowait(seconds)
        if pauses.qsize() == 2:
            await asyncio.Event().wait()
        monkeypatch.setattr("bot.backups.seconds_until_due", seconds_until_due)

    monkeypatch.setattr("bot.backups.seconds_until_due", unreadable)
    monkeypatch.setattr("bot.backups.asyncio.sleep", pause)
    task = asyncio.create_task(keep_backups(settings))
    while pauses.qsize() < 2 and not task.done():
        await asyncio.wait([task], timeout=0.01)
    task.cancel()
    await asyncio.wait([task])
    assert "the folder cannot be read" in caplog.text
    assert len(found_in(settings)) == 1


async def test_a_failure_is_logged_and_deletes_nothing(
    settings: DbSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for hours in range(2):
        await back_up(settings, NOON + hours * HOUR)
    before = found_in(settings)
    (tmp_path / "bot.db").write_bytes(b"noise" * 4096)
    with caplog.at_level(logging.ERROR):
        assert not await back_up(settings, NOON + 2 * HOUR)
    assert "the backup failed" in caplog.text
    assert found_in(settings) == before
    assert set(settings.backup_dir.iterdir()) == set(before)


async def test_a_folder_that_cannot_be_created_is_logged(
    settings: DbSettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.backup_dir.touch()
    with caplog.at_level(logging.ERROR):
        assert not await back_up(settings, NOON)
    assert "the backup failed" in caplog.text


async def test_the_first_backup_is_written_at_once(
    settings: DbSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def pause(seconds: float) -> None:
        if found_in(settings) and not paused.done():
            paused.set_result(seconds)
        await asyncio.Event().wait() if seconds else None

    monkeypatch.setattr("bot.backups.asyncio.sleep", pause)
    task = asyncio.create_task(keep_backups(settings))
    await paused
    assert len(found_in(settings)) == 1
    task.cancel()
    await asyncio.wait([task])


async def test_stopping_the_bot_ends_a_backup(
    settings: DbSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, ended = threading.Event(), threading.Event()

    def endless(url: str, target: Path, progress: Callable[[], object]) -> None:
        try:
            while True:
                progress()
                started.set()
        finally:
            ended.set()

    monkeypatch.setattr("bot.backups.backup", endless)
    task = asyncio.create_task(back_up(settings, NOON))
    await asyncio.to_thread(started.wait)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ended.is_set()


async def test_postgresql_is_refused_at_the_start() -> None:
    settings = Settings(db=DbSettings(url="postgresql+asyncpg://localhost/x", backup_hours=1))
    with pytest.raises(StartError, match="pg_dump"):
        await serve(settings, None)
