"""Favorites."""

import asyncio

from db.records import Owner
from db.store import Store

from .conftest import ANN, MakeAvatar, get_avatar

BEN = Owner("web", "1", "Ben")


async def test_favorites_are_toggled(store: Store, new_avatar: MakeAvatar) -> None:
    [avatar] = await store.avatars.add([new_avatar()])
    assert await store.favorites.toggle(avatar.id, ANN) == (True, 1)
    assert await store.favorites.toggle(avatar.id, BEN) == (True, 2)
    assert await store.favorites.contains(avatar.id, BEN)
    assert await store.favorites.toggle(avatar.id, ANN) == (False, 1)
    assert not await store.favorites.contains(avatar.id, ANN)
    assert (await get_avatar(store, avatar.id)).favorites == 1
    assert not await store.favorites.contains(avatar.id, Owner("discord", "2"))


async def test_favorites_of_one_and_of_many_avatars(store: Store, new_avatar: MakeAvatar) -> None:
    [avatar] = await store.avatars.add([new_avatar()])
    owners = [Owner("discord", str(i)) for i in range(20)]
    clicks = [(owner, 3 if i % 2 else 4) for i, owner in enumerate(owners)]
    answers = await asyncio.gather(
        *(store.favorites.toggle(avatar.id, owner) for owner, times in clicks for _ in range(times))
    )
    # an odd number of clicks leaves a favorite, an even one leaves none
    favorites = [await store.favorites.contains(avatar.id, owner) for owner in owners]
    assert favorites == [times % 2 == 1 for _, times in clicks]
    assert (await get_avatar(store, avatar.id)).favorites == 10
    assert sum(1 if answer and answer[0] else -1 for answer in answers) == 10
