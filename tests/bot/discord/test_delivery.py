"""Replies that cannot be given immediately."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from discord_server import BotError, DiscordServer, Person
from gate import Gate, queued

from bot.discord import client, delivery
from bot.inference.engine import Engine
from bot.studio import Studio
from db.records import GuildLimits
from db.store import Store

from .conftest import PATIENCE, Run

QUARTER_OF_AN_HOUR = 15 * 60
ORIGINAL = "/messages/@original$"


@pytest.fixture
def held(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Nothing is painted until it is opened."""
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(delivery, "EDIT_SECONDS", 0.05)
    gate = Gate(engine, monkeypatch)
    yield gate
    gate.open()


@pytest.mark.usefixtures("bot")
async def test_the_position_in_the_queue_is_shown_and_updated(
    discord: DiscordServer, held: Gate, mika: Person
) -> None:
    crowd = [discord.member(f"Member {n}", locale="zh-CN") for n in range(20)]
    first = await mika.slash("avatar", hair="pink", count=9)
    assert "Painting" in first.text
    assert first.pictures == []
    replies = await asyncio.gather(*(person.slash("avatar", hair="blue") for person in crowd))
    await discord.until(lambda: any("前面还有" in r.text for r in replies), "nobody waits")
    finished: list[str] = []

    async def finish(name: str, reply: Any, pictures: int) -> None:
        await discord.until(lambda: len(reply.pictures) == pictures, f"{name} waits")
        finished.append(name)

    waiting = asyncio.gather(
        finish("Mika", first, 9), *(finish(f"{n}", reply, 1) for n, reply in enumerate(replies))
    )
    held.open()
    await waiting
    assert "前面还有" not in "".join(reply.text for reply in replies)


