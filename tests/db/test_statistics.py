"""Statistics."""

from db.records import Owner, Statistics
from db.store import Store

from .conftest import ANN, MakeAvatar

BEN = Owner("web", "1", "Ben")


async def test_statistics_count_avatars_and_owners(store: Store, new_avatar: MakeAvatar) -> None:
    pink, blue = {"hair": "pink", "eyes": "red"}, {"hair": "blue", "eyes": "red"}
    a, b, c = await store.avatars.add(
        [
            new_avatar(owner=ANN, conditions=pink),
            new_avatar(owner=BEN, conditions=pink),
            new_avatar(conditions=blue),
        ]
    )
    hidden, deleted = await store.avatars.add(
        [new_avatar(owner=ANN, private=True), new_avatar(owner=Owner("web", "9"))]
    )
    for avatar, owners in ((a, (ANN, BEN)), (b, (ANN,)), (c, (BEN,)), (hidden, (ANN,))):
        for owner in owners:
            await store.favorites.toggle(avatar.id, owner)
    await store.avatars.delete(deleted.id)
    figures = await store.statistics()
    assert (figures.pictures, figures.private, figures.today, figures.members) == (4, 1, 5, 2)
    assert figures.favorites == 5
    assert figures.loved == [(pink, 3), (blue, 1)]


async def test_statistics_of_an_empty_store(store: Store) -> None:
    assert await store.statistics() == Statistics(0, 0, 0, 0, 0, [])
