import asyncio
import hashlib
import os
import re
import sqlite3
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import text

from db.avatar_rows import ID_ALPHABET
from db.records import GalleryQuery, Owner, Statistics
from db.store import Store

ANN = Owner("discord", "1", "Ann")
BEN = Owner("web", "1", "Ben")
EVERYONE = GalleryQuery("everyone", None, None, {}, limit=1000)


async def test_an_avatar_comes_back_as_it_was_stored(url, new):
    latent = np.random.standard_normal(96).astype(np.float32)
    picture = os.urandom(300_000)
    given = new(
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
    got = await reopened.avatars.get(added.id)
    got_picture = await reopened.avatars.picture(added.id)
    await reopened.close()

    assert got == added
    unlike = {"latent", "condition", "picture", "order_id"}  # compared below, or not told
    for field in {field.name for field in fields(given)} - unlike:
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


async def test_attributes_and_values_of_any_length(store, new):
    colours = {"the colour of " + "x" * 300: "something like " + "y" * 300}
    [added] = await store.avatars.add([new(conditions=colours)])
    page = await store.galleries.page(GalleryQuery("everyone", None, None, colours))
    assert page.avatars == [added]
    assert added.conditions == colours


async def test_a_batch_keeps_its_order_and_its_pictures(store, new):
    batch = [new(seed=seed) for seed in range(40)]
    added = await store.avatars.add(batch)
    assert [avatar.seed for avatar in added] == list(range(40))
    for given, avatar in zip(batch, added, strict=True):
        assert (await store.avatars.picture(avatar.id)).data == given.picture
    page = await store.galleries.page(EVERYONE)
    assert [avatar.seed for avatar in page.avatars] == list(reversed(range(40)))
    assert await store.avatars.count() == 40


async def test_public_ids_can_be_typed(store, new):
    ids = [avatar.id for avatar in await store.avatars.add([new() for _ in range(50)])]
    assert len(set(ids)) == 50
    assert all(re.fullmatch("[2-9a-z]{8}", id) for id in ids)
    assert not set("".join(ids)) & set("01ilo")


async def test_an_id_that_is_taken_is_drawn_again(store, new, monkeypatch):
    monkeypatch.setattr("db.avatar_rows.ID_LENGTH", 1)
    for _ in ID_ALPHABET:
        await store.avatars.add([new()])
    page = await store.galleries.page(EVERYONE)
    assert {avatar.id for avatar in page.avatars} == set(ID_ALPHABET)


async def test_parents_keep_their_order_even_when_they_are_deleted(store, new):
    mother, father = await store.avatars.add([new(), new()])
    [child] = await store.avatars.add([new(parents=(father.id, mother.id))])
    await store.avatars.delete(mother.id)
    assert (await store.avatars.get(child.id)).parents == (father.id, mother.id)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"parents": ("nosuchid",)}, "nosuchid"),
        ({"latent": np.zeros((1, 8), np.float32)}, r"latent .* \[1, 8\]"),
        ({"condition": np.float32(1)}, r"condition .* \[\]"),
    ],
)
async def test_of_a_batch_with_a_wrong_avatar_nothing_is_stored(store, new, wrong, message):
    with pytest.raises(ValueError, match=message):
        await store.avatars.add([new(), new(**wrong), new()])
    assert await store.avatars.count() == 0
    assert (await store.galleries.page(EVERYONE)).avatars == []


async def test_an_owner_takes_a_new_name_and_keeps_it(store, new):
    [first] = await store.avatars.add([new(owner=ANN)])
    await store.avatars.add([new(owner=Owner("discord", "1", "Anna"))])
    assert (await store.avatars.get(first.id)).owner.name == "Anna"
    [third] = await store.avatars.add([new(owner=Owner("discord", "1"))])
    assert third.owner.name == "Anna"
    [other] = await store.avatars.add([new(owner=BEN)])
    assert other.owner.name == "Ben"
    assert (await store.avatars.get(first.id)).owner == ANN != other.owner


