from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db.records import GuildLimits, MemberSettings, Owner, PendingReply
from db.store import Store
from db.tasks import CreateTask

ANN = Owner("discord", "1", "Ann")
BEN = Owner("discord", "2", "Ben")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def pending(id: str = "900", **fields) -> PendingReply:
    default = {
        "application": "42",
        "token": "aW50ZXJhY3Rpb24" * 12,
        "task": CreateTask(wish={"hair": "pink"}, count=9, seed=2**32 - 1),
        "owner": ANN,
        "guild": "100",
        "channel": "200",
        "language": "zh-CN",
        "private": True,
        "names_requester": False,
        "created": NOON,
    }
    return PendingReply(id=id, **default | fields)


async def test_saved_records_are_read_after_a_restart(url):
    settings = MemberSettings(private=False, size=128, language="ja")
    limits = GuildLimits(30, 50, ("200", "201"), ("300",), gallery=False)
    store = await Store.open(url)
    await store.members.save_settings(ANN, settings)
    await store.guilds.save_limits("100", limits)
    await store.guilds.block("100", "7")
    await store.pending_replies.save(pending())
    await store.notes.set("commands", "abc")
    await store.close()

    store = await Store.open(url)
    assert await store.members.settings(ANN) == settings
    assert await store.members.settings(BEN) == MemberSettings(None, None, None)
    assert await store.guilds.limits("100") == limits
    assert await store.guilds.limits("999") == GuildLimits(0, 0, (), (), True)
    assert await store.guilds.blocked("100") == ["7"]
    [again] = await store.pending_replies.since(NOON)
    assert again == pending()
    assert again.owner.name == "Ann"
    assert await store.notes.get("commands") == "abc"
    assert await store.notes.get("else") is None
    await store.close()


async def test_saving_again_replaces_the_record(store):
    for size in (64, 256, None):
        settings = MemberSettings(private=True, size=size)
        await store.members.save_settings(ANN, settings)
        assert await store.members.settings(replace(ANN, name="renamed")) == settings
    for cooldown in (10, 0):
        await store.guilds.save_limits("100", GuildLimits(cooldown, 5))
    assert await store.guilds.limits("100") == GuildLimits(0, 5)
    for value in ("one", "two"):
        await store.notes.set("key", value)
    assert await store.notes.get("key") == "two"


async def test_blocked_members_are_stored_per_guild(store):
    for member in ("7", "8", "7"):
        await store.guilds.block("100", member)
    assert await store.guilds.blocked("100") == ["7", "8"]
    assert await store.guilds.is_blocked("100", "7")
    assert not await store.guilds.is_blocked("101", "7")
    await store.guilds.unblock("100", "7")
    await store.guilds.unblock("100", "nobody")
    assert await store.guilds.blocked("100") == ["8"]
    assert not await store.guilds.is_blocked("100", "7")


async def test_pending_replies_are_listed_until_resolved_or_expired(store):
    minutes = {id: NOON + timedelta(minutes=m) for id, m in (("a", 0), ("b", 10), ("c", 5))}
    for id, moment in minutes.items():
        await store.pending_replies.save(pending(id, created=moment))
    await store.pending_replies.save(pending("b", created=minutes["b"], token="renewed"))
    assert [(o.id, o.token[:7]) for o in await store.pending_replies.since(NOON)] == [
        ("a", "aW50ZXJ"),
        ("c", "aW50ZXJ"),
        ("b", "renewed"),
    ]
    await store.pending_replies.resolve(["c", "no such order"])
    assert [o.id for o in await store.pending_replies.since(NOON + timedelta(minutes=1))] == ["b"]
    # those that were too old are gone, tokens and all
    assert [o.id for o in await store.pending_replies.since(NOON)] == ["b"]


def test_repr_hides_the_token():
    assert "aW50" not in repr(pending())


async def test_usage_counts_avatars_of_a_server_including_deleted_ones(store, new):
    start = datetime.now(UTC)
    painted = await store.avatars.add([new(owner=ANN, guild="100") for _ in range(3)])
    await store.avatars.add([new(owner=ANN, guild="101"), new(owner=BEN, guild="100")])
    await store.avatars.add([new(owner=ANN, guild=None)])
    await store.usage.add(ANN, "100", 5)
    await store.avatars.delete(painted[0].id)
    used = await store.usage.since(ANN, "100", start)
    assert [u.pictures for u in used] == [3, 5]
    assert start <= used[0].created <= used[1].created <= datetime.now(UTC)
    assert await store.usage.since(ANN, "100", datetime.now(UTC)) == []
    assert await store.usage.since(Owner("web", "1"), "100", start) == []


async def test_usage_is_deleted_after_a_day(store, new, monkeypatch):
    await store.avatars.add([new(owner=ANN, guild="100")])
    monkeypatch.setattr("db.usage.KEPT", timedelta(0))
    await store.avatars.add([new(owner=BEN, guild="100")])
    since = datetime.now(UTC) - timedelta(days=1)
    assert await store.usage.since(ANN, "100", since) == []
    assert len(await store.usage.since(BEN, "100", since)) == 1


@pytest.mark.parametrize("settings", [MemberSettings(), MemberSettings(True, 64, "zh-CN")])
async def test_deleting_everything_includes_settings_and_pending_replies(store, settings):
    await store.members.save_settings(ANN, settings)
    await store.pending_replies.save(pending("a", owner=ANN))
    await store.pending_replies.save(pending("b", owner=BEN))
    assert await store.members.delete_everything(ANN) == 0
    assert await store.members.settings(ANN) == MemberSettings()
    assert [o.id for o in await store.pending_replies.since(NOON)] == ["b"]


async def test_the_task_of_a_pending_reply_is_none_if_invalid(store, caplog):
    """As a newer version, or a damaged database, may have left it behind."""
    await store.pending_replies.save(pending("a"))
    await store.pending_replies.save(pending("b"))
    async with store._database.writing() as session:
        await session.execute(text("UPDATE owed SET work = 'delete_everything' WHERE id = 'a'"))
    assert [(p.id, p.task is None) for p in await store.pending_replies.since(NOON)] == [
        ("a", True),
        ("b", False),
    ]
    assert "delete_everything" in caplog.text
