"""Members: names, settings and deletion."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from sqlalchemy import text

from db.records import GalleryQuery, MemberSettings, Owner
from db.store import Store

from .conftest import ANN, NOON, MakeAvatar, condition_counts, get_avatar, pending_reply

BEN = Owner("web", "1", "Ben")  # the key of Ann, but another kind of owner


async def test_the_owner_name_is_updated(store: Store, new_avatar: MakeAvatar) -> None:
    [first] = await store.avatars.add([new_avatar(owner=ANN)])
    await store.avatars.add([new_avatar(owner=Owner("discord", "1", "Anna"))])
    assert (await get_avatar(store, first.id)).owner.name == "Anna"
    [third] = await store.avatars.add([new_avatar(owner=Owner("discord", "1"))])
    assert third.owner.name == "Anna"
    [other] = await store.avatars.add([new_avatar(owner=BEN)])
    assert other.owner.name == "Ben"
    assert (await get_avatar(store, first.id)).owner == ANN != other.owner


async def test_forgetting_a_member_deletes_only_that_members_data(
    store: Store, new_avatar: MakeAvatar
) -> None:
    anns = await store.avatars.add([new_avatar(owner=ANN, private=i % 2 == 0) for i in range(7)])
    [bens] = await store.avatars.add([new_avatar(owner=BEN, parents=(anns[1].id,))])
    for owner in (ANN, BEN):
        await store.favorites.toggle(bens.id, owner)
    await store.favorites.toggle(anns[1].id, BEN)
    await store.avatars.delete(anns[0].id)

    assert await store.members.delete_everything(ANN) == 6
    assert await store.avatars.count() == 1
    for avatar in anns:
        assert await store.avatars.get(avatar.id) is None
        assert await store.avatars.picture(avatar.id) is None
    assert (await store.galleries.page(GalleryQuery("mine", ANN, None, {}))).avatars == []
    assert (await store.galleries.page(GalleryQuery("favourites", ANN, None, {}))).avatars == []
    left = await get_avatar(store, bens.id)
    assert (left.favorites, left.parents) == (1, (anns[1].id,))
    assert (await store.avatars.picture(bens.id)) is not None
    assert (await store.galleries.page(GalleryQuery("favourites", BEN, None, {}))).avatars == [left]
    async with store._database.reading() as session:
        names = set(await session.scalars(text("SELECT name FROM owners")))
    assert names == {"Ben", ""}

    assert await store.members.delete_everything(ANN) == 0
    [again] = await store.avatars.add([new_avatar(owner=ANN)])
    assert again.owner.name == "Ann"


async def test_forgetting_a_member_while_painting_keeps_the_counts_correct(
    store: Store, new_avatar: MakeAvatar
) -> None:
    [favorite] = await store.avatars.add([new_avatar(owner=Owner("discord", "2"))])
    operations: list[Coroutine[Any, Any, object]] = []
    for i in range(40):
        operations.append(store.avatars.add([new_avatar(seed=i)]))
        if i % 4 == 0:
            operations += [
                store.members.delete_everything(ANN),
                store.favorites.toggle(favorite.id, ANN),
            ]
    await asyncio.gather(*operations)
    assert (
        sum(entry.count for entry in await condition_counts(store)) == await store.avatars.count()
    )
    await store.members.delete_everything(ANN)
    assert await store.avatars.count() == 1
    assert (await get_avatar(store, favorite.id)).favorites == 0


@pytest.mark.parametrize("settings", [MemberSettings(), MemberSettings(True, 64, "zh-CN")])
async def test_deleting_everything_includes_settings_and_pending_replies(
    store: Store, settings: MemberSettings
) -> None:
    await store.members.save_settings(ANN, settings)
    await store.pending_replies.save(pending_reply("a", owner=ANN))
    await store.pending_replies.save(pending_reply("b", owner=BEN))
    assert await store.members.delete_everything(ANN) == 0
    assert await store.members.settings(ANN) == MemberSettings()
    assert [o.id for o in await store.pending_replies.claim("42", NOON)] == ["b"]


async def test_an_owner_of_many_is_forgotten_in_small_commits(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.members.FORGET_BATCH", 2)
    own = await store.avatars.add([new_avatar(private=i % 3 == 0) for i in range(21)])
    others = await store.avatars.add([new_avatar(owner=Owner("web", "2")) for _ in range(5)])
    for avatar in others:
        await store.favorites.toggle(avatar.id, ANN)
    forgetting = asyncio.create_task(store.members.delete_everything(ANN))
    for number in range(3):
        await store.notes.set("key", f"{number}")
        assert not forgetting.done()  # other writers have their turn in between
    assert await forgetting == len(own)
    for avatar in others:
        assert (await get_avatar(store, avatar.id)).favorites == 0
    [counted] = await condition_counts(store)
    assert (counted.count, counted.newest) == (len(others), others[-1].id)
    assert await store.avatars.picture_sizes(ANN) == []
    assert await store.members.delete_everything(ANN) == 0
