import asyncio
import itertools
import random
import sqlite3
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from db.gallery_queries import InvalidCursorError
from db.records import LAST, GalleryQuery, Owner, Page
from db.store import Store

ANN = Owner("discord", "1", "Ann")
BEN = Owner("discord", "2", "Ben")


def everyone(limit: int = 9, cursor: str | None = None, **values: str) -> GalleryQuery:
    return GalleryQuery("everyone", None, None, values, limit, cursor)


async def walk(store, limit: int, cursor: str | None, direction: str):
    """Yields pages from `cursor` to the end of `direction`."""
    while True:
        page = await store.galleries.page(everyone(limit, cursor))
        yield page
        cursor = getattr(page, direction)
        if cursor is None:
            return


async def test_who_sees_what(store, new):
    made = {
        "ann": new(owner=ANN, guild="100"),
        "ann private": new(owner=ANN, guild="100", private=True),
        "ann elsewhere": new(owner=ANN, guild="300"),
        "ann dm": new(owner=ANN, guild=None),
        "ben": new(owner=BEN, guild="100"),
        "ben private": new(owner=BEN, guild="100", private=True),
        "ben deleted": new(owner=BEN, guild="100"),
        "ann deleted": new(owner=ANN, guild="100"),
        "ben hidden": new(owner=BEN, guild="100"),
    }
    added = dict(zip(made, await store.avatars.add(list(made.values())), strict=True))
    name_of = {avatar.id: name for name, avatar in added.items()}
    for avatar in added.values():
        await store.favorites.toggle(avatar.id, ANN)
    await store.avatars.delete(added["ben deleted"].id)
    await store.avatars.delete(added["ann deleted"].id)
    await store.avatars.set_hidden(added["ben hidden"].id, True)

    async def seen(scope: str, viewer: Owner | None, guild: str | None = None) -> list[str]:
        page = await store.galleries.page(GalleryQuery(scope, viewer, guild, {}, limit=50))
        assert page.older is page.newer is None
        return sorted(name_of[avatar.id] for avatar in page.avatars)

    public = ["ann", "ann dm", "ann elsewhere", "ben"]
    for viewer in (ANN, BEN, None):
        assert await seen("everyone", viewer) == public
        assert await seen("guild", viewer, "100") == ["ann", "ben"]
        assert await seen("guild", viewer, "300") == ["ann elsewhere"]
        assert await seen("guild", viewer, "999") == []
    assert await seen("mine", ANN) == ["ann", "ann dm", "ann elsewhere", "ann private"]
    assert await seen("mine", BEN, "100") == ["ben", "ben hidden", "ben private"]
    assert await seen("hidden", None) == ["ben hidden"]
    assert await seen("favourites", ANN) == sorted([*public, "ann private"])
    assert await seen("favourites", BEN) == []
    stranger = Owner("web", "1")  # the same key, but not the same kind
    assert await seen("mine", stranger) == await seen("favourites", stranger) == []


@pytest.mark.parametrize("scope", ["mine", "guild", "everyone", "favourites"])
async def test_colours_filter_every_gallery(store, new, scope):
    colours = list(itertools.product(("pink", "blue"), ("red", "pink"), range(3)))
    added = await store.avatars.add(
        [new(owner=ANN, guild="1", conditions={"hair": h, "eyes": e}) for h, e, _ in colours]
    )
    for avatar in added:
        await store.favorites.toggle(avatar.id, ANN)

    async def found(**values: str) -> list[tuple[str, str]]:
        page = await store.galleries.page(GalleryQuery(scope, ANN, "1", values, limit=50))
        return [(a.conditions["hair"], a.conditions["eyes"]) for a in page.avatars]

    assert await found(hair="pink", eyes="red") == [("pink", "red")] * 3
    assert await found(eyes="pink", hair="blue") == [("blue", "pink")] * 3
    assert Counter(await found(hair="pink")) == {("pink", "red"): 3, ("pink", "pink"): 3}
    assert await found(hair="red") == []
    assert await found(hair="pink", smile="open") == []
    assert len(await found()) == 12

    first = await store.galleries.page(GalleryQuery(scope, ANN, "1", {"hair": "pink"}, limit=4))
    rest = await store.galleries.page(
        GalleryQuery(scope, ANN, "1", {"hair": "pink"}, 4, first.older)
    )
    assert [a.seed for a in rest.avatars] == [7, 7]
    assert rest.older is None
    back = await store.galleries.page(
        GalleryQuery(scope, ANN, "1", {"hair": "pink"}, 4, rest.newer)
    )
    assert back == first


@pytest.mark.parametrize(("count", "limit"), [(0, 3), (1, 3), (3, 3), (4, 3), (10, 3), (9, 1)])
async def test_pages_there_and_back(store, new, count, limit):
    added = [avatar.id for avatar in await store.avatars.add([new() for _ in range(count)])]
    there = [page async for page in walk(store, limit, None, "older")]
    assert [a.id for page in there for a in page.avatars] == added[::-1]
    assert [len(page.avatars) for page in there[:-1]] == [limit] * (len(there) - 1)
    assert there[0].newer is None
    assert there[-1].older is None
    if there[-1].newer is not None:
        back = [page async for page in walk(store, limit, there[-1].newer, "newer")]
        assert back == there[-2::-1]


