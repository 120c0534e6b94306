"""Automatic backups of a SQLite database, at regular times while the bot runs."""

import asyncio
import logging
import re
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db.backup import BackupError, backup
from db.errors import StoreError
from db.settings import DbSettings

RETRY_SECONDS = 600  # after a failure
TIME = "%Y%m%dT%H%M%S.%fZ"
NAME = re.compile(r"irodori-(?P<time>\d{8}T\d{6}\.\d{6}Z)\.db")  # in UTC

log = logging.getLogger("bot.backups")


class _Canceled(Exception):  # noqa: N818 (a state, not a defect)
    pass


async def keep_backups(settings: DbSettings) -> None:
    """Backs up every `backup_hours`, counted from the newest backup, also across restarts."""
    while True:
        try:
            pause = seconds_until_due(settings, datetime.now(UTC))
            if pause == 0 and not await back_up(settings, datetime.now(UTC)):
                pause = RETRY_SECONDS
        except Exception as error:  # the folder cannot be read
            log.error("the backups in %s cannot be kept: %r", settings.backup_dir, error)
            pause = RETRY_SECONDS
        await asyncio.sleep(pause)


def seconds_until_due(settings: DbSettings, now: datetime) -> float:
    """0 if the next backup is due."""
    newest = max(backups(settings.backup_dir, now).values(), default=None)
    if newest is None:
        return 0
    return max(0.0, (newest + timedelta(hours=settings.backup_hours) - now).total_seconds())


def backups(folder: Path, now: datetime) -> dict[Path, datetime]:
    """The automatic backups and their times, the oldest first. Those in the future, from a time
    when the clock was wrong, are left out: they are neither counted nor deleted.
    """
    if not folder.is_dir():
        return {}
    times = {path: time_of(path) for path in sorted(folder.iterdir())}
    return {path: time for path, time in times.items() if time is not None and time <= now}


def time_of(path: Path) -> datetime | None:
    """The time in the name of an automatic backup; None for other files."""
    match = NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        return datetime.strptime(match["time"], TIME).replace(tzinfo=UTC)
    except ValueError:  # there is no such time, as in irodori-99999931T000000.000000Z.db
        return None


async def back_up(settings: DbSettings, now: datetime) -> bool:
    """Writes a backup, then deletes the oldest ones above `backup_keep`. Failures are logged, and
    delete nothing.
    """
    stopping = threading.Event()

    def progress() -> None:
        if stopping.is_set():
            raise _Canceled

    def work() -> None:
        settings.backup_dir.mkdir(parents=True, exist_ok=True)
        target = settings.backup_dir / f"irodori-{now:{TIME}}.db"
        contents = backup(settings.url, target, progress)
        log.info("backup %s: %d pictures, %d bytes", target, contents.pictures, contents.bytes)
        others = [path for path in backups(settings.backup_dir, now) if path != target]
        surplus = len(others) + 1 - settings.backup_keep
        for path in others[: max(0, surplus)]:
            path.unlink()
            log.info("old backup %s deleted", path)

    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:  # the bot stops, and waits for its threads
        stopping.set()
        with suppress(_Canceled, BackupError, StoreError, OSError):
            await thread
        raise
    except (BackupError, StoreError, OSError) as error:
        log.error("the backup failed: %s", error)
        return False
    except Exception:
        log.exception("the backup failed")
        return False
    return True
