"""Avatars: storing, reading, deleting and hiding."""

import asyncio
import hashlib
import os
import re
import sqlite3
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import ID_ALPHABET, load_avatars
from db.records import Avatar, GalleryQuery, Owner
from db.store import Store

from .conftest import ANN, MakeAvatar, condition_counts, get_avatar, get_picture

BEN = Owner("web", "1", "Ben")
EVERYONE = GalleryQuery("everyone", None, None, {}, limit=1000)


async def test_a_stored_avatar_is_read_unchanged(url: str, new_avatar: MakeAvatar) -> None:
    latent = np.random.standard_normal(96).astype(np.float32)
    picture = os.urandom(300_000)
    given = new_avatar(
        owner=ANN,
        guild=None,
        channel=None,
        private=True,
        model="faces64-2000",
        seed=2**32 - 1,
        prompt="髪:pink 👀 '; DROP TABLE avatars",
        wish={"hair": "pink"},
        conditions={"hair": "pink", "eyes": "orange"},
        latent=latent,
        condition=np.array([0.5, 0.5, 1.0]),
        picture=picture,
        format="webp",
        width=96,
        height=80,
    )
    store = await Store.open(url)
    [added] = await store.avatars.add([given])
    await store.close()
    reopened = await Store.open(url)
    got = await get_avatar(reopened, added.id)
    got_picture = await get_picture(reopened, added.id)
    await reopened.close()

    assert got == added
    # compared below, or not read
    compared = {"latent", "condition", "picture", "order_id", "portrait"}
    for field in {field.name for field in fields(given)} - compared:
        assert getattr(got, field) == getattr(given, field), field
    assert got.owner.name == "Ann"
    assert list(got.conditions) == ["hair", "eyes"]
    assert got.latent.dtype == got.condition.dtype == np.float32
    assert np.array_equal(got.latent, latent)
    assert np.array_equal(got.condition, [0.5, 0.5, 1.0])
    assert got.created.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - got.created) < timedelta(minutes=1)
    assert (got.bytes, got.favorites) == (len(picture), 0)
    assert got.sha256 == got_picture.sha256 == hashlib.sha256(picture).hexdigest()
    assert got_picture.data == picture
    assert (got_picture.format, got_picture.width, got_picture.height) == ("webp", 96, 80)


async def test_attributes_and_values_can_have_any_length(
    store: Store, new_avatar: MakeAvatar
) -> None:
    conditions = {"the color of " + "x" * 300: "something like " + "y" * 300}
    [added] = await store.avatars.add([new_avatar(conditions=conditions)])
    page = await store.galleries.page(GalleryQuery("everyone", None, None, conditions))
    assert page.avatars == [added]
    assert added.conditions == conditions


async def test_a_batch_keeps_its_order_and_its_pictures(
    store: Store, new_avatar: MakeAvatar
) -> None:
    batch = [new_avatar(seed=seed) for seed in range(40)]
    added = await store.avatars.add(batch)
    assert [avatar.seed for avatar in added] == list(range(40))
    for given, avatar in zip(batch, added, strict=True):
        assert (await get_picture(store, avatar.id)).data == given.picture
    page = await store.galleries.page(EVERYONE)
    assert [avatar.seed for avatar in page.avatars] == list(reversed(range(40)))
    assert await store.avatars.count() == 40


async def test_public_ids_use_unambiguous_characters(store: Store, new_avatar: MakeAvatar) -> None:
    ids = [avatar.id for avatar in await store.avatars.add([new_avatar() for _ in range(50)])]
    assert len(set(ids)) == 50
    assert all(re.fullmatch("[2-9a-z]{8}", id) for id in ids)
    assert not set("".join(ids)) & set("01ilo")


