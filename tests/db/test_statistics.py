"""Statistics."""

import sqlite3
from typing import Any

from sqlalchemy import Engine, event

from db.records import Owner, Statistics
from db.store import Store

from .conftest import ANN, MakeAvatar

BEN = Owner("web", "1", "Ben")


async def test_statistics_count_avatars_and_owners(store: Store, new_avatar: MakeAvatar) -> None:
    pink, blue = {"hair": "pink", "eyes": "red"}, {"hair": "blue", "eyes": "red"}
    a, b, c = await store.avatars.add(
        [
            new_avatar(owner=ANN, conditions=pink),
            new_avatar(owner=BEN, conditions=pink),
            new_avatar(conditions=blue),
        ]
    )
    hidden, deleted = await store.avatars.add(
        [new_avatar(owner=ANN, private=True), new_avatar(owner=Owner("web", "9"))]
    )
    for avatar, owners in ((a, (ANN, BEN)), (b, (ANN,)), (c, (BEN,)), (hidden, (ANN,))):
        for owner in owners:
            await store.favorites.toggle(avatar.id, owner)
    await store.avatars.delete(deleted.id)
    figures = await store.statistics()
    assert (figures.pictures, figures.private, figures.today, figures.members) == (4, 1, 5, 2)
    assert figures.favorites == 5
    assert figures.loved == [(pink, 3), (blue, 1)]


async def test_statistics_of_an_empty_store(store: Store) -> None:
    assert await store.statistics() == Statistics(0, 0, 0, 0, 0, [])


async def test_the_most_loved_conditions_are_read_from_an_index(sqlite_url: str) -> None:
    statements: list[tuple[str, Any]] = []

    def record(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "GROUP BY" in statement:
            statements.append((statement, parameters))

    store = await Store.open(sqlite_url)
    event.listen(Engine, "before_cursor_execute", record)
    await store.statistics()
    event.remove(Engine, "before_cursor_execute", record)
    await store.close()
    [(statement, parameters)] = statements
    with sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///")) as raw:
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert "ix_avatars_loved_conditions" in plan[0], plan