@pytest.mark.parametrize("seed", range(3))
async def test_pages_while_avatars_come_and_go(store, new, seed):
    rng = random.Random(seed)
    living = [avatar.id for avatar in await store.avatars.add([new() for _ in range(40)])]
    order = dict(zip(living, itertools.count()))

    async def stir() -> None:
        for id in rng.sample(living, min(len(living), rng.randrange(4))):
            await store.avatars.delete(id)
            living.remove(id)
        for avatar in await store.avatars.add([new() for _ in range(rng.randrange(3))]):
            order[avatar.id] = len(order)
            living.append(avatar.id)

    async def tour(cursor: str | None, direction: str) -> tuple[list[str], str | None]:
        """-> the ids that were seen, and the cursor that leads back from the end."""
        at_start, seen, back = set(living), [], None
        async for page in walk(store, rng.randrange(1, 5), cursor, direction):
            ids = [avatar.id for avatar in page.avatars]
            assert set(ids) <= set(living)
            assert ids == sorted(ids, key=order.__getitem__, reverse=True)
            seen += ids if direction == "older" else ids[::-1]
            back = page.newer if direction == "older" else page.older
            await stir()
        assert len(set(seen)) == len(seen)
        assert seen == sorted(seen, key=order.__getitem__, reverse=direction == "older")
        if cursor is None:  # from the very end on: nothing that stayed may be missing
            assert at_start & set(living) <= set(seen)
        return seen, back

    there, back = await tour(None, "older")
    before = set(living)
    again, _ = await tour(back, "newer")
    last_shown = order[again[0]] if again else len(order)
    stayed = {id for id in before & set(living) if order[id] >= last_shown}
    assert stayed <= set(again)
    assert len(again) > 20
    assert there


async def test_pages_while_others_write_at_the_same_time(store, new):
    kept = [avatar.id for avatar in await store.avatars.add([new() for _ in range(30)])]
    reading = True

    async def write() -> None:
        while reading:
            added = await store.avatars.add([new() for _ in range(3)])
            await asyncio.gather(*(store.avatars.delete(avatar.id) for avatar in added[:2]))

    writers = [asyncio.create_task(write()) for _ in range(3)]
    for _ in range(3):
        seen = [a.id async for page in walk(store, 7, None, "older") for a in page.avatars]
        assert len(set(seen)) == len(seen)
        assert [id for id in seen if id in set(kept)] == kept[::-1]
    reading = False
    await asyncio.gather(*writers)


async def test_a_page_that_emptied_leads_back(store, new):
    a, b, c, d = await store.avatars.add([new() for _ in range(4)])
    first = await store.galleries.page(everyone(2))
    assert [x.id for x in first.avatars] == [d.id, c.id]
    for gone in (a, b):
        await store.avatars.delete(gone.id)
    empty = await store.galleries.page(everyone(2, first.older))
    assert (empty.avatars, empty.older) == ([], None)
    back = await store.galleries.page(everyone(2, empty.newer))
    assert [x.id for x in back.avatars] == [d.id, c.id]

    # the same at the other end
    [e] = await store.avatars.add([new()])
    newest = await store.galleries.page(everyone(1))
    assert [x.id for x in newest.avatars] == [e.id]
    older = await store.galleries.page(everyone(1, newest.older))
    await store.avatars.delete(e.id)
    empty = await store.galleries.page(everyone(1, older.newer))
    assert (empty.avatars, empty.newer) == ([], None)
    assert (await store.galleries.page(everyone(1, empty.older))).avatars == older.avatars


async def test_what_came_after_the_first_page_is_newer(store, new):
    await store.avatars.add([new() for _ in range(6)])
    first = await store.galleries.page(everyone(3))
    second = await store.galleries.page(everyone(3, first.older))
    added = await store.avatars.add([new() for _ in range(2)])
    assert first.newer is None
    again = await store.galleries.page(everyone(3, second.newer))
    assert again.avatars == first.avatars
    newest = await store.galleries.page(everyone(3, again.newer))
    assert [a.id for a in newest.avatars] == [a.id for a in added][::-1]
    assert newest.newer is None


def loved(scope: str = "everyone", **fields) -> GalleryQuery:
    return GalleryQuery(scope, ANN, "100", fields.pop("values", {}), sort="loved", **fields)


