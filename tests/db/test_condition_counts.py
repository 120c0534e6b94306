import sqlite3
from collections import Counter

from sqlalchemy import Engine, event

from db.records import ConditionCount, Owner
from db.store import Store

ANN = Owner("discord", "1", "Ann")
BEN = Owner("discord", "2", "Ben")
PINK = {"hair": "pink", "eyes": "red"}
BLUE = {"hair": "blue", "eyes": "red"}


async def colours_of(store: Store) -> dict[tuple, tuple[int, str]]:
    return {
        tuple(sorted(c.conditions.items())): (c.count, c.newest)
        for c in await store.galleries.condition_counts()
    }


async def test_public_avatars_are_counted_by_condition(store, new):
    assert await store.galleries.condition_counts() == []
    one, two, three, _ = await store.avatars.add(
        [
            new(conditions=PINK),
            new(conditions=BLUE),
            new(conditions=dict(reversed(PINK.items()))),
            new(conditions=PINK, private=True),
        ]
    )
    pink, blue = ConditionCount(PINK, 2, three.id), ConditionCount(BLUE, 1, two.id)
    assert sorted(await store.galleries.condition_counts(), key=lambda c: c.count) == [blue, pink]
    await store.avatars.delete(three.id)
    await store.avatars.delete(two.id)
    assert await store.galleries.condition_counts() == [ConditionCount(PINK, 1, one.id)]
    [four] = await store.avatars.add([new(conditions=PINK)])
    assert await store.galleries.condition_counts() == [ConditionCount(PINK, 2, four.id)]


async def test_avatars_of_other_models_are_counted_separately(store, new):
    [few] = await store.avatars.add([new(conditions={"hair": "pink"})])
    [last] = await store.avatars.add([new(conditions={"hair": "pink"})])
    [more] = await store.avatars.add([new(conditions=PINK)])
    await store.avatars.delete(last.id)
    counted = {len(c.conditions): c for c in await store.galleries.condition_counts()}
    assert counted == {
        1: ConditionCount({"hair": "pink"}, 1, few.id),
        2: ConditionCount(PINK, 1, more.id),
    }


async def test_avatars_of_forgotten_members_are_not_counted(store, new):
    added = await store.avatars.add(
        [new(owner=o, conditions=c) for c in (PINK, BLUE) for o in (BEN, ANN, BEN, ANN)]
        + [new(owner=ANN, conditions={"hair": "green", "eyes": "red"}, private=True)]
    )
    await store.members.delete_everything(ANN)
    left = Counter({tuple(sorted(PINK.items())): 2, tuple(sorted(BLUE.items())): 2})
    assert {colours: count for colours, (count, _) in (await colours_of(store)).items()} == left
    assert {newest for _, newest in (await colours_of(store)).values()} == {
        added[2].id,
        added[6].id,
    }


async def test_hidden_avatars_are_not_counted_until_shown_again(store, new):
    one, two, blue = await store.avatars.add(
        [new(conditions=PINK), new(conditions=PINK), new(conditions=BLUE)]
    )
    for _ in range(2):  # twice is no more than once
        assert await store.avatars.set_hidden(two.id, True)
        assert await store.avatars.set_hidden(blue.id, True)
    assert await store.galleries.condition_counts() == [ConditionCount(PINK, 1, one.id)]
    assert await store.avatars.set_hidden(one.id, True)
    assert await store.galleries.condition_counts() == []
    for id in (one.id, two.id, blue.id):
        for _ in range(2):
            assert await store.avatars.set_hidden(id, False)
    assert await store.galleries.condition_counts() == [
        ConditionCount(BLUE, 1, blue.id),
        ConditionCount(PINK, 2, two.id),
    ]


async def test_a_family_contains_only_public_existing_avatars(store, new):
    a, b = await store.avatars.add([new(), new()])
    child, sibling, secret, gone = await store.avatars.add(
        [
            new(parents=(a.id, b.id)),
            new(parents=(b.id,)),
            new(parents=(a.id, b.id), private=True),
            new(parents=(a.id,)),
        ]
    )
    [grandchild] = await store.avatars.add([new(parents=(child.id,))])
    await store.avatars.delete(gone.id)

    async def family(id: str, limit: int = 9) -> list[list[str]]:
        found = await store.avatars.family(await store.avatars.get(id), limit)
        return [[r.id for r in side] for side in (found.parents, found.children, found.siblings)]

    assert await family(child.id) == [[a.id, b.id], [grandchild.id], [sibling.id]]
    assert await family(b.id) == [[], [sibling.id, child.id], []]
    assert await family(b.id, 1) == [[], [sibling.id], []]
    assert await family(secret.id) == [[a.id, b.id], [], [sibling.id, child.id]]
    await store.avatars.delete(b.id)
    assert await family(child.id) == [[a.id], [grandchild.id], [sibling.id]]


async def test_a_thumbnail_is_stored_once_and_deleted_with_its_avatar(store, new):
    [avatar] = await store.avatars.add([new()])
    assert await store.avatars.thumbnail(avatar.id) is None
    await store.avatars.save_thumbnail(avatar.id, b"small")
    await store.avatars.save_thumbnail(avatar.id, b"again")
    assert await store.avatars.thumbnail(avatar.id) == b"small"
    await store.avatars.delete(avatar.id)
    assert await store.avatars.thumbnail(avatar.id) is None
    await store.avatars.save_thumbnail(avatar.id, b"late")
    await store.avatars.save_thumbnail("22222222", b"never")
    assert await store.avatars.thumbnail(avatar.id) is None


async def test_opening_an_older_database_creates_the_counts(sqlite_url, new):
    store = await Store.open(sqlite_url)
    await store.avatars.add(
        [new(conditions=c, private=p) for c in (PINK, BLUE) for p in (False, True)]
    )
    before = await colours_of(store)
    assert len(before) == 2
    await store.close()
    with sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///")) as raw:
        raw.execute("DROP TABLE colours")
        raw.execute("DROP TABLE thumbnails")
        raw.execute("DROP INDEX ix_avatar_parents_parent")
        raw.execute("DROP INDEX ix_avatars_hidden")
        raw.execute("ALTER TABLE avatars DROP COLUMN hidden_at")
        raw.execute("UPDATE alembic_version SET version_num = '0002'")
    store = await Store.open(sqlite_url)
    assert await colours_of(store) == before
    await store.close()


async def test_family_queries_use_an_index(sqlite_url, new):
    """However many avatars there are."""
    statements = []

    def note(connection, cursor, statement, parameters, context, executemany):
        if "LIMIT" in statement:
            statements.append((statement, parameters))

    store = await Store.open(sqlite_url)
    a, b = await store.avatars.add([new(), new()])
    [child] = await store.avatars.add([new(parents=(a.id, b.id))])
    event.listen(Engine, "before_cursor_execute", note)
    await store.avatars.family(child, 9)
    event.remove(Engine, "before_cursor_execute", note)
    await store.close()
    assert len(statements) == 2  # children, siblings
    with sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///")) as raw:
        for statement, parameters in statements:
            plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert "ix_avatar_parents_parent" in plan[0], plan
            assert not any(step.startswith("SCAN") for step in plan), plan
