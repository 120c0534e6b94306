"""`python -m bot doctor`: checks the data of an installation and prints one finding per line.

`python -m bot --check` tests whether the bot can start; this looks for damage, which takes longer.
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.check import Finding
from bot.settings import Settings
from db.backup import BackupError, sqlite_path
from db.diagnosis import Diagnosis, integrity_problems, open_diagnosis
from db.errors import StoreError
from export.manifest import ModelError
from export.registry import Registry

FREE_BYTES = 500 * 2**20
CLOCK_TOLERANCE = timedelta(minutes=1)
LISTED = 5  # ids in a message
BACKUP_ADVICE = "stop the bot and restore a backup: python -m db restore FILE"


async def findings(settings: Settings, fix: bool) -> AsyncIterator[Finding]:
    """Checks one part after the other. With `fix`, repairs what can be repaired without loss."""
    path = None
    try:
        path = sqlite_path(settings.db.url)
    except BackupError:
        pass  # PostgreSQL
    except StoreError as error:
        yield Finding("database", False, str(error))
        return
    if path is not None and not path.is_file():
        text = f"there is no {path}; start the bot to create it, or correct db.url"
        yield Finding("database", False, text)
    else:
        async for finding in _database(settings.db.url, path, fix):
            yield finding
    for finding in (*_models(settings.models.dir), *_folders(path, settings.models.dir)):
        yield finding


async def _database(url: str, path: Path | None, fix: bool) -> AsyncIterator[Finding]:
    if path is not None:
        integrity = await asyncio.to_thread(_integrity, path)
        yield integrity
        if not integrity.ok:
            return
    try:
        async with open_diagnosis(url) as diagnosis:
            yield await _orphans(diagnosis, fix)
            yield await _pictures(diagnosis)
            yield _clock(datetime.now(UTC), await diagnosis.newest())
    except (StoreError, SQLAlchemyError, OSError) as error:
        yield Finding("database", False, str(getattr(error, "orig", None) or error))


def _integrity(path: Path) -> Finding:
    part = "integrity"
    try:
        problems = integrity_problems(path)
    except sqlite3.OperationalError as error:
        text = f"{path} cannot be opened: {error}; check its permissions and db.url"
        return Finding(part, False, text)
    except sqlite3.DatabaseError as error:
        return Finding(part, False, f"{path} is damaged ({error}); {BACKUP_ADVICE}")
    if problems:
        return Finding(part, False, f"{path} is damaged ({problems[0]}); {BACKUP_ADVICE}")
    return Finding(part, True, f"SQLite finds no damage in {path}")


async def _orphans(diagnosis: Diagnosis, fix: bool) -> Finding:
    found = await diagnosis.count_orphans()
    if not found:
        return Finding("orphans", True, "no rows of deleted or unknown avatars")
    if fix:
        deleted = await diagnosis.delete_orphans()
        return Finding("orphans", True, f"fixed: deleted {deleted} rows that nothing refers to")
    rows = ", ".join(f"{count} in {table}" for table, count in found.items())
    text = f"rows of deleted or unknown avatars: {rows}; --fix deletes them"
    return Finding("orphans", False, text)


async def _pictures(diagnosis: Diagnosis) -> Finding:
    total, missing, damaged = await diagnosis.check_pictures()
    wrong = []
    if missing:
        wrong.append(f"{len(missing)} of {total} are missing ({_some(missing)})")
    if damaged:
        wrong.append(f"{len(damaged)} of {total} differ from their SHA-256 ({_some(damaged)})")
    if wrong:
        text = f"{'; '.join(wrong)}. To have them back, {BACKUP_ADVICE}"
        return Finding("pictures", False, text)
    return Finding("pictures", True, f"all {total} are as they were stored")


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:LISTED]) + (", …" if len(ids) > LISTED else "")


def _clock(now: datetime, newest: datetime | None) -> Finding:
    if newest is not None and newest > now + CLOCK_TOLERANCE:
        text = (
            f"it is {now:%Y-%m-%d %H:%M} UTC here, but the newest avatar is of "
            f"{newest:%Y-%m-%d %H:%M} UTC; set the clock, for example with NTP"
        )
        return Finding("clock", False, text)
    return Finding("clock", True, f"it is {now:%Y-%m-%d %H:%M} UTC, after the newest avatar")


def _models(folder: Path) -> list[Finding]:
    """A finding for each damaged model, or one for all."""
    registry = Registry(folder)
    wrong = []
    try:
        names = registry.names()
        current = registry.current()
    except OSError as error:
        return [Finding("models", False, f"{folder} cannot be read: {error.strerror}")]
    for name in names:
        try:
            registry.load(name)
        except (ModelError, OSError) as error:
            wrong.append(Finding("models", False, str(error)))
    if current not in names:
        try:
            registry.load()
        except (ModelError, OSError) as error:
            wrong.append(Finding("models", False, f"{error}; python -m export use NAME"))
    count = f"{len(names)} model{'s' if len(names) != 1 else ''}"
    return wrong or [
        Finding("models", True, f"all files of {count} are as in the manifest; {current} is in use")
    ]


def _folders(database: Path | None, models: Path) -> list[Finding]:
    """Permissions and free space. `database` is None for PostgreSQL."""
    found = []
    denied = []
    if database is not None:
        # SQLite creates files beside the database
        denied += [
            f"{path} cannot be read and written"
            for path in (database.parent, database)
            if path.exists() and not os.access(path, os.R_OK | os.W_OK)
        ]
    if models.exists() and not os.access(models, os.R_OK | os.X_OK):
        denied.append(f"{models} cannot be read")
    if denied:
        text = f"{'; '.join(denied)} by this account. Change the owner or the mode of these files"
        found.append(Finding("permissions", False, text))
    else:
        found.append(Finding("permissions", True, "database and models are accessible"))
    if database is not None and database.parent.is_dir():
        free = shutil.disk_usage(database.parent).free
        text = f"{free / 2**30:.1f} GiB are free in {database.parent}"
        if free < FREE_BYTES:
            text += (
                f", less than {FREE_BYTES // 2**20} MiB; delete other files or use a larger disk"
            )
        found.append(Finding("disk", free >= FREE_BYTES, text))
    return found
