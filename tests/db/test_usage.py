"""Usage that counts towards quotas."""

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db.records import Owner, Usage
from db.store import Store

from .conftest import ANN, MakeAvatar

BEN = Owner("discord", "2", "Ben")


async def test_usage_counts_avatars_of_a_server_including_deleted_ones(
    store: Store, new_avatar: MakeAvatar
) -> None:
    start = datetime.now(UTC)
    painted = await store.avatars.add([new_avatar(owner=ANN, guild="100") for _ in range(3)])
    await store.avatars.add(
        [new_avatar(owner=ANN, guild="101"), new_avatar(owner=BEN, guild="100")]
    )
    await store.avatars.add([new_avatar(owner=ANN, guild=None)])
    await store.usage.add(ANN, "100", 5)
    await store.avatars.delete(painted[0].id)
    used = await store.usage.since(ANN, "100", start)
    assert [u.pictures for u in used] == [3, 5]
    assert start <= used[0].created <= used[1].created <= datetime.now(UTC)
    assert await store.usage.since(ANN, "100", datetime.now(UTC)) == []
    assert await store.usage.since(Owner("web", "1"), "100", start) == []


async def test_usage_is_deleted_after_a_day(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.avatars.add([new_avatar(owner=ANN, guild="100")])
    monkeypatch.setattr("db.usage.KEPT", timedelta(0))
    await store.avatars.add([new_avatar(owner=BEN, guild="100")])
    since = datetime.now(UTC) - timedelta(days=1)
    assert await store.usage.since(ANN, "100", since) == []
    assert len(await store.usage.since(BEN, "100", since)) == 1


async def test_usage_in_the_future_is_ignored(
    store: Store, new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set a year ahead once."""
    since = datetime.now(UTC) - timedelta(days=1)
    await store.avatars.add([new_avatar()])
    with monkeypatch.context() as patch:
        patch.setattr("db.avatars.datetime", NextYear)
        patch.setattr("db.usage.datetime", NextYear)
        await store.usage.add(ANN, "100", 5)
        await store.avatars.add([new_avatar()] * 3)
    assert [usage.pictures for usage in await store.usage.since(ANN, "100", since)] == [1]


def accept(used: list[Usage], now: datetime) -> None:
    pass


class NextYear(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "NextYear":
        return super().now(tz) + timedelta(days=365)


async def test_a_reservation_during_a_failed_transaction_is_made(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    later: list[asyncio.Task[int]] = []

    async def fail(session: AsyncSession) -> datetime:
        monkeypatch.undo()
        later.append(asyncio.create_task(store.usage.reserve(BEN, "100", 1, accept)))
        await asyncio.sleep(0)  # until it waits for the next transaction
        raise ValueError("not an outage")

    monkeypatch.setattr(store._database, "now", fail)
    with pytest.raises(ValueError, match="not an outage"):
        await store.usage.reserve(ANN, "100", 1, accept)
    assert await asyncio.wait_for(later[0], timeout=30) > 0
    assert "not an outage" in caplog.text