async def test_favourites_are_turned_over(store, new):
    [avatar] = await store.avatars.add([new()])
    assert await store.favorites.toggle(avatar.id, ANN) == (True, 1)
    assert await store.favorites.toggle(avatar.id, BEN) == (True, 2)
    assert await store.favorites.contains(avatar.id, BEN)
    assert await store.favorites.toggle(avatar.id, ANN) == (False, 1)
    assert not await store.favorites.contains(avatar.id, ANN)
    assert (await store.avatars.get(avatar.id)).favorites == 1
    assert not await store.favorites.contains(avatar.id, Owner("discord", "2"))


async def test_favourites_of_one_and_of_many_at_once(store, new):
    [avatar] = await store.avatars.add([new()])
    fans = [Owner("discord", str(i)) for i in range(20)]
    clicks = [(fan, 3 if i % 2 else 4) for i, fan in enumerate(fans)]
    answers = await asyncio.gather(
        *(store.favorites.toggle(avatar.id, fan) for fan, times in clicks for _ in range(times))
    )
    # an odd number of clicks leaves a favourite, an even one leaves none
    liked = [await store.favorites.contains(avatar.id, fan) for fan in fans]
    assert liked == [times % 2 == 1 for _, times in clicks]
    assert (await store.avatars.get(avatar.id)).favorites == 10
    assert sum(1 if now else -1 for now, _ in answers) == 10


async def test_what_is_not_there(store, new):
    [gone] = await store.avatars.add([new()])
    assert await store.favorites.toggle(gone.id, ANN) == (True, 1)
    assert await store.avatars.delete(gone.id) is True
    for id in (gone.id, "22222222", ""):
        assert await store.avatars.get(id) is None
        assert await store.avatars.picture(id) is None
        assert await store.favorites.toggle(id, ANN) is None
        assert not await store.favorites.contains(id, ANN)
        assert await store.avatars.delete(id) is False
    assert await store.avatars.count() == 0