@pytest.mark.usefixtures("bot")
async def test_acknowledged_in_time_while_the_disk_is_slow(
    discord: DiscordServer, studio: Studio, mika: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time that reading took is no longer left for writing."""
    elapsed = 0.0
    save, language_of, written = (
        studio.pending_replies.save,
        delivery.language_of,
        asyncio.Event(),
    )

    async def read_slowly(source: Any) -> str:
        nonlocal elapsed
        elapsed += delivery.PREPARE_SECONDS
        return await language_of(source)

    async def write_slowly(pending: Any) -> None:
        await written.wait()
        await save(pending)

    monkeypatch.setattr(delivery, "PREPARE_SECONDS", PATIENCE)
    monkeypatch.setattr(delivery, "monotonic", lambda: elapsed)
    monkeypatch.setattr(delivery, "language_of", read_slowly)
    monkeypatch.setattr(studio.pending_replies, "save", write_slowly)
    asked = asyncio.create_task(mika.slash("avatar", hair="pink"))

    def acknowledged() -> bool:
        return any(i.answer is not None for i in discord.interactions.values())

    await discord.until(acknowledged, "no answer")
    written.set()
    assert len((await asked).pictures) == 1


@pytest.mark.usefixtures("bot")
async def test_a_large_request_does_not_delay_other_members(
    discord: DiscordServer, engine: Engine, held: Gate, mika: Person
) -> None:
    crowd = [discord.member(f"Member {n}") for n in range(20)]
    greedy = [asyncio.create_task(mika.slash("avatar", hair="pink", count=9)) for _ in range(5)]
    await queued(engine, 45 - 16, at_least=True)
    others = [asyncio.create_task(person.slash("avatar", hair="blue")) for person in crowd]
    await queued(engine, 45 - 16 + 20, at_least=True)
    replies = await asyncio.gather(*greedy, *others)
    left: list[int] = []

    async def finish(reply: Any) -> None:
        await discord.until(lambda: reply.pictures, "no picture")
        left.append(sum(not r.pictures for r in replies[:5]))

    waiting = asyncio.gather(*(finish(reply) for reply in replies[5:]))
    held.open()
    await waiting
    assert max(left) > 0, "others are served before all of Mika's"
    await discord.until(lambda: all(r.pictures for r in replies), "Mika's pictures")


async def test_replies_that_outlast_the_grace_period_stay_pending(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    store: Store,
    held: Gate,
    mika: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "GRACE_SECONDS", 0.05)
    async with run(studio):
        reply = await mika.slash("avatar", hair="pink", seed=7)
        assert reply.pictures == []
    held.open()
    async with run(studio):
        await discord.until(lambda: reply.pictures, "no picture after the restart")
    assert "`7`" in reply.text
    assert await store.avatars.count() == 1


async def test_a_member_is_told_that_the_bot_is_closing(
    discord: DiscordServer, run: Run, studio: Studio, held: Gate, mika: Person
) -> None:
    async with run(studio) as bot:
        first = await mika.slash("avatar", hair="pink")
        bot.cancel()
        refused = await mika.slash("avatar", hair="red")
        assert "restarted" in refused.text
        assert refused.ephemeral
        held.open()
        await discord.until(lambda: first.pictures, "what runs is finished")


async def test_a_reply_after_its_token_expired_goes_to_the_channel(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    held: Gate,
    mika: Person,
    ren: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with run(studio):
        public = await mika.slash("avatar", hair="pink")
        private = await ren.slash("avatar", hair="red", private=True)
        before = len(mika.messages())
        discord.advance(QUARTER_OF_AN_HOUR + 1)
        held.open()
        message = await discord.until(lambda: mika.messages()[before:], "nothing in the channel")
        await message[0].painted()
    assert len(message[0].pictures) == 1
    assert f"<@{mika.id}>" in message[0].text
    assert message[0].buttons
    assert public.pictures == private.pictures == []
    assert len([m for m in mika.messages() if m.pictures]) == 1, "a private one is nobody else's"
    outcomes = [r.fields["outcome"] for r in caplog.records if r.getMessage() == "order"]
    assert sorted(outcomes) == ["done", "expired"]
    assert {violation.code for violation in discord.violations} == {50027}
    discord.violations.clear()


@pytest.mark.usefixtures("bot")
async def test_a_refusal_is_shown_before_anything_else(
    discord: DiscordServer, studio: Studio, mika: Person, ren: Person
) -> None:
    guild = str(discord.default_guild.id)
    await studio.quotas.save_limits(guild, GuildLimits(cooldown=3600))
    await mika.slash("avatar", hair="pink")
    refused = await mika.slash("avatar", hair="pink")
    assert refused.ephemeral
    assert "<t:" in refused.text
    assert len(ren.messages()) == 1
    await studio.guilds.block(guild, str(ren.id))
    assert "blocked" in (await ren.slash("avatar")).text


@pytest.mark.usefixtures("bot")
async def test_a_dropped_interaction_does_not_count_towards_the_quota(
    discord: DiscordServer, studio: Studio, mika: Person
) -> None:
    def refused() -> bool:
        return any(call.path.endswith("/callback") and call.status == 404 for call in discord.calls)

    await studio.quotas.save_limits(str(discord.default_guild.id), GuildLimits(cooldown=3600))
    discord.deadline = -1
    with pytest.raises(BotError):
        await mika.slash("avatar", hair="pink")
    await discord.until(refused, "no late answer")
    discord.deadline = 3
    assert (await mika.slash("avatar", hair="pink")).pictures
    assert {violation.code for violation in discord.violations} <= {0, 10062}
    discord.violations.clear()


@pytest.mark.usefixtures("bot")
async def test_a_repeated_event_is_painted_once(
    discord: DiscordServer, store: Store, mika: Person
) -> None:
    await mika.slash("avatar", hair="pink")
    (session,) = discord.sessions.values()
    told = next(p for p in reversed(session.log) if p["t"] == "INTERACTION_CREATE")
    await session.dispatch("INTERACTION_CREATE", told["d"])
    await mika.slash("avatar", hair="red")
    assert await store.avatars.count() == 2
    discord.violations.clear()  # the second answer to the same interaction


async def test_a_pending_reply_whose_message_was_deleted_is_not_painted(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    store: Store,
    held: Gate,
    mika: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "GRACE_SECONDS", 0.05)
    async with run(studio):
        reply = await mika.slash("avatar", hair="pink")
        await discord.delete_message(reply.message)
    held.open()
    async with run(studio):
        await (await mika.slash("avatar", hair="red")).painted()
    assert await store.avatars.count() == 1
    assert {violation.code for violation in discord.violations} <= {10008}
    discord.violations.clear()
