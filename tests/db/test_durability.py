"""Whatever was shown is stored, also when the process is killed at any moment."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from db.records import GalleryQuery
from db.store import Store

ROOT = Path(__file__).parents[2]
ADDER = Path(__file__).with_name("adder.py")


def add_until_killed(url: str, lines: int) -> dict[str, str]:
    """Kills an adder when it has printed so many lines -> id and SHA-256 of all that it showed."""
    adder = subprocess.Popen(
        [sys.executable, str(ADDER), url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert adder.stdout is not None
    printed = [adder.stdout.readline() for _ in range(lines)]
    adder.send_signal(signal.SIGKILL)
    printed += adder.stdout.readlines()  # what it showed before the signal reached it
    assert adder.wait() == -signal.SIGKILL
    shown = [line.split() for line in printed if line.startswith("shown") and line.endswith("\n")]
    return {id: sha256 for _, id, sha256 in shown}


async def test_committed_pictures_survive_sigkill(sqlite_url, tmp_path):
    shown: dict[str, str] = {}
    # after the first line it makes the database, later three workers add; what is under way when
    # the signal comes differs from run to run
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

    # nor is there a half-stored one among those that were not shown any more
    page = await store.galleries.page(GalleryQuery("everyone", None, None, {}, limit=10_000))
    coloured = await store.galleries.page(
        GalleryQuery("everyone", None, None, {"hair": "pink"}, limit=10_000)
    )
    assert page == coloured
    assert len(page.avatars) == await store.avatars.count() >= len(shown)
    for avatar in page.avatars:
        picture = await store.avatars.picture(avatar.id)
        assert hashlib.sha256(picture.data).hexdigest() == avatar.sha256
    await store.close()
    with sqlite3.connect(tmp_path / "data" / "irodori.db") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
