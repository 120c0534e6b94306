"""The avatars that each gallery contains."""

import itertools
from collections import Counter

import pytest

from db.records import GalleryQuery, Owner, Scope
from db.store import Store

from .conftest import MakeAvatar

ANN = Owner("discord", "1", "Ann")
BEN = Owner("discord", "2", "Ben")


async def test_each_viewer_sees_the_permitted_avatars(store: Store, new_avatar: MakeAvatar) -> None:
    new_avatars = {
        "ann": new_avatar(owner=ANN, guild="100"),
        "ann private": new_avatar(owner=ANN, guild="100", private=True),
        "ann elsewhere": new_avatar(owner=ANN, guild="300"),
        "ann dm": new_avatar(owner=ANN, guild=None),
        "ben": new_avatar(owner=BEN, guild="100"),
        "ben private": new_avatar(owner=BEN, guild="100", private=True),
        "ben deleted": new_avatar(owner=BEN, guild="100"),
        "ann deleted": new_avatar(owner=ANN, guild="100"),
        "ben hidden": new_avatar(owner=BEN, guild="100"),
    }
    added = dict(zip(new_avatars, await store.avatars.add(list(new_avatars.values())), strict=True))
    name_of = {avatar.id: name for name, avatar in added.items()}
    for avatar in added.values():
        await store.favorites.toggle(avatar.id, ANN)
    await store.avatars.delete(added["ben deleted"].id)
    await store.avatars.delete(added["ann deleted"].id)
    await store.avatars.set_hidden(added["ben hidden"].id, True)

    async def seen(scope: Scope, viewer: Owner | None, guild: str | None = None) -> list[str]:
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
    other_kind = Owner("web", "1")  # the same key, but another kind of owner
    assert await seen("mine", other_kind) == await seen("favourites", other_kind) == []


@pytest.mark.parametrize("scope", ["mine", "guild", "everyone", "favourites"])
async def test_conditions_filter_every_gallery(
    store: Store, new_avatar: MakeAvatar, scope: Scope
) -> None:
    conditions = list(itertools.product(("pink", "blue"), ("red", "pink"), range(3)))
    added = await store.avatars.add(
        [
            new_avatar(owner=ANN, guild="1", conditions={"hair": h, "eyes": e})
            for h, e, _ in conditions
        ]
    )
    for avatar in added:
        await store.favorites.toggle(avatar.id, ANN)

    async def filtered(**values: str) -> list[tuple[str, str]]:
        page = await store.galleries.page(GalleryQuery(scope, ANN, "1", values, limit=50))
        return [(a.conditions["hair"], a.conditions["eyes"]) for a in page.avatars]

    assert await filtered(hair="pink", eyes="red") == [("pink", "red")] * 3
    assert await filtered(eyes="pink", hair="blue") == [("blue", "pink")] * 3
    assert Counter(await filtered(hair="pink")) == {("pink", "red"): 3, ("pink", "pink"): 3}
    assert await filtered(hair="red") == []
    assert await filtered(hair="pink", smile="open") == []
    assert len(await filtered()) == 12

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


@pytest.mark.parametrize("values", [{"hair": "pink"}, {"hair": "pink", "eyes": "red"}])
async def test_sorting_by_favorites_with_a_filter(
    store: Store, new_avatar: MakeAvatar, values: dict[str, str]
) -> None:
    pink, blue = {"hair": "pink", "eyes": "red"}, {"hair": "blue", "eyes": "red"}
    a, b, c = await store.avatars.add(
        [new_avatar(conditions=pink), new_avatar(conditions=blue), new_avatar(conditions=pink)]
    )
    for avatar in (a, b):
        await store.favorites.toggle(avatar.id, BEN)
    page = await store.galleries.page(GalleryQuery("everyone", ANN, "100", values, sort="loved"))
    assert [x.id for x in page.avatars] == [a.id, c.id]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (GalleryQuery("mine", None, None, {}), "'mine' needs a viewer"),
        (GalleryQuery("favourites", None, None, {}), "'favourites' needs a viewer"),
        (GalleryQuery("guild", ANN, None, {}), "guild"),
        (GalleryQuery("everyone", ANN, None, {}, limit=0), "limit is 0"),
    ],
)
async def test_an_invalid_query_is_rejected(
    store: Store, query: GalleryQuery, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        await store.galleries.page(query)
