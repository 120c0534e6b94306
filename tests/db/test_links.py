"""Links between browsers and members, and what linked owners have in common."""

from datetime import UTC, datetime, timedelta

import pytest

from db.records import GalleryQuery, Owner, Scope
from db.store import Store

from .conftest import MakeAvatar, get_avatar

MIKA = Owner("discord", "1", "Mika")
REN = Owner("discord", "2", "Ren")
LAPTOP = Owner("web", "aa")
PHONE = Owner("web", "bb")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


async def link(store: Store, member: Owner, browser: Owner) -> None:
    assert await store.links.save_code(member, "digest", soon()) is None
    assert await store.links.use_code("digest", LONG_AGO, browser) == member


async def ids(store: Store, viewer: Owner, scope: Scope = "mine", public: bool = False) -> set[str]:
    page = await store.galleries.page(GalleryQuery(scope, viewer, None, {}, public=public))
    return {avatar.id for avatar in page.avatars}


async def test_a_code_is_used_once_and_only_the_newest_one(store: Store) -> None:
    await store.links.save_code(MIKA, "first", soon())
    await store.links.save_code(MIKA, "second", soon())
    assert await store.links.use_code("first", LONG_AGO, LAPTOP) is None
    assert await store.links.use_code("second", LONG_AGO, LAPTOP) == MIKA
    assert await store.links.use_code("second", LONG_AGO, PHONE) is None
    assert await store.links.member_of(LAPTOP) == MIKA
    assert await store.links.member_of(PHONE) is None


async def test_an_expired_code_links_nothing(store: Store) -> None:
    await store.links.save_code(MIKA, "digest", soon())
    assert await store.links.use_code("digest", soon(), LAPTOP) is None
    assert await store.links.use_code("digest", LONG_AGO, LAPTOP) is None
    assert await store.links.member_of(LAPTOP) is None


async def test_codes_that_follow_too_soon_change_nothing(store: Store) -> None:
    await store.links.save_code(MIKA, "first", LONG_AGO)
    earlier = await store.links.save_code(MIKA, "second", LONG_AGO)
    assert earlier is not None
    assert earlier <= datetime.now(UTC)
    assert await store.links.use_code("second", LONG_AGO, LAPTOP) is None
    assert await store.links.use_code("first", LONG_AGO, LAPTOP) == MIKA


async def test_linked_owners_have_the_pictures_of_all(store: Store, new_avatar: MakeAvatar) -> None:
    owners = (MIKA, MIKA, LAPTOP, PHONE, REN)
    made = [new_avatar(owner=owner, private=i == 1) for i, owner in enumerate(owners)]
    first, private, second, third, strange = [a.id for a in await store.avatars.add(made)]
    await link(store, MIKA, LAPTOP)
    await link(store, MIKA, PHONE)
    for owner in (MIKA, LAPTOP, PHONE):
        assert await ids(store, owner) == {first, private, second, third}
        assert await ids(store, owner, public=True) == {first, second, third}
        assert [id for id, _ in await store.avatars.picture_sizes(owner, first)] == [
            *(private, second, third)
        ]
        assert await store.avatars.count_own(owner) == 4
    assert await ids(store, REN) == {strange}
    assert await store.links.linked_owners(PHONE) == [MIKA, LAPTOP, PHONE]
    assert await store.links.count_browsers(MIKA) == 2

    assert await store.links.unlink(LAPTOP) == 1
    assert await ids(store, LAPTOP) == {second}
    assert await ids(store, MIKA) == {first, private, third}
    assert await store.links.unlink(MIKA) == 1
    assert await ids(store, MIKA) == {first, private}


async def test_pages_of_linked_owners_neither_repeat_nor_skip_pictures(
    store: Store, new_avatar: MakeAvatar
) -> None:
    owners = (MIKA, LAPTOP, LAPTOP, MIKA, LAPTOP, MIKA, MIKA)
    added = await store.avatars.add([new_avatar(owner=owner) for owner in owners])
    await link(store, MIKA, LAPTOP)
    found: list[str] = []
    cursor = None
    while True:
        query = GalleryQuery("mine", LAPTOP, None, {}, limit=2, cursor=cursor, counted=True)
        page = await store.galleries.page(query)
        assert (page.count, page.before) == (len(owners), len(found))
        found += [avatar.id for avatar in page.avatars]
        if (cursor := page.older) is None:
            break
    assert found == [avatar.id for avatar in reversed(added)]


async def test_a_picture_is_a_favorite_of_linked_owners_once(
    store: Store, new_avatar: MakeAvatar
) -> None:
    both, browsers = await store.avatars.add([new_avatar(owner=REN), new_avatar(owner=REN)])
    for owner in (MIKA, LAPTOP):
        await store.favorites.toggle(both.id, owner)
    await store.favorites.toggle(browsers.id, LAPTOP)
    await link(store, MIKA, LAPTOP)
    assert (await get_avatar(store, both.id)).favorites == 1
    for owner in (MIKA, LAPTOP):
        assert await ids(store, owner, "favourites") == {both.id, browsers.id}
        assert await store.favorites.contains(browsers.id, owner)
    assert await store.favorites.toggle(browsers.id, MIKA) == (False, 0)
    assert await ids(store, LAPTOP, "favourites") == {both.id}


@pytest.mark.parametrize("forgotten", [MIKA, LAPTOP])
async def test_links_and_codes_are_deleted_with_their_owners(
    store: Store, forgotten: Owner
) -> None:
    await link(store, MIKA, LAPTOP)
    await store.links.save_code(MIKA, "another", soon())
    await store.members.delete_everything(forgotten)
    assert await store.links.member_of(LAPTOP) is None
    if forgotten == MIKA:
        assert await store.links.use_code("another", LONG_AGO, LAPTOP) is None


async def test_a_browser_is_linked_with_one_member(store: Store) -> None:
    await link(store, MIKA, LAPTOP)
    await link(store, REN, LAPTOP)
    assert await store.links.member_of(LAPTOP) == REN
    assert await store.links.count_browsers(MIKA) == 0
