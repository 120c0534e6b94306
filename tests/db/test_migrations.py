import asyncio
import inspect
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from setuptools import find_packages
from sqlalchemy import Connection, create_engine

from db.engine import connect
from db.errors import StoreError
from db.schema import Base
from db.store import Store

from .conftest import MakeAvatar, get_avatar

PACKAGE = Path(inspect.getfile(Store)).parent
SQLITE_INDEXES = {"ix_avatars_loved_conditions"}  # PostgreSQL cannot index a column of JSON
HEAD = ScriptDirectory(str(PACKAGE / "migrations")).get_current_head()


async def test_the_migrations_produce_the_schema(url: str) -> None:
    def differences(connection: Connection) -> tuple[str | None, list[Any]]:
        def exists_here(_: object, name: str | None, kind: str, reflected: bool, *__: Any) -> bool:
            """`compare_metadata` ignores `ddl_if`. An index in the database is always compared."""
            sqlite_only = kind == "index" and name in SQLITE_INDEXES and not reflected
            return connection.dialect.name == "sqlite" or not sqlite_only

        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_object": exists_here,
        }
        context = MigrationContext.configure(connection, opts=options)
        return context.get_current_revision(), compare_metadata(context, Base.metadata)

    engine = await connect(url)
    async with engine.connect() as connection:
        revision, missing = await connection.run_sync(differences)
    await engine.dispose()
    assert missing == []
    assert revision == HEAD


async def test_the_migrations_produce_the_same_indexes_and_tables(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Compares what `compare_metadata` ignores: partial indexes, tables without row ids."""
    await (await Store.open(sqlite_url)).close()
    schema = create_engine(f"sqlite:///{tmp_path}/schema.db")
    Base.metadata.create_all(schema)
    schema.dispose()

    def describe(path: Path) -> dict[str, list[Any]]:
        with sqlite3.connect(path) as raw:
            queries = {
                "indexes": "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name",
                "tables": "SELECT name, wr FROM pragma_table_list WHERE schema = 'main'"
                " AND name NOT IN ('alembic_version') ORDER BY name",
                "foreign keys": 'SELECT m.name, f."from", f."table", f."to" FROM sqlite_master m, '
                "pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY 1, 2",
            }
            described = {name: raw.execute(query).fetchall() for name, query in queries.items()}
        described["indexes"] = [i for i in described["indexes"] if "alembic_version" not in i[0]]
        return described

    migrated = describe(tmp_path / "data" / "irodori.db")
    assert migrated == describe(tmp_path / "schema.db")
    assert all(migrated.values())


async def test_an_up_to_date_store_is_not_changed(url: str, new_avatar: MakeAvatar) -> None:
    store = await Store.open(url)
    [avatar] = await store.avatars.add([new_avatar()])
    await store.close()
    for _ in range(2):
        store = await Store.open(url)
        assert await store.avatars.get(avatar.id) == avatar
        await store.close()


async def test_a_new_database_can_be_opened_concurrently(url: str, new_avatar: MakeAvatar) -> None:
    stores = await asyncio.gather(*(Store.open(url) for _ in range(5)))
    for store in stores:
        await store.avatars.add([new_avatar()])
    assert [await store.avatars.count() for store in stores] == [5] * 5
    await asyncio.gather(*(store.close() for store in stores))


async def test_opening_waits_while_another_process_creates_the_database(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Before WAL mode is set, SQLite itself would fail immediately."""
    file = tmp_path / "data" / "irodori.db"
    file.parent.mkdir()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("CREATE TABLE of_another (x)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO of_another VALUES (1)")
    opening = asyncio.create_task(Store.open(sqlite_url))
    done, _ = await asyncio.wait([opening], timeout=0.3)
    assert not done
    other.execute("COMMIT")
    await (await opening).close()
    other.close()


async def test_a_database_of_a_newer_version_is_rejected_and_unchanged(
    sqlite_url: str, tmp_path: Path
) -> None:
    await (await Store.open(sqlite_url)).close()
    file = tmp_path / "data" / "irodori.db"
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"irodori\.db has a schema .* '9999'.*Update Irodori"):
        await Store.open(sqlite_url)
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


