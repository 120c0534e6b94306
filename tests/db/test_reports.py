"""Reports of pictures."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import load_avatars
from db.records import Avatar, Owner
from db.store import Store

from .conftest import ANN, MakeAvatar

BEN = Owner("discord", "2", "Ben")
EVE = Owner("web", "3")


async def test_reports_wait_until_they_are_closed(store: Store, new_avatar: MakeAvatar) -> None:
    first, second = await store.avatars.add([new_avatar(), new_avatar()])
    assert await store.reports.add(second.id, BEN, "rude") == 1
    assert await store.reports.add(first.id, BEN, "") == 1
    assert await store.reports.add(second.id, EVE, "") == 2
    assert await store.reports.add(second.id, BEN, "very rude") == 2, "replaces the earlier one"
    found = {report.avatar.id: report for report in await store.reports.open(10)}
    assert (found[second.id].count, found[second.id].reasons) == (2, ("very rude",))
    assert (found[first.id].count, found[first.id].reasons) == (1, ())
    assert await store.reports.count_by(BEN) == 2
    assert await store.reports.by(BEN) == [(first.id, ""), (second.id, "very rude")]

    assert await store.reports.close(second.id) == 2
    assert [report.avatar.id for report in await store.reports.open(10)] == [first.id]


async def test_private_and_deleted_pictures_have_no_reports(
    store: Store, new_avatar: MakeAvatar
) -> None:
    private, hidden, deleted = await store.avatars.add(
        [new_avatar(private=True), new_avatar(), new_avatar()]
    )
    assert await store.reports.add(private.id, BEN, "") == 0
    assert await store.reports.add("22222222", BEN, "") == 0
    for avatar in (hidden, deleted):
        assert await store.reports.add(avatar.id, BEN, "") == 1
    await store.avatars.delete(deleted.id)
    await store.avatars.set_hidden(hidden.id, True)
    assert await store.reports.open(10) == []
    assert await store.reports.by(BEN) == [(hidden.id, "")]


async def test_reports_that_are_dismissed_while_they_are_read_are_still_listed(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    (avatar,) = await store.avatars.add([new_avatar()])
    await store.reports.add(avatar.id, BEN, "rude")

    async def load(session: AsyncSession, keys: list[int]) -> list[Avatar]:
        await store.reports.close(avatar.id)
        return await load_avatars(session, keys)

    monkeypatch.setattr("db.reports.load_avatars", load)
    assert [report.count for report in await store.reports.open(10)] == [1]
    assert await store.reports.open(10) == []


async def test_forgetting_a_member_deletes_own_reports_and_those_of_own_pictures(
    store: Store, new_avatar: MakeAvatar
) -> None:
    anns, bens = await store.avatars.add([new_avatar(owner=ANN), new_avatar(owner=BEN)])
    await store.reports.add(anns.id, BEN, "")
    await store.reports.add(bens.id, ANN, "")
    assert await store.members.delete_everything(ANN) == 1
    assert await store.reports.count_by(BEN) == 0
    assert await store.reports.open(10) == []
