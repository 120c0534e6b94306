import asyncio
import sqlite3
from collections import Counter
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Engine, event

from db.records import Owner, PairCount
from db.store import Store

from .conftest import ConditionCount, MakeAvatar, condition_counts, get_avatar

ANN = Owner("discord", "1", "Ann")
BEN = Owner("discord", "2", "Ben")
PINK = {"hair": "pink", "eyes": "red"}
BLUE = {"hair": "blue", "eyes": "red"}


async def counts_by_condition(store: Store) -> dict[tuple[tuple[str, str], ...], tuple[int, str]]:
    return {
        tuple(sorted(c.conditions.items())): (c.count, c.newest)
        for c in await condition_counts(store)
    }


async def test_public_avatars_are_counted_by_condition(
    store: Store, new_avatar: MakeAvatar
) -> None:
    assert await condition_counts(store) == []
    one, two, three, _ = await store.avatars.add(
        [
            new_avatar(conditions=PINK),
            new_avatar(conditions=BLUE),
            new_avatar(conditions=dict(reversed(PINK.items()))),
            new_avatar(conditions=PINK, private=True),
        ]
    )
    pink, blue = ConditionCount(PINK, 2, three.id), ConditionCount(BLUE, 1, two.id)
    assert sorted(await condition_counts(store), key=lambda c: c.count) == [blue, pink]
    await store.avatars.delete(three.id)
    await store.avatars.delete(two.id)
    assert await condition_counts(store) == [ConditionCount(PINK, 1, one.id)]
    [four] = await store.avatars.add([new_avatar(conditions=PINK)])
    assert await condition_counts(store) == [ConditionCount(PINK, 2, four.id)]


async def test_avatars_of_other_models_are_counted_separately(
    store: Store, new_avatar: MakeAvatar
) -> None:
    [few] = await store.avatars.add([new_avatar(conditions={"hair": "pink"})])
    [last] = await store.avatars.add([new_avatar(conditions={"hair": "pink"})])
    [more] = await store.avatars.add([new_avatar(conditions=PINK)])
    await store.avatars.delete(last.id)
    counted = {len(c.conditions): c for c in await condition_counts(store)}
    assert counted == {
        1: ConditionCount({"hair": "pink"}, 1, few.id),
        2: ConditionCount(PINK, 1, more.id),
    }


async def test_avatars_of_forgotten_members_are_not_counted(
    store: Store, new_avatar: MakeAvatar
) -> None:
    added = await store.avatars.add(
        [new_avatar(owner=o, conditions=c) for c in (PINK, BLUE) for o in (BEN, ANN, BEN, ANN)]
        + [new_avatar(owner=ANN, conditions={"hair": "green", "eyes": "red"}, private=True)]
    )
    await store.members.delete_everything(ANN)
    left = Counter({tuple(sorted(PINK.items())): 2, tuple(sorted(BLUE.items())): 2})
    assert {
        conditions: count for conditions, (count, _) in (await counts_by_condition(store)).items()
    } == left
    assert {newest for _, newest in (await counts_by_condition(store)).values()} == {
        added[2].id,
        added[6].id,
    }


async def test_hidden_avatars_are_not_counted_until_shown_again(
    store: Store, new_avatar: MakeAvatar
) -> None:
    one, two, blue = await store.avatars.add(
        [new_avatar(conditions=PINK), new_avatar(conditions=PINK), new_avatar(conditions=BLUE)]
    )
    for _ in range(2):  # hiding twice has no further effect
        assert await store.avatars.set_hidden(two.id, True)
        assert await store.avatars.set_hidden(blue.id, True)
    assert await condition_counts(store) == [ConditionCount(PINK, 1, one.id)]
    assert await store.avatars.set_hidden(one.id, True)
    assert await condition_counts(store) == []
    for id in (one.id, two.id, blue.id):
        for _ in range(2):
            assert await store.avatars.set_hidden(id, False)
    assert await condition_counts(store) == [
        ConditionCount(BLUE, 1, blue.id),
        ConditionCount(PINK, 2, two.id),
    ]


