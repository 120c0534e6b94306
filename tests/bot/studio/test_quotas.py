import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from paused_engine import PausedEngine

from bot.errors import BadPrompt, Blocked, NotFound, TooSoon, WrongChannel
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import Avatar, GuildLimits, Owner, RoleLimits
from db.store import Store

OTHER = Owner("discord", "2")
Admit = Callable[..., AbstractAsyncContextManager[Any]]
Paint = Callable[..., Coroutine[Any, Any, list[Avatar]]]


@pytest.fixture
def admit(studio: Studio, owner: Owner) -> Admit:
    """`async with admit(pictures, …)`: a request of the owner in guild 1, channel 10."""

    def admit(pictures: int = 1, **options: Any) -> AbstractAsyncContextManager[Any]:
        where: dict[str, Any] = {"owner": owner, "guild": "1", "channel": "10"} | options
        roles = where.pop("roles", ())
        return studio.quotas.admit(Request(**where), pictures, roles=roles)

    return admit


@pytest.fixture
def paint(studio: Studio, admit: Admit, owner: Owner) -> Paint:
    """Admits a request and paints its pictures."""

    async def paint(count: int = 1, **options: Any) -> list[Avatar]:
        async with admit(count, **options):
            request = Request(options.get("owner", owner), options.get("guild", "1"))
            return await studio.painting.create("", request, count=count)

    return paint


async def open_and_close(admission: AbstractAsyncContextManager[Any]) -> None:
    """Opens an admission and closes it again."""
    async with admission:
        pass


async def test_without_limits_everybody_is_admitted(admit: Admit) -> None:
    for _ in range(20):
        await open_and_close(admit(9))


async def test_a_member_is_blocked_in_one_guild_only(studio: Studio, admit: Admit) -> None:
    await studio.guilds.block("1", OTHER.key)
    with pytest.raises(Blocked, match="blocked you"):
        await open_and_close(admit(owner=OTHER))
    await open_and_close(admit())
    await open_and_close(admit(owner=OTHER, guild="2"))
    await open_and_close(admit(owner=OTHER, guild=None))
    assert await studio.guilds.blocked("1") == [OTHER.key]
    await studio.guilds.unblock("1", OTHER.key)
    await open_and_close(admit(owner=OTHER))


async def test_the_bot_replies_only_in_its_channels(studio: Studio, admit: Admit) -> None:
    await studio.quotas.save_limits("1", GuildLimits(channels=("10", "11"), exempt_roles=("5",)))
    await open_and_close(admit(channel="11"))
    for roles in ((), ("5",)):
        with pytest.raises(WrongChannel, match="<#10> <#11>"):
            await open_and_close(admit(channel="12", roles=roles))
    await open_and_close(admit(guild="2", channel="12"))
    await open_and_close(admit(guild=None, channel="13"))


async def test_a_refusal_names_the_first_of_many_channels(studio: Studio, admit: Admit) -> None:
    channels = tuple(str(10**18 + n) for n in range(100))
    await studio.quotas.save_limits("1", GuildLimits(channels=channels))
    with pytest.raises(WrongChannel) as refused:
        await open_and_close(admit(channel="12"))
    assert f"<#{channels[9]}> …" in str(refused.value)
    assert channels[10] not in str(refused.value)


async def test_reading_is_rejected_in_other_channels_and_uses_no_quota(
    studio: Studio, admit: Admit, paint: Paint
) -> None:
    await studio.quotas.save_limits("1", GuildLimits(cooldown=60, daily=1, channels=("10",)))
    await paint()
    for _ in range(3):
        await open_and_close(admit(pictures=0))
    with pytest.raises(WrongChannel):
        await open_and_close(admit(pictures=0, channel="12"))
    await studio.guilds.block("1", OTHER.key)
    with pytest.raises(Blocked):
        await open_and_close(admit(pictures=0, owner=OTHER))


async def test_a_cooldown_tells_the_remaining_time(
    studio: Studio, admit: Admit, paint: Paint
) -> None:
    await studio.quotas.save_limits("1", GuildLimits(cooldown=60, exempt_roles=("5",)))
    (avatar,) = await paint()
    with pytest.raises(TooSoon) as error:
        await open_and_close(admit())
    assert abs(error.value.retry_at - avatar.created - timedelta(seconds=60)) < timedelta(seconds=1)
    await open_and_close(admit(owner=OTHER))
    await open_and_close(admit(guild="2"))
    await open_and_close(admit(roles=("4", "5")))


