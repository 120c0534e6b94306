import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gate import Gate

from bot.errors import BadPrompt, Blocked, Refusal, TooSoon, WrongPlace
from bot.inference.engine import Engine
from bot.studio import Studio
from db.store import GuildLimits, Owner

OTHER = Owner("discord", "2")
Admit = Callable[..., Any]


@pytest.fixture
def admit(studio: Studio, owner: Owner) -> Admit:
    async def admit(pictures: int = 1, **given: Any) -> None:
        where = {"guild": "1", "channel": "10", "roles": ()} | given
        await studio.admit(where.pop("owner", owner), pictures=pictures, **where)

    return admit


async def test_without_limits_everybody_is_admitted(admit: Admit) -> None:
    for _ in range(20):
        await admit(9)


async def test_who_is_blocked_is_so_in_that_server(studio: Studio, admit: Admit) -> None:
    await studio.block("1", OTHER.key, True)
    with pytest.raises(Blocked, match="blocked you"):
        await admit(owner=OTHER)
    await admit()
    await admit(owner=OTHER, guild="2")
    await admit(owner=OTHER, guild=None)
    assert await studio.blocked("1") == [OTHER.key]
    await studio.block("1", OTHER.key, False)
    await admit(owner=OTHER)


async def test_the_bot_answers_in_its_channels(studio: Studio, admit: Admit) -> None:
    await studio.save_limits("1", GuildLimits(channels=("10", "11"), exempt_roles=("5",)))
    await admit(channel="11")
    for roles in ((), ("5",)):
        with pytest.raises(WrongPlace, match="<#10> <#11>"):
            await admit(channel="12", roles=roles)
    await admit(guild="2", channel="12")
    await admit(guild=None, channel="13")


async def test_who_only_looks_is_refused_where_the_bot_does_not_answer_but_uses_up_nothing(
    studio: Studio, admit: Admit
) -> None:
    await studio.save_limits("1", GuildLimits(cooldown=60, daily=1, channels=("10",)))
    await admit()
    for _ in range(3):
        await admit(pictures=0)
    with pytest.raises(WrongPlace):
        await admit(pictures=0, channel="12")
    await studio.block("1", OTHER.key, True)
    with pytest.raises(Blocked):
        await admit(pictures=0, owner=OTHER)


async def test_a_cooldown_says_when_to_come_again(
    studio: Studio, admit: Admit, owner: Owner
) -> None:
    await studio.save_limits("1", GuildLimits(cooldown=60, exempt_roles=("5",)))
    await admit()
    (avatar,) = await studio.create("", owner=owner, guild="1")
    with pytest.raises(TooSoon) as refusal:
        await admit()
    assert abs(refusal.value.retry_at - avatar.created - timedelta(seconds=60)) < timedelta(
        seconds=1
    )
    await admit(owner=OTHER)
    await admit(guild="2")
    await admit(roles=("4", "5"))


async def test_a_quota_counts_pictures_of_a_day_deleted_ones_too(
    studio: Studio, admit: Admit, owner: Owner
) -> None:
    await studio.save_limits("1", GuildLimits(daily=5))
    for count in (3, 2):
        await admit(count)
        avatars = await studio.create("", owner=owner, count=count, guild="1")
        await studio.delete(avatars[0].id, owner)
    first = await studio._store.desk.usage(owner, "1", datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(TooSoon, match="5 pictures") as refusal:
        await admit(3)
    assert refusal.value.retry_at == first[0].created + timedelta(days=1)
    with pytest.raises(TooSoon) as refusal:
        await admit(4)  # the first three make not enough room
    assert refusal.value.retry_at == first[1].created + timedelta(days=1)
    await studio.forget(owner)
    with pytest.raises(TooSoon):
        await admit()
    with pytest.raises(BadPrompt, match=r"6 pictures.*allows 5"):
        await admit(6)


@pytest.mark.parametrize("limits", [GuildLimits(cooldown=3600), GuildLimits(daily=1)])
async def test_of_ten_presses_at_once_one_is_admitted(
    studio: Studio, admit: Admit, owner: Owner, limits: GuildLimits
) -> None:
    await studio.save_limits("1", limits)
    answers = await asyncio.gather(*(admit() for _ in range(10)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(TooSoon) == 9
    await studio.create("", owner=owner, guild="1")
    with pytest.raises(TooSoon):
        await admit()


async def test_who_is_served_first_leaves_what_takes_longer_under_way(
    engine: Engine, studio: Studio, admit: Admit, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await studio.me("5", owner=owner)
    await studio.save_limits("1", GuildLimits(daily=10))
    held = Gate(engine, monkeypatch)
    await admit(9)
    many = asyncio.create_task(studio.create("", owner=owner, count=9, guild="1"))
    await admit()
    await studio.me("5", owner=owner, guild="1")  # which is there already
    assert not many.done()
    await admit()
    with pytest.raises(TooSoon):
        await admit()
    held.open()
    await many
    with pytest.raises(TooSoon):
        await admit()


async def test_what_failed_does_not_count(studio: Studio, admit: Admit, owner: Owner) -> None:
    await studio.save_limits("1", GuildLimits(cooldown=3600, daily=1))
    for _ in range(3):
        await admit()
        with pytest.raises(Refusal):
            await studio.again("nosuchid", owner=owner, guild="1")
    await admit()


async def test_what_was_never_asked_for_stops_counting(
    studio: Studio, admit: Admit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await studio.save_limits("1", GuildLimits(daily=1))
    await admit()
    with pytest.raises(TooSoon):
        await admit()
    monkeypatch.setattr("bot.moderation.ABANDONED", timedelta(0))
    await admit()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (GuildLimits(cooldown=-1), "0 to 86400 seconds, not -1"),
        (GuildLimits(cooldown=86401), "not 86401"),
        (GuildLimits(daily=-5), "not -5"),
        (GuildLimits(daily=10**6), "0 to 100000 pictures"),
    ],
)
async def test_limits_without_sense_are_refused(
    studio: Studio, limits: GuildLimits, message: str
) -> None:
    with pytest.raises(BadPrompt, match=message):
        await studio.save_limits("1", limits)
    assert await studio.limits("1") == GuildLimits()