async def test_a_family_contains_only_public_existing_avatars(
    store: Store, new_avatar: MakeAvatar
) -> None:
    a, b = await store.avatars.add([new_avatar(), new_avatar()])
    child, sibling, secret, deleted = await store.avatars.add(
        [
            new_avatar(parents=(a.id, b.id)),
            new_avatar(parents=(b.id,)),
            new_avatar(parents=(a.id, b.id), private=True),
            new_avatar(parents=(a.id,)),
        ]
    )
    [grandchild] = await store.avatars.add([new_avatar(parents=(child.id,))])
    await store.avatars.delete(deleted.id)

    async def family(id: str, limit: int = 9) -> list[list[str]]:
        found = await store.avatars.family(await get_avatar(store, id), limit)
        return [[r.id for r in side] for side in (found.parents, found.children, found.siblings)]

    assert await family(child.id) == [[a.id, b.id], [grandchild.id], [sibling.id]]
    assert await family(b.id) == [[], [sibling.id, child.id], []]
    assert await family(b.id, 1) == [[], [sibling.id], []]
    assert await family(secret.id) == [[a.id, b.id], [], [sibling.id, child.id]]
    await store.avatars.delete(b.id)
    assert await family(child.id) == [[a.id], [grandchild.id], [sibling.id]]


async def test_a_thumbnail_is_stored_once_and_deleted_with_its_avatar(
    store: Store, new_avatar: MakeAvatar
) -> None:
    [avatar] = await store.avatars.add([new_avatar()])
    assert await store.avatars.thumbnail(avatar.id) is None
    await store.avatars.save_thumbnail(avatar.id, b"small")
    await store.avatars.save_thumbnail(avatar.id, b"again")
    assert await store.avatars.thumbnail(avatar.id) == b"small"
    await store.avatars.delete(avatar.id)
    assert await store.avatars.thumbnail(avatar.id) is None
    await store.avatars.save_thumbnail(avatar.id, b"late")
    await store.avatars.save_thumbnail("22222222", b"never")
    assert await store.avatars.thumbnail(avatar.id) is None


async def test_opening_an_older_database_creates_the_counts(
    sqlite_url: str, new_avatar: MakeAvatar
) -> None:
    store = await Store.open(sqlite_url)
    await store.avatars.add(
        [new_avatar(conditions=c, private=p) for c in (PINK, BLUE) for p in (False, True)]
    )
    before = await counts_by_condition(store)
    assert len(before) == 2
    await store.close()
    with sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///")) as raw:
        shared = ("processes", "forgotten", "rate_buckets")
        community = ("community", "post_avatars", "posts", "avatar_messages", "votes", "brackets")
        games = ("portrait_members", "guesses", "puzzles")
        newer = ("guild_presence", "reports", "links", "link_codes", *shared, *community, *games)
        for table in ("colours", "thumbnails", *newer):
            raw.execute(f"DROP TABLE {table}")
        for table, column in (
            ("owed", "process"),
            ("usage", "process"),
            ("guild_limits", "reports_channel"),
            ("guild_limits", "role_limits"),
        ):
            raw.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        raw.execute("DROP INDEX ix_avatar_parents_parent")
        for index in ("hidden", "owner_seed", "owner_key", "private", "loved_conditions"):
            raw.execute(f"DROP INDEX ix_avatars_{index}")
        for column in ("hidden_at", "choices"):
            raw.execute(f"ALTER TABLE avatars DROP COLUMN {column}")
        raw.execute("UPDATE alembic_version SET version_num = '0002'")
    store = await Store.open(sqlite_url)
    assert await counts_by_condition(store) == before
    await store.close()


