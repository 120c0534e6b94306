from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.store import GuildLimits, MemberSettings, Owed, Owner, Store

ANN = Owner("discord", "1", "Ann")
BEN = Owner("discord", "2", "Ben")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def owed(id: str = "900", **fields) -> Owed:
    default = {
        "application": "42",
        "token": "aW50ZXJhY3Rpb24" * 12,
        "work": "create",
        "given": {"wish": {"hair": "pink"}, "count": 9, "seed": 2**32 - 1, "size": None},
        "owner": ANN,
        "guild": "100",
        "channel": "200",
        "language": "zh-CN",
        "private": True,
        "named": False,
        "created": NOON,
    }
    return Owed(id=id, **default | fields)


async def test_what_is_saved_is_there_after_a_restart(url):
    settings = MemberSettings(private=False, size=128, language="ja")
    limits = GuildLimits(30, 50, ("200", "201"), ("300",), gallery=False)
    store = await Store.open(url)
    await store.desk.save_settings(ANN, settings)
    await store.desk.save_limits("100", limits)
    await store.desk.block("100", "7", True)
    await store.desk.owe(owed())
    await store.desk.save_note("commands", "abc")
    await store.close()

    store = await Store.open(url)
    assert await store.desk.settings(ANN) == settings
    assert await store.desk.settings(BEN) == MemberSettings(None, None, None)
    assert await store.desk.limits("100") == limits
    assert await store.desk.limits("999") == GuildLimits(0, 0, (), (), True)
    assert await store.desk.blocked("100") == ["7"]
    [again] = await store.desk.owed(NOON)
    assert again == owed()
    assert again.owner.name == "Ann"
    assert await store.desk.note("commands") == "abc"
    assert await store.desk.note("else") is None
    await store.close()


async def test_saving_again_replaces(store):
    for size in (64, 256, None):
        settings = MemberSettings(private=True, size=size)
        await store.desk.save_settings(ANN, settings)
        assert await store.desk.settings(replace(ANN, name="renamed")) == settings
    for cooldown in (10, 0):
        await store.desk.save_limits("100", GuildLimits(cooldown, 5))
    assert await store.desk.limits("100") == GuildLimits(0, 5)
    for value in ("one", "two"):
        await store.desk.save_note("key", value)
    assert await store.desk.note("key") == "two"


async def test_blocks_are_each_server_s_own(store):
    for member in ("7", "8", "7"):
        await store.desk.block("100", member, True)
    assert await store.desk.blocked("100") == ["7", "8"]
    assert await store.desk.is_blocked("100", "7")
    assert not await store.desk.is_blocked("101", "7")
    await store.desk.block("100", "7", False)
    await store.desk.block("100", "nobody", False)
    assert await store.desk.blocked("100") == ["8"]
    assert not await store.desk.is_blocked("100", "7")


async def test_what_is_owed_is_told_once_settled_and_forgotten_in_time(store):
    minutes = {id: NOON + timedelta(minutes=m) for id, m in (("a", 0), ("b", 10), ("c", 5))}
    for id, moment in minutes.items():
        await store.desk.owe(owed(id, created=moment))
    await store.desk.owe(owed("b", created=minutes["b"], token="renewed"))
    assert [(o.id, o.token[:7]) for o in await store.desk.owed(NOON)] == [
        ("a", "aW50ZXJ"),
        ("c", "aW50ZXJ"),
        ("b", "renewed"),
    ]
    await store.desk.settle(["c", "no such order"])
    assert [o.id for o in await store.desk.owed(NOON + timedelta(minutes=1))] == ["b"]
    # those that were too old are gone, tokens and all
    assert [o.id for o in await store.desk.owed(NOON)] == ["b"]


def test_a_token_is_not_shown():
    assert "aW50" not in repr(owed())


async def test_usage_counts_what_was_painted_in_a_server_deleted_or_not(store, new):
    start = datetime.now(UTC)
    painted = await store.add([new(owner=ANN, guild="100") for _ in range(3)])
    await store.add([new(owner=ANN, guild="101"), new(owner=BEN, guild="100")])
    await store.add([new(owner=ANN, guild=None)])
    await store.use(ANN, "100", 5)
    await store.delete(painted[0].id)
    used = await store.desk.usage(ANN, "100", start)
    assert [u.pictures for u in used] == [3, 5]
    assert start <= used[0].created <= used[1].created <= datetime.now(UTC)
    assert await store.desk.usage(ANN, "100", datetime.now(UTC)) == []
    assert await store.desk.usage(Owner("web", "1"), "100", start) == []


async def test_usage_is_kept_for_a_day(store, new, monkeypatch):
    await store.add([new(owner=ANN, guild="100")])
    monkeypatch.setattr("db.store.USAGE_KEPT", timedelta(0))
    await store.add([new(owner=BEN, guild="100")])
    since = datetime.now(UTC) - timedelta(days=1)
    assert await store.desk.usage(ANN, "100", since) == []
    assert len(await store.desk.usage(BEN, "100", since)) == 1


@pytest.mark.parametrize("settings", [MemberSettings(), MemberSettings(True, 64, "zh-CN")])
async def test_forgetting_takes_settings_and_orders_along(store, settings):
    await store.desk.save_settings(ANN, settings)
    await store.desk.owe(owed("a", owner=ANN))
    await store.desk.owe(owed("b", owner=BEN))
    assert await store.forget(ANN) == 0
    assert await store.desk.settings(ANN) == MemberSettings()
    assert [o.id for o in await store.desk.owed(NOON)] == ["b"]
