"""The indexes that queries of galleries use on SQLite."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from db.records import GalleryQuery, Owner, Scope, Sort
from db.store import Store

ANN = Owner("discord", "1", "Ann")


@pytest.mark.parametrize(
    ("scope", "sort", "values", "index"),
    [
        ("mine", "loved", {}, "ix_avatars_owner_loved"),
        ("guild", "loved", {}, "ix_avatars_guild_loved"),
        ("everyone", "loved", {}, "ix_avatars_loved"),
        ("mine", "loved", {"hair": "pink"}, "ix_avatars_owner_loved"),
        ("guild", "loved", {"hair": "pink"}, "ix_avatars_guild_loved"),
        ("everyone", "loved", {"hair": "pink", "eyes": "red"}, "ix_avatars_loved"),
        ("mine", "new", {}, "ix_avatars_owner"),
        ("guild", "new", {}, "ix_avatars_guild"),
        ("everyone", "new", {}, "ix_avatars_public"),
        ("favourites", "new", {}, "ix_favourites_owner"),
        ("mine", "new", {"hair": "pink", "eyes": "red"}, "ix_avatars_owner"),
        ("guild", "new", {"hair": "pink", "eyes": "red"}, "ix_avatars_guild"),
        ("everyone", "new", {"hair": "pink", "eyes": "red"}, "attribute=? AND value=?"),
        ("favourites", "new", {"hair": "pink", "eyes": "red"}, "ix_favourites_owner"),
        ("hidden", "new", {}, "ix_avatars_hidden"),
    ],
)
async def test_gallery_queries_use_an_index(
    sqlite_url: str, tmp_path: Path, scope: Scope, sort: Sort, values: dict[str, str], index: str
) -> None:
    pages: list[tuple[str, Any]] = []

    def record(
        connection: object,
        cursor: object,
        statement: str,
        parameters: Any,
        context: object,
        executemany: bool,
    ) -> None:
        # the other statements read the avatars of the page by their keys, and the counts
        if "LIMIT" in statement and "FROM colours" not in statement:
            pages.append((statement, parameters))

    store = await Store.open(sqlite_url)
    event.listen(Engine, "before_cursor_execute", record)
    key = "50" if sort == "new" else "3.50"
    for cursor in (None, f"o{key}", f"n{key}"):
        await store.galleries.page(GalleryQuery(scope, ANN, "100", values, 9, cursor, sort))
    event.remove(Engine, "before_cursor_execute", record)
    await store.close()

    # With a cursor, other statements look for a page behind it. The most loved pictures beyond a
    # cursor are two ranges of the index: as many favorites, and fewer or more.
    ranges = 1 if sort == "new" else 2
    assert len(pages) == 1 + 2 * ranges + 2 * ranges
    with sqlite3.connect(tmp_path / "data" / "irodori.db") as raw:
        for statement, parameters in pages:
            plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert index in plan[0], plan
            if sort == "loved" and statement != pages[0][0]:
                assert re.search(r"favourites=\? AND (id|rowid)[<>]\?|favourites[<>]\?", plan[0]), (
                    plan
                )
            # for the newest avatars, the index of all public avatars is scanned
            assert not any(s.startswith("SCAN") and index not in s for s in plan), plan
            assert not any("TEMP B-TREE" in step for step in plan), plan
