"""Pages and cursors of galleries."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Literal

import pytest

from db.gallery_queries import InvalidCursorError
from db.records import LAST, GalleryQuery, Owner, Page, Scope, Sort
from db.store import Store

from .conftest import MakeAvatar

ANN = Owner("discord", "1", "Ann")
BEN = Owner("discord", "2", "Ben")

Direction = Literal["older", "newer"]


def everyone(limit: int = 9, cursor: str | None = None, **values: str) -> GalleryQuery:
    return GalleryQuery("everyone", None, None, values, limit, cursor)


def most_popular(scope: Scope = "everyone", **fields: Any) -> GalleryQuery:
    return GalleryQuery(scope, ANN, "100", {}, sort="loved", **fields)


async def walk(
    store: Store, limit: int, cursor: str | None, direction: Direction
) -> AsyncIterator[Page]:
    """Yields pages from `cursor` to the end of `direction`."""
    while True:
        page = await store.galleries.page(everyone(limit, cursor))
        yield page
        cursor = getattr(page, direction)
        if cursor is None:
            return


@pytest.mark.parametrize(("count", "limit"), [(0, 3), (1, 3), (3, 3), (4, 3), (10, 3), (9, 1)])
async def test_pages_can_be_read_forward_and_back(
    store: Store, new_avatar: MakeAvatar, count: int, limit: int
) -> None:
    added = [avatar.id for avatar in await store.avatars.add([new_avatar() for _ in range(count)])]
    forward = [page async for page in walk(store, limit, None, "older")]
    assert [a.id for page in forward for a in page.avatars] == added[::-1]
    assert [len(page.avatars) for page in forward[:-1]] == [limit] * (len(forward) - 1)
    assert forward[0].newer is None
    assert forward[-1].older is None
    if forward[-1].newer is not None:
        back = [page async for page in walk(store, limit, forward[-1].newer, "newer")]
        assert back == forward[-2::-1]


@pytest.mark.parametrize("seed", range(3))
async def test_paging_while_avatars_are_added_and_deleted(
    store: Store, new_avatar: MakeAvatar, seed: int
) -> None:
    rng = random.Random(seed)
    existing = [avatar.id for avatar in await store.avatars.add([new_avatar() for _ in range(40)])]
    order = dict(zip(existing, itertools.count()))

    async def change_avatars() -> None:
        for id in rng.sample(existing, min(len(existing), rng.randrange(4))):
            await store.avatars.delete(id)
            existing.remove(id)
        for avatar in await store.avatars.add([new_avatar() for _ in range(rng.randrange(3))]):
            order[avatar.id] = len(order)
            existing.append(avatar.id)

    async def read_pages(cursor: str | None, direction: Direction) -> tuple[list[str], str | None]:
        """Returns the ids that were read, and the cursor that leads back from the end."""
        at_start, seen, back = set(existing), [], None
        async for page in walk(store, rng.randrange(1, 5), cursor, direction):
            ids = [avatar.id for avatar in page.avatars]
            assert set(ids) <= set(existing)
            assert ids == sorted(ids, key=order.__getitem__, reverse=True)
            seen += ids if direction == "older" else ids[::-1]
            back = page.newer if direction == "older" else page.older
            await change_avatars()
        assert len(set(seen)) == len(seen)
        assert seen == sorted(seen, key=order.__getitem__, reverse=direction == "older")
        if cursor is None:  # from the first page: no remaining avatar may be missing
            assert at_start & set(existing) <= set(seen)
        return seen, back

    forward, back = await read_pages(None, "older")
    before = set(existing)
    again, _ = await read_pages(back, "newer")
    last_shown = order[again[0]] if again else len(order)
    stayed = {id for id in before & set(existing) if order[id] >= last_shown}
    assert stayed <= set(again)
    assert len(again) > 20
    assert forward


async def test_paging_during_concurrent_writes(store: Store, new_avatar: MakeAvatar) -> None:
    kept = [avatar.id for avatar in await store.avatars.add([new_avatar() for _ in range(30)])]
    reading = True

    async def write() -> None:
        while reading:
            added = await store.avatars.add([new_avatar() for _ in range(3)])
            await asyncio.gather(*(store.avatars.delete(avatar.id) for avatar in added[:2]))

    writers = [asyncio.create_task(write()) for _ in range(3)]
    for _ in range(3):
        seen = [a.id async for page in walk(store, 7, None, "older") for a in page.avatars]
        assert len(set(seen)) == len(seen)
        assert [id for id in seen if id in set(kept)] == kept[::-1]
    reading = False
    await asyncio.gather(*writers)


async def test_an_emptied_page_still_has_a_cursor_back(
    store: Store, new_avatar: MakeAvatar
) -> None:
    a, b, c, d = await store.avatars.add([new_avatar() for _ in range(4)])
    first = await store.galleries.page(everyone(2))
    assert [x.id for x in first.avatars] == [d.id, c.id]
    for deleted in (a, b):
        await store.avatars.delete(deleted.id)
    empty = await store.galleries.page(everyone(2, first.older))
    assert (empty.avatars, empty.older) == ([], None)
    back = await store.galleries.page(everyone(2, empty.newer))
    assert [x.id for x in back.avatars] == [d.id, c.id]

    # the same at the other end
    [e] = await store.avatars.add([new_avatar()])
    newest = await store.galleries.page(everyone(1))
    assert [x.id for x in newest.avatars] == [e.id]
    older = await store.galleries.page(everyone(1, newest.older))
    await store.avatars.delete(e.id)
    empty = await store.galleries.page(everyone(1, older.newer))
    assert (empty.avatars, empty.newer) == ([], None)
    assert (await store.galleries.page(everyone(1, empty.older))).avatars == older.avatars


async def test_avatars_added_later_are_on_the_newer_page(
    store: Store, new_avatar: MakeAvatar
) -> None:
    await store.avatars.add([new_avatar() for _ in range(6)])
    first = await store.galleries.page(everyone(3))
    second = await store.galleries.page(everyone(3, first.older))
    added = await store.avatars.add([new_avatar() for _ in range(2)])
    assert first.newer is None
    again = await store.galleries.page(everyone(3, second.newer))
    assert again.avatars == first.avatars
    newest = await store.galleries.page(everyone(3, again.newer))
    assert [a.id for a in newest.avatars] == [a.id for a in added][::-1]
    assert newest.newer is None


@pytest.mark.parametrize("scope", ["mine", "guild", "everyone", "favourites"])
async def test_sorting_by_favorites_puts_newer_avatars_first_among_equals(
    store: Store, new_avatar: MakeAvatar, scope: Scope
) -> None:
    added = await store.avatars.add([new_avatar(owner=ANN, guild="100") for _ in range(7)])
    favorite_counts = dict(zip([a.id for a in added], (1, 3, 1, 2, 3, 1, 2), strict=True))
    owners = [ANN, BEN, Owner("web", "3")]
    for id, count in favorite_counts.items():
        for owner in owners[:count]:
            await store.favorites.toggle(id, owner)
    order = [added[i].id for i in (4, 1, 6, 3, 5, 2, 0)]
    seen, cursor, pages = list[str](), None, list[Page]()
    while True:
        page = await store.galleries.page(most_popular(scope, limit=3, cursor=cursor))
        pages.append(page)
        seen += [a.id for a in page.avatars]
        assert [a.favorites for a in page.avatars] == [favorite_counts[a.id] for a in page.avatars]
        cursor = page.older
        if cursor is None:
            break
    assert seen == order
    assert [page.newer is None for page in pages] == [True, False, False]
    assert (
        await store.galleries.page(most_popular(scope, limit=3, cursor=pages[2].newer)) == pages[1]
    )
    back = await store.galleries.page(most_popular(scope, limit=3, cursor=pages[1].newer))
    assert back.avatars == pages[0].avatars
    last = await store.galleries.page(most_popular(scope, limit=3, cursor=LAST))
    assert [a.id for a in last.avatars] == order[-3:]
    assert (last.older, last.newer is None) == (None, False)


@pytest.mark.parametrize("sort", ["new", "loved"])
async def test_a_page_has_its_position_and_total_if_requested(
    store: Store, new_avatar: MakeAvatar, sort: Sort
) -> None:
    added = await store.avatars.add([new_avatar() for _ in range(8)])
    await store.avatars.delete(added[3].id)
    query = GalleryQuery("everyone", None, None, {}, 3, sort=sort, counted=True)
    positions = []
    while True:
        page = await store.galleries.page(query)
        positions.append((page.before, len(page.avatars), page.count))
        if page.older is None:
            break
        query = replace(query, cursor=page.older)
    assert positions == [(0, 3, 7), (3, 3, 7), (6, 1, 7)]
    last = await store.galleries.page(replace(query, cursor=LAST))
    assert (last.before, len(last.avatars), last.count) == (4, 3, 7)
    assert last.avatars[-1] == page.avatars[-1]
    none = await store.galleries.page(replace(query, values={"hair": "green"}, cursor=None))
    assert (none.before, none.count) == (0, 0)
    assert (await store.galleries.page(replace(query, counted=False))).count is None


async def test_a_page_far_from_both_ends_has_no_position(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.galleries.MAX_COUNTED", 2)
    added = await store.avatars.add([new_avatar() for _ in range(9)])
    await store.favorites.toggle(added[8].id, added[8].owner)
    for sort in ("new", "loved"):
        query = GalleryQuery("everyone", None, None, {}, 1, sort=sort, counted=True)
        positions = []
        while True:
            page = await store.galleries.page(query)
            positions.append(page.before)
            assert page.count == 9
            if page.older is None:
                break
            query = replace(query, cursor=page.older)
        assert positions == [0, 1, 2, None, None, None, 6, 7, 8]
    mine = await store.galleries.page(GalleryQuery("mine", added[0].owner, None, {}, counted=True))
    assert (mine.count, mine.before) == (None, 0)


async def test_a_filtered_page_has_no_position_if_many_avatars_are_before_it(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.galleries.MAX_COUNTED", 3)
    pink, blue = {"hair": "pink"}, {"hair": "blue"}
    await store.avatars.add([new_avatar(conditions=c) for c in [pink, blue, blue, blue] * 3])
    query = GalleryQuery("everyone", None, None, pink, 1, sort="loved", counted=True)
    positions = []
    while True:
        page = await store.galleries.page(query)
        positions.append((page.before, page.count))
        if page.older is None:
            break
        query = replace(query, cursor=page.older)
    assert positions == [(0, 3), (None, 3), (2, 3)]  # 7 avatars are before the second, and 4 after


@pytest.mark.parametrize("share", [0.0, 2.0], ids=["by favorites", "by value"])
async def test_filtered_pages_by_favorites_are_the_same_by_either_index(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr("db.galleries.RARE_SHARE", share)
    wishes = [{"hair": hair, "eyes": eyes} for hair in ("pink", "blue") for eyes in ("red", "gold")]
    added = await store.avatars.add([new_avatar(conditions=wishes[n % 4]) for n in range(24)])
    for n, avatar in enumerate(added):
        for number in range(n // 4 % 3):
            await store.favorites.toggle(avatar.id, Owner("web", f"{number}"))
    matching = [n for n in range(24) if n % 4 == 1]
    order = sorted(matching, key=lambda n: (n // 4 % 3, n), reverse=True)
    query = replace(most_popular(limit=4, counted=True), values={"hair": "pink", "eyes": "gold"})
    first = await store.galleries.page(query)
    assert (first.newer, first.count, first.before) == (None, 6, 0)
    second = await store.galleries.page(replace(query, cursor=first.older))
    assert [a.id for a in first.avatars + second.avatars] == [added[n].id for n in order]
    assert (second.older, second.before) == (None, 4)
    assert await store.galleries.page(replace(query, cursor=second.newer)) == first
    last = await store.galleries.page(replace(query, cursor=LAST))
    assert [a.id for a in last.avatars] == [added[n].id for n in order[2:]]


async def test_the_last_page_of_an_empty_gallery(store: Store) -> None:
    for cursor in (None, LAST):
        assert await store.galleries.page(everyone(cursor=cursor)) == Page([], None, None)


async def test_the_largest_numbers_of_a_cursor_are_beyond_every_avatar(
    store: Store, new_avatar: MakeAvatar
) -> None:
    (avatar,) = await store.avatars.add([new_avatar()])
    for query in (everyone(cursor=f"o{'9' * 18}"), most_popular(cursor=f"o{'9' * 9}.{'9' * 18}")):
        assert [a.id for a in (await store.galleries.page(query)).avatars] == [avatar.id]


@pytest.mark.parametrize(
    "cursor", ["o12", "n1.", "o.1", "o1.2.3", "o-1.2", "first", "o9999999999.1"]
)
async def test_a_cursor_of_another_sort_order_is_invalid(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursorError, match="not a cursor"):
        await store.galleries.page(most_popular(cursor=cursor))
    with pytest.raises(InvalidCursorError, match="not a cursor"):
        await store.galleries.page(everyone(cursor="o1.2"))


@pytest.mark.parametrize(
    "cursor", ["", "o", "12", "x12", "o-1", "o1 ", "o1\n", "n" + "9" * 19, "o١"]
)
async def test_the_error_names_an_invalid_cursor(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursorError, match="not a cursor"):
        await store.galleries.page(everyone(cursor=cursor))
