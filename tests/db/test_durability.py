"""Pictures are stored before they are shown, even if the process is killed."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from db.records import GalleryQuery
from db.store import Store

from .conftest import get_picture

ROOT = Path(__file__).parents[2]
WRITER = Path(__file__).with_name("writer.py")


def add_until_killed(url: str, lines: int) -> dict[str, str]:
    """Kills a writer after that number of lines; returns SHA-256 by id of the avatars it showed."""
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None
    printed = [writer.stdout.readline() for _ in range(lines)]
    writer.send_signal(signal.SIGKILL)
    printed += writer.stdout.readlines()  # printed before the signal arrived
    assert writer.wait() == -signal.SIGKILL
    shown = [line.split() for line in printed if line.startswith("shown") and line.endswith("\n")]
    return {id: sha256 for _, id, sha256 in shown}


async def test_committed_pictures_survive_sigkill(sqlite_url: str, tmp_path: Path) -> None:
    shown: dict[str, str] = {}
    # after the first line the writer creates the database, then three workers add avatars
    for lines in (1, 9, 40):
        shown |= add_until_killed(sqlite_url, lines)
    assert len(shown) >= 8 + 39

    store = await Store.open(sqlite_url)
    for id, sha256 in shown.items():
        avatar, picture = await store.avatars.get(id), await store.avatars.picture(id)
        assert avatar is not None
        assert picture is not None
        assert hashlib.sha256(picture.data).hexdigest() == sha256
        assert picture.sha256 == avatar.sha256 == sha256
        assert avatar.bytes == len(picture.data)

    # avatars that were not shown are stored completely or not at all
    page = await store.galleries.page(GalleryQuery("everyone", None, None, {}, limit=10_000))
    filtered = await store.galleries.page(
        GalleryQuery("everyone", None, None, {"hair": "pink"}, limit=10_000)
    )
    assert page == filtered
    assert len(page.avatars) == await store.avatars.count() >= len(shown)
    for avatar in page.avatars:
        picture = await get_picture(store, avatar.id)
        assert hashlib.sha256(picture.data).hexdigest() == avatar.sha256
    await store.close()
    with sqlite3.connect(tmp_path / "data" / "irodori.db") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