async def test_an_id_in_use_is_drawn_again(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.avatar_rows.ID_LENGTH", 1)
    for _ in ID_ALPHABET:
        await store.avatars.add([new_avatar()])
    page = await store.galleries.page(EVERYONE)
    assert {avatar.id for avatar in page.avatars} == set(ID_ALPHABET)


async def test_parents_keep_their_order_after_deletion(
    store: Store, new_avatar: MakeAvatar
) -> None:
    mother, father = await store.avatars.add([new_avatar(), new_avatar()])
    [child] = await store.avatars.add([new_avatar(parents=(father.id, mother.id))])
    await store.avatars.delete(mother.id)
    assert (await get_avatar(store, child.id)).parents == (father.id, mother.id)


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        ({"parents": ("nosuchid",)}, "nosuchid"),
        ({"latent": np.zeros((1, 8), np.float32)}, r"latent .* \[1, 8\]"),
        ({"condition": np.float32(1)}, r"condition .* \[\]"),
    ],
)
async def test_a_batch_with_an_invalid_avatar_stores_nothing(
    store: Store, new_avatar: MakeAvatar, invalid: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        await store.avatars.add([new_avatar(), new_avatar(**invalid), new_avatar()])
    assert await store.avatars.count() == 0
    assert (await store.galleries.page(EVERYONE)).avatars == []


async def test_unknown_avatars_are_not_found(store: Store, new_avatar: MakeAvatar) -> None:
    [deleted] = await store.avatars.add([new_avatar()])
    assert await store.favorites.toggle(deleted.id, ANN) == (True, 1)
    assert await store.avatars.delete(deleted.id) is True
    for id in (deleted.id, "22222222", ""):
        assert await store.avatars.get(id) is None
        assert await store.avatars.picture(id) is None
        assert await store.favorites.toggle(id, ANN) is None
        assert not await store.favorites.contains(id, ANN)
        assert await store.avatars.delete(id) is False
    assert await store.avatars.count() == 0


async def test_a_deleted_avatar_leaves_only_its_ids(store: Store, new_avatar: MakeAvatar) -> None:
    """Its children still refer to it; all other data is deleted."""
    secret = new_avatar(
        owner=Owner("discord", "8035", "Nelly"),
        guild="770077",
        channel="880088",
        model="faces64-secret",
        seed=4_000_000_001,
        prompt="a secret wish",
        wish={"hair": "pink", "mood": "secretive"},
        conditions={"hair": "pink", "mood": "secretive"},
        latent=np.full(8, 1.2345, np.float32),
        order_id="order-of-nelly",
    )
    parent, kept = await store.avatars.add([new_avatar(), new_avatar(conditions=secret.conditions)])
    [avatar] = await store.avatars.add([replace(secret, parents=(parent.id,))])
    [child] = await store.avatars.add([new_avatar(parents=(avatar.id,))])
    await store.favorites.toggle(avatar.id, BEN)
    await store.avatars.delete(avatar.id)
    assert await store.avatars.of_order("order-of-nelly") == []
    assert (await get_avatar(store, child.id)).parents == (avatar.id,)
    same_conditions = GalleryQuery("everyone", None, None, secret.conditions)
    assert (await store.galleries.page(same_conditions)).avatars == [kept]

    async with store._database.reading() as session:
        rows = await session.execute(text("SELECT * FROM avatars WHERE deleted_at IS NOT NULL"))
        [row] = rows.mappings()
        left = {
            table: (await session.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")))
            for table, where in {
                "pictures": f"avatar_id = {row['id']}",
                "avatar_values": f"avatar_id = {row['id']}",
                "avatar_parents": f"avatar_id = {row['id']}",
                "favourites": f"avatar_id = {row['id']}",
            }.items()
        }
    assert set(left.values()) == {0}, left
    row_text = " ".join(str(value) for value in row.values())
    for secret_word in ("secret", "pink", "770077", "880088", "4000000001", "order-of", "faces64"):
        assert secret_word not in row_text
    assert bytes(row["latent"]) == bytes(row["condition"]) == b""


async def test_deleted_pictures_are_erased_from_the_file(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    picture, kept = os.urandom(50_000), os.urandom(50_000)
    file = tmp_path / "data" / "irodori.db"
    store = await Store.open(sqlite_url)
    avatar, _ = await store.avatars.add([new_avatar(picture=picture), new_avatar(picture=kept)])
    await store.close()
    assert picture[1000:1200] in file.read_bytes()

    store = await Store.open(sqlite_url)
    await store.avatars.delete(avatar.id)
    await store.close()

    assert [path.name for path in file.parent.iterdir()] == ["irodori.db"]
    content = file.read_bytes()
    assert kept[1000:1200] in content
    assert not any(picture[i : i + 200] in content for i in range(0, 50_000, 200))
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT count(*) FROM pictures").fetchall() == [(1,)]
        deleted = raw.execute("SELECT public_id FROM avatars WHERE deleted_at NOT NULL").fetchall()
        assert deleted == [(avatar.id,)]


async def test_one_of_two_concurrent_deletions_succeeds(
    store: Store, new_avatar: MakeAvatar
) -> None:
    [avatar] = await store.avatars.add([new_avatar()])
    answers = await asyncio.gather(*(store.avatars.delete(avatar.id) for _ in range(5)))
    assert sorted(answers) == [False, False, False, False, True]


async def test_unhiding_skips_private_and_deleted_avatars(
    store: Store, new_avatar: MakeAvatar
) -> None:
    shown, private, deleted = await store.avatars.add(
        [new_avatar(), new_avatar(private=True), new_avatar()]
    )
    await store.avatars.delete(deleted.id)
    assert await store.avatars.set_hidden(shown.id, True)
    hidden = await get_avatar(store, shown.id)
    assert (hidden.private, hidden.hidden) == (True, True)
    assert await store.avatars.set_hidden(shown.id, False)
    assert await store.avatars.get(shown.id) == shown
    for id in (private.id, deleted.id, "22222222"):
        assert not await store.avatars.set_hidden(id, True)
        assert not await store.avatars.set_hidden(id, False)
    assert await store.avatars.get(private.id) == private
    await store.avatars.set_hidden(shown.id, True)
    await store.avatars.delete(shown.id)
    assert not await store.avatars.set_hidden(shown.id, False)
    assert await condition_counts(store) == []


async def test_avatars_are_found_by_order(store: Store, new_avatar: MakeAvatar) -> None:
    ordered = await store.avatars.add([new_avatar(seed=i, order_id="900") for i in range(3)])
    await store.avatars.add([new_avatar(order_id="901"), new_avatar()])
    assert await store.avatars.of_order("900") == ordered
    assert await store.avatars.of_order("902") == []
    await store.avatars.delete(ordered[1].id)
    assert await store.avatars.of_order("900") == [ordered[0], ordered[2]]


async def test_concurrent_writes_for_an_order_are_stored_once(
    store: Store, new_avatar: MakeAvatar
) -> None:
    batch = [new_avatar(order_id="900", seed=1), new_avatar(order_id="900", seed=2)]
    answers = await asyncio.gather(*(store.avatars.add(batch) for _ in range(5)))
    assert await store.avatars.count() == 2
    assert answers == [await store.avatars.of_order("900")] * 5
    usage = await store.usage.since(ANN, "100", datetime.now(UTC) - timedelta(days=1))
    assert sum(used.pictures for used in usage) == 2


async def test_a_portrait_is_found_by_member_seed_model_and_size(
    store: Store, new_avatar: MakeAvatar
) -> None:
    plain: dict[str, Any] = {
        "owner": ANN,
        "model": "m",
        "seed": 5,
        "wish": {},
        "private": False,
        "width": 64,
    }
    given = (ANN, "m", 5, False, 64)
    [parent] = await store.avatars.add([new_avatar()])
    others: list[dict[str, Any]] = [
        {"owner": BEN},
        {"model": "n"},
        {"seed": 6},
        {"wish": {"hair": "pink"}},
        {"private": True},
        {"width": 128},
        {"parents": (parent.id,)},
    ]
    await store.avatars.add([new_avatar(**plain | other) for other in others])
    assert await store.avatars.portrait(*given) is None
    _, newest = await store.avatars.add([new_avatar(**plain), new_avatar(**plain)])
    assert await store.avatars.portrait(*given) == newest
    await store.avatars.set_hidden(newest.id, True)
    assert await store.avatars.portrait(*given) not in (None, newest)
    private = (ANN, "m", 5, True, 64)
    assert await store.avatars.portrait(*private) not in (None, newest)


async def test_all_avatars_of_an_owner_are_read_with_pictures(
    store: Store, new_avatar: MakeAvatar
) -> None:
    given = [
        new_avatar(owner=ANN, private=i % 2 == 0, picture=os.urandom(100 + i)) for i in range(5)
    ]
    added = await store.avatars.add(given)
    await store.avatars.add([new_avatar(owner=BEN)])
    await store.avatars.delete(added[2].id)
    left = [added[i] for i in (0, 1, 3, 4)]
    assert await store.avatars.picture_sizes(ANN) == [(avatar.id, avatar.bytes) for avatar in left]
    # also after a deleted one
    after = await store.avatars.picture_sizes(ANN, added[2].id, limit=1)
    assert after == [(added[3].id, added[3].bytes)]
    assert await store.avatars.picture_sizes(ANN, added[4].id) == []
    counts = [await store.avatars.count_own(ANN, id) for id in (None, added[0].id, added[2].id)]
    assert counts == [4, 3, 2]
    assert await store.avatars.picture_sizes(Owner("discord", "nobody")) == []
    ids = [added[i].id for i in (4, 2, 1)] + ["22222222"]
    found = await store.avatars.with_pictures(ids)
    assert found == [(added[1], given[1].picture), (added[4], given[4].picture)]


async def test_a_picture_that_is_deleted_while_it_is_read_is_complete(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    (avatar,) = await store.avatars.add([new_avatar()])

    async def load(session: AsyncSession, keys: list[int]) -> list[Avatar]:
        await store.avatars.delete(avatar.id)
        return await load_avatars(session, keys)

    monkeypatch.setattr("db.avatars.load_avatars", load)
    found = await store.avatars.get(avatar.id)
    assert found is not None
    assert (found.owner, found.conditions) == (avatar.owner, avatar.conditions)
    assert await store.avatars.get(avatar.id) is None