async def test_a_quota_counts_pictures_of_a_day_including_deleted_ones(
    studio: Studio, store: Store, admit: Admit, paint: Paint, owner: Owner
) -> None:
    await studio.quotas.save_limits("1", GuildLimits(daily=5))
    for count in (3, 2):
        avatars = await paint(count)
        await studio.avatars.delete(avatars[0].id, owner)
    first = await store.usage.since(owner, "1", datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(TooSoon, match="5 pictures") as error:
        await open_and_close(admit(3))
    assert error.value.retry_at == first[0].created + timedelta(days=1)
    with pytest.raises(TooSoon) as error:
        await open_and_close(admit(4))  # the end of the first three is not enough
    assert error.value.retry_at == first[1].created + timedelta(days=1)
    await studio.members.delete_everything(owner)
    with pytest.raises(TooSoon):
        await open_and_close(admit())
    with pytest.raises(BadPrompt, match=r"6 pictures.*limit of this server is 5"):
        await open_and_close(admit(6))


@pytest.mark.parametrize("limits", [GuildLimits(cooldown=3600), GuildLimits(daily=1)])
async def test_one_of_ten_concurrent_requests_is_admitted(
    studio: Studio, admit: Admit, owner: Owner, limits: GuildLimits
) -> None:
    await studio.quotas.save_limits("1", limits)
    async with AsyncExitStack() as stack:
        answers = await asyncio.gather(
            *(stack.enter_async_context(admit()) for _ in range(10)), return_exceptions=True
        )
        assert [type(answer) for answer in answers].count(TooSoon) == 9
        await studio.painting.create("", Request(owner, guild="1"))
    with pytest.raises(TooSoon):
        await open_and_close(admit())


async def test_pictures_in_progress_count_until_they_are_stored(
    engine: Engine,
    studio: Studio,
    admit: Admit,
    paint: Paint,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await studio.painting.portrait("5", Request(owner))
    await studio.quotas.save_limits("1", GuildLimits(daily=10))
    paused = PausedEngine(engine, monkeypatch)
    many = asyncio.create_task(paint(9))
    await paused.batch_started()
    async with admit():
        await studio.painting.portrait("5", Request(owner, guild="1"))  # already stored
    assert not many.done()
    async with admit():
        with pytest.raises(TooSoon):
            await open_and_close(admit())
        paused.resume()
        await many
        with pytest.raises(TooSoon):
            await open_and_close(admit())


async def test_a_failed_request_does_not_count(studio: Studio, admit: Admit, owner: Owner) -> None:
    await studio.quotas.save_limits("1", GuildLimits(cooldown=3600, daily=1))
    for _ in range(3):
        with pytest.raises(NotFound):
            async with admit():
                await studio.painting.again("nosuchid", Request(owner, guild="1"))
    await open_and_close(admit())


async def test_an_admission_stops_counting_when_it_ends(studio: Studio, admit: Admit) -> None:
    await studio.quotas.save_limits("1", GuildLimits(daily=1))
    async with admit():
        with pytest.raises(TooSoon):
            await open_and_close(admit())
    await open_and_close(admit())


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (GuildLimits(cooldown=-1), "0 to 86400 seconds, not -1"),
        (GuildLimits(cooldown=86401), "not 86401"),
        (GuildLimits(daily=-5), "not -5"),
        (GuildLimits(daily=10**6), "0 to 100000 pictures"),
    ],
)
async def test_limits_out_of_range_are_rejected(
    studio: Studio, limits: GuildLimits, message: str
) -> None:
    with pytest.raises(BadPrompt, match=message):
        await studio.quotas.save_limits("1", limits)
    assert await studio.guilds.limits("1") == GuildLimits()


async def test_of_the_limits_of_several_roles_the_most_generous_hold(
    studio: Studio, admit: Admit, owner: Owner
) -> None:
    roles = {"5": RoleLimits(cooldown=60, daily=3), "6": RoleLimits(cooldown=0, daily=2)}
    await studio.quotas.save_limits("1", GuildLimits(cooldown=3600, daily=1, role_limits=roles))
    for own, daily, left in (([], 1, 1), (["5"], 3, 3), (["5", "6", "7"], 3, 3)):
        remaining = await studio.quotas.remaining(Request(owner, guild="1"), own)
        assert remaining is not None
        assert (remaining.daily, remaining.left, remaining.next_at) == (daily, left, None)
    await open_and_close(admit(2, roles=["6"]))
    with pytest.raises(BadPrompt, match="3 pictures; the daily limit of this server is 2"):
        await open_and_close(admit(3, roles=["6"]))


async def test_what_remains_of_a_quota_is_none_without_limits_or_for_an_exempt_role(
    studio: Studio, owner: Owner
) -> None:
    assert await studio.quotas.remaining(Request(owner, guild="1"), []) is None
    await studio.quotas.save_limits("1", GuildLimits(daily=1, exempt_roles=("5",)))
    assert await studio.quotas.remaining(Request(owner, guild="1"), ["5"]) is None