async def test_family_queries_use_an_index(sqlite_url: str, new_avatar: MakeAvatar) -> None:
    statements: list[tuple[str, Any]] = []

    def record(
        connection: object,
        cursor: object,
        statement: str,
        parameters: Any,
        context: object,
        executemany: bool,
    ) -> None:
        if "LIMIT" in statement:
            statements.append((statement, parameters))

    store = await Store.open(sqlite_url)
    a, b = await store.avatars.add([new_avatar(), new_avatar()])
    [child] = await store.avatars.add([new_avatar(parents=(a.id, b.id))])
    event.listen(Engine, "before_cursor_execute", record)
    await store.avatars.family(child, 9)
    event.remove(Engine, "before_cursor_execute", record)
    await store.close()
    assert len(statements) == 2  # children, siblings
    with sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///")) as raw:
        for statement, parameters in statements:
            plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert "ix_avatar_parents_parent" in plan[0], plan
            assert not any(step.startswith("SCAN") for step in plan), plan


async def check_counts(store: Store) -> None:
    """The counts that galleries show are the stored ones."""
    stored = await condition_counts(store)
    counts = await store.galleries.counts()
    assert counts.count({}) == sum(c.count for c in stored)
    for hair in {c.conditions.get("hair", "") for c in stored} | {"unknown"}:
        with_hair = [c for c in stored if c.conditions.get("hair") == hair]
        assert counts.count({"hair": hair}) == sum(c.count for c in with_hair)
        eyes: Counter[str] = Counter()
        for c in with_hair:
            if "eyes" in c.conditions:
                eyes[c.conditions["eyes"]] += c.count
        assert counts.count_values("eyes", {"hair": hair}) == eyes
    pairs = await store.galleries.count_pairs("hair", "eyes")
    assert pairs == {
        (c.conditions["hair"], c.conditions["eyes"]): PairCount(c.count, c.newest)
        for c in stored
        if len(c.conditions) == 2
    }


async def test_galleries_show_the_stored_counts_after_every_change(
    store: Store, new_avatar: MakeAvatar
) -> None:
    await check_counts(store)
    _, two, three, _ = await store.avatars.add(
        [new_avatar(owner=BEN, conditions=c) for c in (PINK, BLUE, PINK, {"hair": "pink"})]
    )
    await check_counts(store)
    await store.avatars.add([new_avatar(conditions=PINK), new_avatar(conditions={"eyes": "red"})])
    await check_counts(store)
    await store.avatars.delete(two.id)
    await check_counts(store)
    await store.avatars.set_hidden(three.id, True)
    await check_counts(store)
    await store.avatars.set_hidden(three.id, False)
    await check_counts(store)
    await store.members.delete_everything(BEN)
    await check_counts(store)
    assert (await store.galleries.counts()).count({}) == 2


async def test_thousands_of_combinations_are_counted(store: Store, new_avatar: MakeAvatar) -> None:
    values = [f"value {n}" for n in range(11)]
    three = product(values, values, values)
    combinations = [dict(zip(("a", "b", "c"), combination, strict=True)) for combination in three]
    await store.avatars.add([new_avatar(conditions=c, picture=b"1") for c in combinations])
    counts = await store.galleries.counts()
    assert counts.count({}) == 11**3
    assert counts.count_values("c", {"a": "value 3"}) == dict.fromkeys(values, 11)
    await store.avatars.add([new_avatar(conditions=c, picture=b"2") for c in combinations])
    counts = await store.galleries.counts()
    assert counts.count({"b": "value 7"}) == 2 * 11**2
    assert counts.count({"a": "value 1", "b": "value 2", "c": "value 3"}) == 2


async def test_changes_of_another_process_are_counted_after_a_while(
    url: str, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.condition_counts.MIN_REFRESH_SECONDS", 0)
    monkeypatch.setattr("db.condition_counts.REFRESH_FACTOR", 0)
    one, other = await Store.open(url), await Store.open(url)
    try:
        assert (await one.galleries.counts()).count({}) == 0
        await other.avatars.add([new_avatar(conditions=PINK)])
        async with asyncio.timeout(60):
            while not (await one.galleries.counts()).count(PINK):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert await one.galleries.count_pairs("hair", "eyes") == (
            await other.galleries.count_pairs("hair", "eyes")
        )
    finally:
        await one.close()
        await other.close()