@pytest.mark.parametrize("scope", ["mine", "guild", "everyone", "favourites"])
async def test_the_most_loved_come_first_and_the_newer_of_equals(store, new, scope):
    added = await store.avatars.add([new(owner=ANN, guild="100") for _ in range(7)])
    hearts = dict(zip([a.id for a in added], (1, 3, 1, 2, 3, 1, 2), strict=True))
    fans = [ANN, BEN, Owner("web", "3")]
    for id, count in hearts.items():
        for fan in fans[:count]:
            await store.favorites.toggle(id, fan)
    order = [added[i].id for i in (4, 1, 6, 3, 5, 2, 0)]
    seen, cursor, pages = [], None, []
    while True:
        page = await store.galleries.page(loved(scope, limit=3, cursor=cursor))
        pages.append(page)
        seen += [a.id for a in page.avatars]
        assert [a.favorites for a in page.avatars] == [hearts[a.id] for a in page.avatars]
        cursor = page.older
        if cursor is None:
            break
    assert seen == order
    assert [page.newer is None for page in pages] == [True, False, False]
    assert await store.galleries.page(loved(scope, limit=3, cursor=pages[2].newer)) == pages[1]
    back = await store.galleries.page(loved(scope, limit=3, cursor=pages[1].newer))
    assert back.avatars == pages[0].avatars
    last = await store.galleries.page(loved(scope, limit=3, cursor=LAST))
    assert [a.id for a in last.avatars] == order[-3:]
    assert (last.older, last.newer is None) == (None, False)


@pytest.mark.parametrize("values", [{"hair": "pink"}, {"hair": "pink", "eyes": "red"}])
async def test_the_most_loved_of_a_colour(store, new, values):
    pink, blue = {"hair": "pink", "eyes": "red"}, {"hair": "blue", "eyes": "red"}
    a, b, c = await store.avatars.add(
        [new(conditions=pink), new(conditions=blue), new(conditions=pink)]
    )
    for avatar in (a, b):
        await store.favorites.toggle(avatar.id, BEN)
    page = await store.galleries.page(loved(values=values))
    assert [x.id for x in page.avatars] == [a.id, c.id]


@pytest.mark.parametrize("sort", ["new", "loved"])
async def test_a_page_tells_where_it_is_when_asked(store, new, sort):
    added = await store.avatars.add([new() for _ in range(8)])
    await store.avatars.delete(added[3].id)
    query = GalleryQuery("everyone", None, None, {}, 3, sort=sort, counted=True)
    told = []
    while True:
        page = await store.galleries.page(query)
        told.append((page.before, len(page.avatars), page.count))
        if page.older is None:
            break
        query = replace(query, cursor=page.older)
    assert told == [(0, 3, 7), (3, 3, 7), (6, 1, 7)]
    last = await store.galleries.page(replace(query, cursor=LAST))
    assert (last.before, len(last.avatars), last.count) == (4, 3, 7)
    assert last.avatars[-1] == page.avatars[-1]
    none = await store.galleries.page(replace(query, values={"hair": "green"}, cursor=None))
    assert (none.before, none.count) == (0, 0)
    assert (await store.galleries.page(replace(query, counted=False))).count is None


async def test_the_last_page_of_an_empty_gallery(store):
    for cursor in (None, LAST):
        assert await store.galleries.page(everyone(cursor=cursor)) == Page([], None, None)


@pytest.mark.parametrize("cursor", ["o12", "n1.", "o.1", "o1.2.3", "o-1.2", "first"])
async def test_a_cursor_of_the_other_sort_is_a_broken_one(store, cursor):
    with pytest.raises(InvalidCursorError, match="not a cursor"):
        await store.galleries.page(loved(cursor=cursor))
    with pytest.raises(InvalidCursorError, match="not a cursor"):
        await store.galleries.page(everyone(cursor="o1.2"))


@pytest.mark.parametrize(
    "cursor", ["", "o", "12", "x12", "o-1", "o1 ", "o1\n", "n" + "9" * 19, "o١"]
)
async def test_a_broken_cursor_is_named(store, cursor):
    with pytest.raises(InvalidCursorError, match="not a cursor"):
        await store.galleries.page(everyone(cursor=cursor))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (GalleryQuery("mine", None, None, {}), "'mine' needs a viewer"),
        (GalleryQuery("favourites", None, None, {}), "'favourites' needs a viewer"),
        (GalleryQuery("guild", ANN, None, {}), "guild"),
        (GalleryQuery("everyone", ANN, None, {}, limit=0), "limit is 0"),
    ],
)
async def test_a_query_without_sense_is_refused(store, query, message):
    with pytest.raises(ValueError, match=message):
        await store.galleries.page(query)


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
async def test_galleries_follow_an_index(sqlite_url, tmp_path, scope, sort, values, index):
    pages = []

    def note(connection, cursor, statement, parameters, context, executemany):
        if "LIMIT" in statement:  # what is read for the page's avatars goes by their keys
            pages.append((statement, parameters))

    store = await Store.open(sqlite_url)
    event.listen(Engine, "before_cursor_execute", note)
    place = "50" if sort == "new" else "3.50"
    for cursor in (None, f"o{place}", f"n{place}"):
        await store.galleries.page(GalleryQuery(scope, ANN, "100", values, 9, cursor, sort))
    event.remove(Engine, "before_cursor_execute", note)
    await store.close()

    assert len(pages) == 1 + 2 + 2  # with a cursor, also whether there is more behind it
    with sqlite3.connect(tmp_path / "data" / "irodori.db") as raw:
        for statement, parameters in pages:
            plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert index in plan[0], plan
            # from the newest on, the index of all public avatars is walked as a whole
            assert not any(s.startswith("SCAN") and index not in s for s in plan), plan
            assert not any("TEMP B-TREE" in step for step in plan), plan
