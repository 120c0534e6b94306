"""`python -m bot doctor`."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.__main__ import main
from bot.doctor import FREE_BYTES
from db.records import NewAvatar, Owner
from db.store import Store
from export.registry import Registry


@pytest.fixture
def ids(tmp_path: Path) -> list[str]:
    """The ids of the avatars of a new database."""

    async def fill() -> list[str]:
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
        new = [
            NewAvatar(
                owner=Owner("discord", "1", "Ann"),
                guild=None,
                channel=None,
                private=False,
                model="tiny",
                seed=7,
                prompt="",
                wish={},
                conditions={"hair": "pink"},
                latent=np.zeros(8, np.float32),
                condition=np.zeros(5, np.float32),
                parents=(),
                picture=os.urandom(500),
                format="png",
                width=64,
                height=64,
            )
            for _ in range(3)
        ]
        avatars = await store.avatars.add(new)
        await store.close()
        return [avatar.id for avatar in avatars]

    return asyncio.run(fill())


@pytest.fixture
def doctor(tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command; returns its exit status, and (ok, text) by part."""

    def run(*arguments: str) -> tuple[int, dict[str, tuple[bool, str]]]:
        database = f"sqlite+aiosqlite:///{tmp_path}/bot.db"
        settings = ("--db.url", database, "--models.dir", str(registry.root))
        status = main(["doctor", *arguments, *settings])
        found = {}
        for line in capsys.readouterr().out.splitlines():
            part, text = line[5:].strip().split(": ", 1)
            found[part] = (line.startswith("ok"), text)
        return status, found

    return run


def execute(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "bot.db")) as connection, connection:
        connection.execute(statement)


def wrong(found: dict[str, tuple[bool, str]]) -> list[str]:
    return [part for part, (ok, _) in found.items() if not ok]


def test_a_healthy_installation(ids: list[str], doctor: Any) -> None:
    status, found = doctor()
    assert (status, wrong(found)) == (0, [])
    parts = ["integrity", "orphans", "pictures", "clock", "models", "permissions", "disk"]
    assert list(found) == parts


def test_damaged_and_missing_pictures(ids: list[str], doctor: Any, tmp_path: Path) -> None:
    execute(tmp_path, "UPDATE pictures SET data = x'00' WHERE avatar_id = 1")
    execute(tmp_path, "DELETE FROM pictures WHERE avatar_id = 2")
    status, found = doctor("--fix")
    assert (status, wrong(found)) == (1, ["pictures"])
    text = found["pictures"][1]
    assert f"1 of 3 are missing ({ids[1]})" in text
    assert f"1 of 3 differ from their SHA-256 ({ids[0]})" in text
    assert "python -m db restore" in text


def test_orphans_are_deleted_only_when_asked(ids: list[str], doctor: Any, tmp_path: Path) -> None:
    execute(tmp_path, "INSERT INTO pictures VALUES (99, x'00')")
    execute(tmp_path, "INSERT INTO avatar_values VALUES ('hair', 'pink', 99)")
    for _ in range(2):
        status, found = doctor()
        assert (status, wrong(found)) == (1, ["orphans"])
        assert "1 in pictures, 1 in avatar_values" in found["orphans"][1]
    status, found = doctor("--fix")
    assert status == 0
    assert "fixed: deleted 2 rows" in found["orphans"][1]
    assert doctor()[0] == 0
    with closing(sqlite3.connect(tmp_path / "bot.db")) as connection:
        assert connection.execute("SELECT count(*) FROM pictures").fetchone() == (3,)


def test_a_damaged_database(ids: list[str], doctor: Any, tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    file.write_bytes(b"noise" * 4096)
    status, found = doctor("--fix")
    assert (status, wrong(found)) == (1, ["integrity"])
    assert "restore" in found["integrity"][1]
    assert file.read_bytes() == b"noise" * 4096


def test_a_missing_database_is_not_created(doctor: Any, tmp_path: Path) -> None:
    status, found = doctor()
    assert (status, wrong(found)) == (1, ["database"])
    assert not (tmp_path / "bot.db").exists()


def test_a_damaged_model(ids: list[str], doctor: Any, registry: Registry) -> None:
    (registry.root / "tiny" / "generator.onnx").write_bytes(b"broken")
    status, found = doctor()
    assert (status, wrong(found)) == (1, ["models"])
    assert "generator.onnx" in found["models"][1]


def test_a_clock_before_the_newest_picture(ids: list[str], doctor: Any, tmp_path: Path) -> None:
    execute(tmp_path, "UPDATE avatars SET created = '2999-01-01 00:00:00.000000'")
    status, found = doctor()
    assert (status, wrong(found)) == (1, ["clock"])
    assert "NTP" in found["clock"][1]


def test_a_full_disk(ids: list[str], doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = FREE_BYTES - 1

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    status, found = doctor()
    assert (status, wrong(found)) == (1, ["disk"])