async def test_what_was_deleted_leaves_two_ids_and_nothing_else(store, new):
    """Its children name it; all else about it is gone."""
    secret = new(
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
    parent, kept = await store.avatars.add([new(), new(conditions=secret.conditions)])
    [doomed] = await store.avatars.add([replace(secret, parents=(parent.id,))])
    [child] = await store.avatars.add([new(parents=(doomed.id,))])
    await store.favorites.toggle(doomed.id, BEN)
    await store.avatars.delete(doomed.id)
    assert await store.avatars.of_order("order-of-nelly") == []
    assert (await store.avatars.get(child.id)).parents == (doomed.id,)
    same_colours = GalleryQuery("everyone", None, None, secret.conditions)
    assert (await store.galleries.page(same_colours)).avatars == [kept]

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
    told = " ".join(str(value) for value in row.values())
    for secret_word in ("secret", "pink", "770077", "880088", "4000000001", "order-of", "faces64"):
        assert secret_word not in told
    assert bytes(row["latent"]) == bytes(row["condition"]) == b""


async def test_forgetting_a_member_deletes_all_of_theirs_and_nothing_of_others(store, new):
    anns = await store.avatars.add([new(owner=ANN, private=i % 2 == 0) for i in range(7)])
    [bens] = await store.avatars.add([new(owner=BEN, parents=(anns[1].id,))])
    for fan in (ANN, BEN):
        await store.favorites.toggle(bens.id, fan)
    await store.favorites.toggle(anns[1].id, BEN)
    await store.avatars.delete(anns[0].id)

    assert await store.members.delete_everything(ANN) == 6
    assert await store.avatars.count() == 1
    for avatar in anns:
        assert await store.avatars.get(avatar.id) is None
        assert await store.avatars.picture(avatar.id) is None
    assert (await store.galleries.page(GalleryQuery("mine", ANN, None, {}))).avatars == []
    assert (await store.galleries.page(GalleryQuery("favourites", ANN, None, {}))).avatars == []
    left = await store.avatars.get(bens.id)
    assert (left.favorites, left.parents) == (1, (anns[1].id,))
    assert (await store.avatars.picture(bens.id)) is not None
    assert (await store.galleries.page(GalleryQuery("favourites", BEN, None, {}))).avatars == [left]
    async with store._database.reading() as session:
        names = set(await session.scalars(text("SELECT name FROM owners")))
    assert names == {"Ben", ""}

    assert await store.members.delete_everything(ANN) == 0
    [again] = await store.avatars.add([new(owner=ANN)])
    assert again.owner.name == "Ann"


async def test_what_was_painted_for_an_order(store, new):
    ordered = await store.avatars.add([new(seed=i, order_id="900") for i in range(3)])
    await store.avatars.add([new(order_id="901"), new()])
    assert await store.avatars.of_order("900") == ordered
    assert await store.avatars.of_order("902") == []
    await store.avatars.delete(ordered[1].id)
    assert await store.avatars.of_order("900") == [ordered[0], ordered[2]]


async def test_a_portrait_is_found_again_by_all_that_makes_it(store, new):
    plain = {"owner": ANN, "model": "m", "seed": 5, "wish": {}, "private": False, "width": 64}
    given = (ANN, "m", 5, False, 64)
    [parent] = await store.avatars.add([new()])
    others = [
        {"owner": BEN},
        {"model": "n"},
        {"seed": 6},
        {"wish": {"hair": "pink"}},
        {"private": True},
        {"width": 128},
        {"parents": (parent.id,)},
    ]
    await store.avatars.add([new(**plain | other) for other in others])
    assert await store.avatars.portrait(*given) is None
    _, newest = await store.avatars.add([new(**plain), new(**plain)])
    assert await store.avatars.portrait(*given) == newest
    await store.avatars.set_hidden(newest.id, True)
    assert await store.avatars.portrait(*given) not in (None, newest)
    private = (ANN, "m", 5, True, 64)
    assert await store.avatars.portrait(*private) not in (None, newest)


async def test_all_of_one_owner_s_with_pictures(store, new):
    given = [new(owner=ANN, private=i % 2 == 0, picture=os.urandom(100 + i)) for i in range(5)]
    added = await store.avatars.add(given)
    await store.avatars.add([new(owner=BEN)])
    await store.avatars.delete(added[2].id)
    left = [added[i] for i in (0, 1, 3, 4)]
    assert await store.avatars.picture_sizes(ANN) == [(avatar.id, avatar.bytes) for avatar in left]
    assert await store.avatars.picture_sizes(Owner("discord", "nobody")) == []
    asked = [added[i].id for i in (4, 2, 1)] + ["22222222"]
    told = await store.avatars.with_pictures(asked)
    assert told == [(added[1], given[1].picture), (added[4], given[4].picture)]


async def test_statistics(store, new):
    pink, blue = {"hair": "pink", "eyes": "red"}, {"hair": "blue", "eyes": "red"}
    a, b, c = await store.avatars.add(
        [new(owner=ANN, conditions=pink), new(owner=BEN, conditions=pink), new(conditions=blue)]
    )
    hidden, gone = await store.avatars.add(
        [new(owner=ANN, private=True), new(owner=Owner("web", "9"))]
    )
    for avatar, fans in ((a, (ANN, BEN)), (b, (ANN,)), (c, (BEN,)), (hidden, (ANN,))):
        for fan in fans:
            await store.favorites.toggle(avatar.id, fan)
    await store.avatars.delete(gone.id)
    figures = await store.statistics()
    assert (figures.pictures, figures.private, figures.today, figures.members) == (4, 1, 5, 2)
    assert figures.favorites == 5
    assert figures.loved == [(pink, 3), (blue, 1)]


async def test_statistics_of_an_empty_store(store):
    assert await store.statistics() == Statistics(0, 0, 0, 0, 0, [])


async def test_hiding_is_undone_but_for_private_and_deleted_ones(store, new):
    shown, private, gone = await store.avatars.add([new(), new(private=True), new()])
    await store.avatars.delete(gone.id)
    assert await store.avatars.set_hidden(shown.id, True)
    hidden = await store.avatars.get(shown.id)
    assert (hidden.private, hidden.hidden) == (True, True)
    assert await store.avatars.set_hidden(shown.id, False)
    assert await store.avatars.get(shown.id) == shown
    for id in (private.id, gone.id, "22222222"):
        assert not await store.avatars.set_hidden(id, True)
        assert not await store.avatars.set_hidden(id, False)
    assert await store.avatars.get(private.id) == private
    await store.avatars.set_hidden(shown.id, True)
    await store.avatars.delete(shown.id)
    assert not await store.avatars.set_hidden(shown.id, False)
    assert await store.galleries.condition_counts() == []


async def test_of_two_deletions_at_once_one_succeeds(store, new):
    [avatar] = await store.avatars.add([new()])
    answers = await asyncio.gather(*(store.avatars.delete(avatar.id) for _ in range(5)))
    assert sorted(answers) == [False, False, False, False, True]


async def test_deleting_leaves_no_byte_of_the_picture_in_the_file(sqlite_url, tmp_path, new):
    picture, kept = os.urandom(50_000), os.urandom(50_000)
    file = tmp_path / "data" / "irodori.db"
    store = await Store.open(sqlite_url)
    doomed, _ = await store.avatars.add([new(picture=picture), new(picture=kept)])
    await store.close()
    assert picture[1000:1200] in file.read_bytes()

    store = await Store.open(sqlite_url)
    await store.avatars.delete(doomed.id)
    await store.close()

    assert [path.name for path in file.parent.iterdir()] == ["irodori.db"]
    content = file.read_bytes()
    assert kept[1000:1200] in content
    assert not any(picture[i : i + 200] in content for i in range(0, 50_000, 200))
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT count(*) FROM pictures").fetchall() == [(1,)]
        deleted = raw.execute("SELECT public_id FROM avatars WHERE deleted_at NOT NULL").fetchall()
        assert deleted == [(doomed.id,)]


async def test_a_cancelled_writer_leaves_the_store_usable(store, new):
    for turns in range(12):
        adding = asyncio.create_task(store.avatars.add([new(), new()]))
        for _ in range(turns):
            await asyncio.sleep(0)
        adding.cancel()
        await asyncio.gather(adding, return_exceptions=True)
    before = await store.avatars.count()
    assert before % 2 == 0
    await asyncio.gather(*(store.avatars.add([new()]) for _ in range(20)))
    assert await store.avatars.count() == before + 20


async def test_readers_do_not_wait_for_writers(sqlite_url, tmp_path, new):
    store = await Store.open(sqlite_url)
    [first] = await store.avatars.add([new()])
    other = sqlite3.connect(tmp_path / "data" / "irodori.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # another process writes
    writers = asyncio.gather(*(store.avatars.add([new()]) for _ in range(20)))
    async with asyncio.timeout(25):
        pages = await asyncio.gather(*(store.galleries.page(EVERYONE) for _ in range(20)))
    assert not writers.done()
    assert [avatar.id for page in pages for avatar in page.avatars] == [first.id] * 20
    other.execute("ROLLBACK")
    other.close()
    await writers
    assert await store.avatars.count() == 21
    await store.close()


async def test_what_is_stored_twice_at_once_for_an_order_is_stored_once(store, new):
    batch = [new(order_id="900", seed=1), new(order_id="900", seed=2)]
    answers = await asyncio.gather(*(store.avatars.add(batch) for _ in range(5)))
    assert await store.avatars.count() == 2
    assert answers == [await store.avatars.of_order("900")] * 5
    usage = await store.usage.since(ANN, "100", datetime.now(UTC) - timedelta(days=1))
    assert sum(used.pictures for used in usage) == 2


async def test_who_is_forgotten_while_painting_leaves_the_counts_right(store, new):
    [loved] = await store.avatars.add([new(owner=Owner("discord", "2"))])
    acts = []
    for i in range(40):
        acts.append(store.avatars.add([new(seed=i)]))
        if i % 4 == 0:
            acts += [store.members.delete_everything(ANN), store.favorites.toggle(loved.id, ANN)]
    await asyncio.gather(*acts)
    assert (
        sum(colours.count for colours in await store.galleries.condition_counts())
        == await store.avatars.count()
    )
    await store.members.delete_everything(ANN)
    assert await store.avatars.count() == 1
    assert (await store.avatars.get(loved.id)).favorites == 0
