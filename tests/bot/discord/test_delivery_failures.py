"""Replies when Discord or the database fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from bot_process import TIMEOUT
from discord_server import BotError, DiscordServer, UserClient
from paused_engine import PausedEngine

from bot.discord import client, delivery
from bot.inference.engine import Engine
from bot.studio import StoreUnavailable, Studio
from db.database import Database
from db.records import GuildLimits
from db.store import Store

from .conftest import Run

QUARTER_OF_AN_HOUR = 15 * 60
ORIGINAL = "/messages/@original$"
CALLBACK = "/callback$"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.usefixtures("bot")
async def test_a_dropped_interaction_does_not_count_towards_the_quota(
    discord: DiscordServer, studio: Studio, mika: UserClient, caplog: pytest.LogCaptureFixture
) -> None:
    await studio.quotas.save_limits(str(discord.default_guild.id), GuildLimits(cooldown=3600))
    discord.deadline = -1
    with pytest.raises(BotError):
        await mika.slash("avatar", hair="pink")
    # logged after the request was removed from the quota
    await discord.wait_until(lambda: "too late" in caplog.text, "the late answer was not logged")
    discord.deadline = 3
    assert (await mika.slash("avatar", hair="pink")).pictures
    assert {violation.code for violation in discord.violations} <= {0, 10062}
    discord.violations.clear()


async def test_a_pending_reply_whose_message_was_deleted_is_not_painted(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    store: Store,
    paused: PausedEngine,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "GRACE_SECONDS", 0.05)
    async with run(studio):
        reply = await mika.slash("avatar", hair="pink")
        await discord.delete_message(reply.message)
    paused.resume()
    async with run(studio):
        await (await mika.slash("avatar", hair="red")).wait_for_pictures()
    assert await store.avatars.count() == 1
    assert {violation.code for violation in discord.violations} <= {10008}
    discord.violations.clear()


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("status", [403, 503])
async def test_a_request_whose_acknowledgment_fails_is_not_painted_later(
    discord: DiscordServer,
    studio: Studio,
    store: Store,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    await studio.quotas.save_limits(str(discord.default_guild.id), GuildLimits(cooldown=3600))
    monkeypatch.setattr("discord.webhook.async_.asyncio", AsyncioWithoutSleep())
    discord.inject_fault(CALLBACK, status, times=1 if status < 500 else 5)
    reply = await mika.slash("avatar", hair="pink")
    assert "Something went wrong" in reply.text
    assert await studio.pending_replies.claim(str(discord.application_id), LONG_AGO) == []
    assert await store.avatars.count() == 0
    assert (await mika.slash("avatar", hair="pink")).pictures, "it does not count"


@pytest.mark.usefixtures("bot")
async def test_an_acknowledgment_that_seems_lost_does_not_remain(
    discord: DiscordServer, studio: Studio, store: Store, mika: UserClient
) -> None:
    discord.inject_fault(CALLBACK, None, times=2, processed=True)
    reply = await mika.slash("avatar", hair="pink")
    assert "Something went wrong" in reply.text
    assert len(mika.messages()) == 1
    assert await studio.pending_replies.claim(str(discord.application_id), LONG_AGO) == []
    assert await store.avatars.count() == 0


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(("status", "times"), [(None, 2), (None, 4), (502, 5)])
async def test_a_reply_that_discord_does_not_take_is_sent_again(
    discord: DiscordServer,
    studio: Studio,
    store: Store,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
    status: int | None,
    times: int,
) -> None:
    monkeypatch.setattr("discord.webhook.async_.asyncio", AsyncioWithoutSleep())
    monkeypatch.setattr(delivery, "RETRY_SECONDS", (0, 0))
    discord.inject_fault(ORIGINAL, status, method="PATCH", times=times)
    reply = await mika.slash("avatar", hair="pink")
    assert len(reply.pictures) == 1
    assert len(mika.messages()) == 1
    assert await store.avatars.count() == 1


@pytest.mark.usefixtures("bot")
async def test_a_reply_that_discord_never_takes_is_resolved(
    discord: DiscordServer, studio: Studio, mika: UserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "RETRY_SECONDS", (0,))
    discord.inject_fault(ORIGINAL, None, method="PATCH", times=4)
    await mika.slash("avatar", hair="pink")
    assert "Something went wrong" in mika.messages()[0].text
    assert await studio.pending_replies.claim(str(discord.application_id), LONG_AGO) == []


@pytest.mark.usefixtures("bot")
async def test_a_failure_replaces_the_position_if_the_acknowledgment_seemed_lost(
    discord: DiscordServer,
    engine: Engine,
    studio: Studio,
    paused: PausedEngine,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    discord.inject_fault(CALLBACK, None, processed=True)
    reply = await mika.slash("avatar", hair="pink")
    assert "Painting" in reply.text

    async def fail(*_: Any) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(studio.avatars._store.avatars, "add", fail)
    paused.resume()
    await discord.wait_until(lambda: reply.deleted, "the position is still shown")
    await discord.wait_until(lambda: mika.messages(), "no failure is shown")
    (shown,) = mika.messages()
    assert "database cannot be used" in shown.text
    assert shown.ephemeral


@pytest.mark.usefixtures("bot")
async def test_a_reply_is_complete_even_if_the_database_fails_afterwards(
    discord: DiscordServer, studio: Studio, mika: UserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, calls, resolved = Database.writing, 0, asyncio.Event()

    @asynccontextmanager
    async def fail_twice(database: Database, *, urgent: bool = False) -> AsyncIterator[Any]:
        nonlocal calls
        calls += urgent
        if urgent and calls in (2, 3):  # the first one saves the reply
            raise StoreUnavailable("the database is locked", busy=True)
        async with writing(database, urgent=urgent) as session:
            yield session
        if urgent and calls > 3:
            resolved.set()

    monkeypatch.setattr("db.pending_replies.RETRY_SECONDS", 0)
    monkeypatch.setattr(Database, "writing", fail_twice)
    reply = await mika.slash("avatar", hair="pink")
    await asyncio.wait_for(resolved.wait(), TIMEOUT)
    assert len(reply.pictures) == 1
    assert [message.id for message in mika.messages()] == [reply.id], "no error follows"
    assert await studio.pending_replies.claim(str(discord.application_id), LONG_AGO) == []


async def test_a_resumed_reply_is_painted_even_if_that_cannot_be_announced(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    paused: PausedEngine,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "GRACE_SECONDS", 0.05)
    async with run(studio):
        reply = await mika.slash("avatar", hair="pink")
    paused.resume()
    discord.inject_fault(ORIGINAL, None, method="PATCH", times=2)
    async with run(studio):
        await reply.wait_for_pictures()
        assert len(mika.messages()) == 1


class AsyncioWithoutSleep:
    """The module asyncio for discord.py, which otherwise waits between attempts."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        pass
