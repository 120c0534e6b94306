"""Processes on one database: leases, and what they share."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import events, forgetting, processes, rate_buckets
from db.forgetting import OwnerForgotten
from db.records import GuildLimits, Owner, Shards, Usage
from db.schema import Base, ForgottenRow, RateBucketRow
from db.store import Store

from .conftest import ANN, NOON, MakeAvatar, get_avatar, pending_reply

BEN = Owner("discord", "2", "Ben")
EVERY_SHARD = Shards("42", 1, [0])


@pytest.fixture
async def others(url: str, store: Store) -> AsyncIterator[list[Store]]:
    """Two more processes on the database of `store`, with leases."""
    stores = [await Store.open(url, connections=4) for _ in range(2)]
    await store.processes.join()
    for other in stores:
        await other.processes.join()
    yield stores
    for other in stores:
        await other.close()


async def claimed(store: Store, application: str = "42") -> list[str]:
    return [reply.id for reply in await store.pending_replies.claim(application, NOON)]


async def test_a_process_is_alone_until_another_one_joins(store: Store, url: str) -> None:
    await store.processes.join()
    assert store.processes.alone
    other = await Store.open(url)
    await other.processes.join()
    await store.processes.beat()
    assert not store.processes.alone
    assert not other.processes.alone
    await other.close()
    await store.processes.beat()
    assert store.processes.alone


async def test_replies_are_claimed_by_one_process_once_the_lease_has_expired(
    store: Store, others: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [str(n) for n in range(20)]
    for id in ids:
        await store.pending_replies.save(pending_reply(id))
    await store.pending_replies.save(pending_reply("other", application="43"))
    assert not any([await other.processes.beat() for other in others])
    assert [await claimed(other) for other in others] == [[], []]
    assert sorted(await claimed(store)) == sorted(ids), "its own, after it has reconnected"

    monkeypatch.setattr(processes, "LEASE_SECONDS", 0)
    await others[
        0
    ].processes.beat()  # sends a heartbeat of its own, and ends the leases of the rest
    monkeypatch.undo()
    assert await others[1].processes.beat(), "there are replies without a process"
    taken = await asyncio.gather(*(claimed(other) for other in others))
    assert sorted([*taken[0], *taken[1]]) == sorted(ids), "each by one of the two"
    assert await claimed(store) == []
    assert await claimed(others[0], "43") == ["other"]


async def test_replies_of_a_process_that_ends_are_claimed_at_once(
    store: Store, others: list[Store]
) -> None:
    await others[0].pending_replies.save(pending_reply("a"))
    await others[0].close()
    assert await store.processes.beat()
    assert await claimed(store) == ["a"]


async def test_a_process_that_starts_alone_on_a_sqlite_file_resumes_at_once(
    sqlite_url: str,
) -> None:
    killed = await Store.open(sqlite_url)
    await killed.processes.join()
    await killed.pending_replies.save(pending_reply("a"))
    killed.processes._lock.close()  # as when a process is killed
    started = await Store.open(sqlite_url)
    await started.processes.join()
    second = await Store.open(sqlite_url)
    await second.processes.join()
    assert await claimed(second) == ["a"]
    assert await claimed(started) == []
    for store in (killed, started, second):
        await store.close()


async def test_shards_belong_to_one_process_until_its_lease_ends(
    store: Store, others: list[Store]
) -> None:
    first, second = others
    assert await first.processes.claim_shards(Shards("42", 4, [0, 1]))
    for taken in (Shards("42", 4, [1, 2]), Shards("42", 2, [0]), EVERY_SHARD):
        assert not await second.processes.claim_shards(taken)
    assert await second.processes.claim_shards(Shards("42", 4, [2, 3]))
    assert await store.processes.claim_shards(Shards("43", 1, [0])), "another application"
    await first.processes.beat()
    assert await first.processes.claim_shards(Shards("42", 4, [0])), "its own"
    assert await second.processes.claim_shards(Shards("42", 4, [1, 2]))
    await first.close()
    assert await second.processes.claim_shards(EVERY_SHARD)


async def test_a_process_that_hangs_loses_shards_that_another_one_claims(
    store: Store, others: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    hung, started = others
    for process, shard in ((hung, 0), (store, 1)):
        assert await process.processes.claim_shards(Shards("42", 2, [shard]))
    monkeypatch.setattr(processes, "LEASE_SECONDS", 0)
    await started.processes.beat()  # sees the others
    await started.processes.beat()  # ends their leases
    monkeypatch.undo()
    assert await started.processes.claim_shards(Shards("42", 2, [0]))

    await hung.processes.beat()
    assert hung.processes.lost_shards
    await store.processes.beat()
    assert not store.processes.lost_shards, "nobody has claimed them"
    assert not await started.processes.claim_shards(EVERY_SHARD), "they are reserved again"
    assert not await hung.processes.claim_shards(Shards("42", 2, [0]))
    await started.close()
    assert await hung.processes.claim_shards(Shards("42", 2, [0]))
    assert not hung.processes.lost_shards


async def test_one_of_the_processes_that_start_at_once_gets_the_shards(
    store: Store, others: list[Store]
) -> None:
    claims = (process.processes.claim_shards(EVERY_SHARD) for process in (store, *others))
    assert sorted(await asyncio.gather(*claims)) == [False, False, True]


async def test_shards_of_a_process_whose_lease_has_expired_are_free(
    store: Store, others: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, started = others
    assert await killed.processes.claim_shards(EVERY_SHARD)
    await started.processes.beat()
    assert not await started.processes.claim_shards(EVERY_SHARD)
    monkeypatch.setattr(processes, "LEASE_SECONDS", 0)
    await started.processes.beat()
    assert await started.processes.claim_shards(EVERY_SHARD)


async def test_an_outage_ends_no_lease(
    store: Store, others: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process that reaches the database again sees no heartbeats of the others yet."""
    await others[0].pending_replies.save(pending_reply("a"))
    await store.processes.beat()
    with monkeypatch.context() as failing:
        failing.setattr(store._database, "writing", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await store.processes.beat()
    assert not store.processes.alone
    monkeypatch.setattr(processes, "LEASE_SECONDS", 0)
    assert not await store.processes.beat()


async def test_a_resolved_reply_is_not_stored_again(store: Store) -> None:
    await store.pending_replies.save(pending_reply("a", token=""))
    await store.pending_replies.replace_token("a", "123")
    [reply] = await store.pending_replies.claim("42", NOON)
    assert reply.token == "123"
    await store.pending_replies.resolve(["a"])
    await store.pending_replies.replace_token("a", "456")
    assert await claimed(store) == []


async def test_concurrent_reservations_of_all_processes_share_a_quota(
    store: Store, others: list[Store]
) -> None:
    class UsedUpError(Exception):
        pass

    def at_most_five(used: list[Usage], now: datetime) -> None:
        if len(used) >= 5:
            raise UsedUpError

    async def reserve(process: Store) -> int:
        return await process.usage.reserve(ANN, "100", 1, at_most_five)

    everyone = [store, *others]
    results = await asyncio.gather(*(reserve(p) for p in everyone * 4), return_exceptions=True)
    made = [(p, r) for p, r in zip(everyone * 4, results, strict=True) if isinstance(r, int)]
    assert len(made) == 5
    assert sum(isinstance(result, UsedUpError) for result in results) == 7
    assert await store.usage.reserve(BEN, "100", 1, at_most_five)
    process, reservation = made[0]
    await process.usage.release(reservation)
    await reserve(others[0])
    with pytest.raises(UsedUpError):
        await reserve(others[1])


async def test_reservations_of_a_process_that_ends_do_not_count(
    store: Store, others: list[Store]
) -> None:
    await others[0].usage.reserve(ANN, "100", 3, lambda used, now: None)
    assert [u.pictures for u in await store.usage.since(ANN, "100", NOON)] == [3]
    await others[0].close()
    assert await store.usage.since(ANN, "100", NOON) == []


async def test_a_rate_limit_is_shared(store: Store, others: list[Store]) -> None:
    buckets = [process.rate_buckets for process in (store, *others)]
    taken = await asyncio.gather(*(b.take("paint", "192.0.2.1", 1, 6) for b in buckets * 3))
    assert sum(missing == 0 for missing in taken) == 6
    assert await buckets[0].take("paint", "192.0.2.2", 1, 6) == 0
    assert await buckets[0].take("login", "192.0.2.1", 1, 6) == 0


async def test_pictures_that_others_paint_for_a_forgotten_owner_are_not_stored(
    store: Store, others: list[Store], new_avatar: MakeAvatar
) -> None:
    began = time.monotonic()
    await others[0].members.delete_everything(ANN)
    with pytest.raises(OwnerForgotten):
        await store.avatars.add([new_avatar()], began)
    assert len(await store.avatars.add([new_avatar(owner=BEN)], began)) == 1
    assert len(await store.avatars.add([new_avatar()], time.monotonic())) == 1


async def test_marks_of_forgotten_owners_are_deleted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.members.delete_everything(ANN)
    await store.retention.delete_marks()
    assert await count_rows(store, ForgottenRow) == 1
    monkeypatch.setattr(forgetting, "KEPT", timedelta(0))
    await store.retention.delete_marks()
    assert await count_rows(store, ForgottenRow) == 0


async def count_rows(store: Store, table: type[Base]) -> int:
    async with store._database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_buckets_are_deleted_once_they_are_full(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.rate_buckets.take("paint", "192.0.2.1", 1, 6)
    await store.rate_buckets.delete_full()
    assert await count_rows(store, RateBucketRow) == 1
    monkeypatch.setattr(rate_buckets, "FULL_AFTER", timedelta(0))
    await store.rate_buckets.delete_full()
    assert await count_rows(store, RateBucketRow) == 0


async def test_a_bucket_that_gave_more_than_it_had_is_kept_until_it_is_full(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = NOON

    async def now(session: AsyncSession) -> datetime:
        return moment

    monkeypatch.setattr(store._database, "now", now)
    assert await store.rate_buckets.take("paint", "192.0.2.1", 10, 6) == 0
    moment += timedelta(seconds=70)
    await store.rate_buckets.delete_full()
    assert await store.rate_buckets.take("paint", "192.0.2.1", 6, 6) == pytest.approx(3)
    moment += timedelta(hours=2)
    await store.rate_buckets.delete_full()
    assert await count_rows(store, RateBucketRow) == 0


async def test_pictures_stored_while_their_owner_is_forgotten_are_deleted_or_refused(
    store: Store, others: list[Store], new_avatar: MakeAvatar
) -> None:
    async def add(process: Store) -> None:
        await process.avatars.add([new_avatar()], began)

    began = time.monotonic()
    adding = [add(process) for process in others * 5]
    forgetting = store.members.delete_everything(ANN)
    results = await asyncio.gather(forgetting, *adding, return_exceptions=True)
    assert {type(result) for result in results} <= {int, type(None), OwnerForgotten}
    assert await store.avatars.count() == 0


async def test_a_portrait_that_several_processes_store_at_once_is_stored_once(
    store: Store, others: list[Store], new_avatar: MakeAvatar
) -> None:
    everyone = [store, *others]
    portrait = {"wish": {}, "seed": 5, "portrait": True}
    adding = (process.avatars.add([new_avatar(**portrait)]) for process in everyone * 3)
    stored = await asyncio.gather(*adding)
    assert len({avatar.id for [avatar] in stored}) == 1
    await asyncio.gather(
        *(store.avatars.add([new_avatar(**portrait | {"seed": seed})]) for seed in (6, 7)),
        store.avatars.add([new_avatar(**portrait, private=True)]),
        store.avatars.add([new_avatar(**portrait | {"portrait": False})]),
    )
    assert await store.avatars.count() == 5


async def test_pictures_that_others_paint_for_a_deleted_guild_do_not_name_it(
    store: Store, others: list[Store], new_avatar: MakeAvatar
) -> None:
    began = time.monotonic()
    await others[0].presence.left("42", "100", NOON)
    await others[0].presence.delete_data("100")
    [avatar] = await store.avatars.add([new_avatar()], began)
    assert (avatar.guild, avatar.channel) == (None, None)


async def test_the_data_of_a_guild_that_another_process_has_joined_again_stays(
    store: Store, others: list[Store]
) -> None:
    await store.guilds.save_limits("100", GuildLimits(daily=5))
    await store.presence.left("42", "100", NOON)
    await others[0].presence.joined("42", "100")
    assert await store.presence.delete_data("100") == 0
    assert (await store.guilds.limits("100")).daily == 5


async def test_a_process_leaves_only_guilds_that_it_serves(store: Store) -> None:
    await store.presence.save("42", ["100", "101"], NOON)
    await store.presence.save("42", [], NOON, lambda guild: guild == "101")
    assert await store.presence.left_before(NOON.replace(hour=13)) == ["101"]


async def test_an_announced_avatar_was_stored(
    store: Store, others: list[Store], new_avatar: MakeAvatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "POLL_SECONDS", 0.05)
    received: asyncio.Queue[object] = asyncio.Queue()
    following = asyncio.create_task(store.events.follow(received.put_nowait, lambda: True))
    try:
        avatar = None
        async with asyncio.timeout(20):
            while received.empty():  # until it listens
                [avatar] = await others[0].avatars.add([new_avatar()])
                await asyncio.sleep(0.2)
            await others[0].avatars.add([new_avatar(private=True)])
            [last] = await others[0].avatars.add([new_avatar()])
            seen = []
            while last.id not in seen:
                seen.append((await received.get()).id)  # type: ignore[attr-defined]
        assert avatar is not None
        for id in seen:
            assert not (await get_avatar(store, id)).private
    finally:
        following.cancel()
