"""Looking at a database before the bot uses it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from db.errors import StoreError
from db.inspection import inspect_database
from db.settings import DbSettings
from db.store import Store


def files(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def test_a_database_in_use_and_one_of_an_earlier_version(url: str) -> None:
    store = await Store.open(url)
    try:
        assert await inspect_database(url) == "can be read and written; 0 pictures"
    finally:
        await store.close()
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    assert (await inspect_database(url)).endswith("its schema is updated when the bot starts")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(StoreError, match="the schema 9999"):
        await inspect_database(url)


async def test_a_new_database(url: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    before = files(tmp_path)
    assert "when the bot starts" in await inspect_database(url)
    assert files(tmp_path) == before


async def test_nothing_is_written(sqlite_url: str, tmp_path: Path) -> None:
    await (await Store.open(sqlite_url)).close()
    before = files(tmp_path)
    await inspect_database(sqlite_url)
    assert files(tmp_path) == before


async def test_a_mistyped_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "does not exist yet" in await inspect_database(DbSettings().url)
    assert files(tmp_path) == {}
    with pytest.raises(StoreError, match="no folder dta"):
        await inspect_database("sqlite+aiosqlite:///dta/irodori.db")
    assert "does not exist yet" in await inspect_database("sqlite+aiosqlite:///other.db")
    await (await Store.open(DbSettings().url)).close()
    before = files(tmp_path)
    with pytest.raises(StoreError, match=r"no data/irodroi\.db, but data contains irodori\.db"):
        await inspect_database("sqlite+aiosqlite:///data/irodroi.db")
    assert files(tmp_path) == before


async def test_files_that_are_no_database_of_irodori(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        await inspect_database(f"sqlite+aiosqlite:///{tmp_path}/text.db")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    with pytest.raises(StoreError, match="another program"):
        await inspect_database(f"sqlite+aiosqlite:///{tmp_path}/other.db")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="no folder"):
        await inspect_database(f"sqlite+aiosqlite:///{tmp_path}/file/irodori.db")


async def test_a_server_that_cannot_be_reached(tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://me:secret@/irodori?host={tmp_path}"
    with pytest.raises(StoreError, match="cannot be used") as error:
        await inspect_database(url)
    assert "secret" not in str(error.value)