async def test_a_failing_migration_is_rolled_back(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "data" / "irodori.db"
    file.parent.mkdir()
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE favourites (x)")  # makes the last migration fail
    with pytest.raises(StoreError, match="favourites already exists"):
        await Store.open(sqlite_url)
    with sqlite3.connect(file) as raw:
        tables = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        assert tables == [("favourites",)]
        raw.execute("DROP TABLE favourites")
    store = await Store.open(sqlite_url)
    assert await store.avatars.count() == 0
    await store.close()


async def test_a_database_of_the_first_version_is_migrated(sqlite_url: str, tmp_path: Path) -> None:
    """Favorites are counted, and rows of deleted avatars are cleared."""
    file = tmp_path / "data" / "irodori.db"
    file.parent.mkdir()
    engine = create_engine(f"sqlite:///{file}")
    config = Config()
    config.set_main_option("script_location", str(PACKAGE / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(file) as raw:
        raw.executemany(
            "INSERT INTO owners (id, kind, key, name) VALUES (?, 'discord', ?, ?)",
            [(1, "81", "Ann"), (2, "82", "Ben")],
        )
        raw.executemany(
            "INSERT INTO avatars VALUES (?, ?, '2026-01-01 00:00:00.000000', 1, '100', '200', 0,"
            " 'faces', 7, 'a secret', '{}', '{\"hair\": \"pink\"}', ?, ?, 'png', 64, 64, 3,"
            " 'ab', ?)",
            [
                (1, "livingid", b"\0\0\x80?", b"", None),
                (2, "deadid22", b"\0\0\x80?", b"", "2026-01-02 00:00:00.000000"),
            ],
        )
        raw.execute("INSERT INTO pictures VALUES (1, 'png')")
        raw.executemany("INSERT INTO avatar_values VALUES ('hair', 'pink', ?)", [(1,), (2,)])
        raw.execute("INSERT INTO avatar_parents VALUES (1, 0, 'deadid22')")
        raw.executemany(
            "INSERT INTO favourites VALUES (?, ?, '2026-01-01 00:00:00.000000')",
            [(1, 1), (1, 2), (2, 2)],
        )

    store = await Store.open(sqlite_url)
    existing = await get_avatar(store, "livingid")
    assert (existing.favorites, existing.prompt, existing.latent.tolist()) == (
        2,
        "a secret",
        [1.0],
    )
    assert existing.parents == ("deadid22",)
    assert await store.avatars.get("deadid22") is None
    assert await store.favorites.toggle("livingid", existing.owner) == (False, 1)
    await store.close()
    with sqlite3.connect(file) as raw:
        raw.row_factory = sqlite3.Row
        [deleted_row] = raw.execute("SELECT * FROM avatars WHERE id = 2").fetchall()
        assert (deleted_row["prompt"], deleted_row["conditions"], deleted_row["latent"]) == (
            "",
            "{}",
            b"",
        )
        assert (
            deleted_row["seed"],
            deleted_row["guild"],
            deleted_row["sha256"],
            deleted_row["model"],
        ) == (0, None, "", "")
        assert deleted_row["owner_id"] not in (1, 2)
        for table in ("avatar_values", "favourites"):
            [(left,)] = raw.execute(f"SELECT count(*) FROM {table} WHERE avatar_id = 2").fetchall()
            assert left == 0
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_migrations_are_packaged() -> None:
    steps = list((PACKAGE / "migrations" / "versions").glob("m*.py"))
    assert len(steps) == len(list(ScriptDirectory(str(PACKAGE / "migrations")).walk_revisions()))
    assert {"db.migrations", "db.migrations.versions"} <= set(find_packages(str(PACKAGE.parent)))
