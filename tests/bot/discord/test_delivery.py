"""Replies that take long, are interrupted, or are refused."""

import asyncio
import io
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bot_process import TIMEOUT
from discord_server import DiscordServer, UserClient
from paused_engine import PausedEngine, wait_for_queue
from PIL import Image

from bot.discord import client, delivery
from bot.discord.bot import Interaction
from bot.discord.replies import defer_answer
from bot.inference.engine import Engine
from bot.studio import Studio
from db.database import Database
from db.records import GuildLimits
from db.store import Store

from .conftest import Run

QUARTER_OF_AN_HOUR = 15 * 60
ORIGINAL = "/messages/@original$"
CALLBACK = "/callback$"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.usefixtures("bot")
async def test_the_position_in_the_queue_is_shown_and_updated(
    discord: DiscordServer, paused: PausedEngine, mika: UserClient
) -> None:
    members = [discord.member(f"Member {n}", locale="zh-CN") for n in range(20)]
    first = await mika.slash("avatar", hair="pink", count=9)
    assert "Painting" in first.text
    assert first.pictures == []
    sent = await asyncio.gather(*(member.slash("avatar", hair="blue") for member in members))
    await discord.wait_until(
        lambda: any("前面还有" in r.text for r in sent), "no queue position is shown"
    )
    finished: list[str] = []

    async def finish(name: str, reply: Any, pictures: int) -> None:
        await discord.wait_until(lambda: len(reply.pictures) == pictures, f"no pictures for {name}")
        finished.append(name)

    waiting = asyncio.gather(
        finish("Mika", first, 9), *(finish(f"{n}", reply, 1) for n, reply in enumerate(sent))
    )
    paused.resume()
    await waiting
    assert "前面还有" not in "".join(reply.text for reply in sent)


@pytest.mark.usefixtures("bot")
async def test_a_request_that_cannot_be_written_in_time_is_refused(
    discord: DiscordServer,
    studio: Studio,
    store: Store,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If it were acknowledged, a killed process would leave it "thinking…" forever."""
    save, resolve = studio.pending_replies.save, studio.pending_replies.resolve
    written, resolved = asyncio.Event(), asyncio.Event()

    async def write_slowly(pending: Any) -> None:
        await written.wait()
        await save(pending)

    async def note_resolved(ids: Any) -> None:
        await resolve(ids)
        resolved.set()

    monkeypatch.setattr(delivery, "PREPARE_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "WRITE_SECONDS", 0.02)
    monkeypatch.setattr(studio.pending_replies, "save", write_slowly)
    monkeypatch.setattr(studio.pending_replies, "resolve", note_resolved)
    refused = await mika.slash("avatar", hair="pink")
    assert "try again in about 10 s" in refused.text
    assert refused.ephemeral
    written.set()
    await asyncio.wait_for(resolved.wait(), TIMEOUT)
    assert await studio.pending_replies.claim(str(discord.application_id), LONG_AGO) == []
    assert await store.avatars.count() == 0


@pytest.mark.usefixtures("bot")
async def test_concurrent_requests_are_written_together_before_they_are_acknowledged(
    discord: DiscordServer,
    studio: Studio,
    paused: PausedEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise those that a killed process has acknowledged, and not written, stay forever."""
    members = [discord.member(f"Member {n}") for n in range(20)]
    discord.deadline = TIMEOUT
    writable, transactions, saves, early = asyncio.Event(), 0, 0, []
    writing, save, defer = Database.writing, studio.pending_replies.save, defer_answer

    @asynccontextmanager
    async def write_slowly(database: Database, **keywords: Any) -> AsyncIterator[Any]:
        nonlocal transactions
        transactions += keywords.get("urgent", False)  # only those of pending replies
        await writable.wait()
        async with writing(database, **keywords) as session:
            yield session

    async def count_save(pending: Any) -> None:
        nonlocal saves
        saves += 1
        await save(pending)

    async def check_before_defer(interaction: Interaction, *, private: bool) -> None:
        with closing(sqlite3.connect(tmp_path / "irodori.db")) as database:
            written = {id for (id,) in database.execute("SELECT id FROM owed")}
        if str(interaction.id) not in written:
            early.append(interaction.id)
        await defer(interaction, private=private)

    monkeypatch.setattr(delivery, "PREPARE_SECONDS", TIMEOUT)
    monkeypatch.setattr(Database, "writing", write_slowly)
    monkeypatch.setattr(studio.pending_replies, "save", count_save)
    monkeypatch.setattr(delivery, "defer_answer", check_before_defer)
    tasks = [asyncio.create_task(member.slash("avatar", hair="pink")) for member in members]
    await discord.wait_until(lambda: saves == len(members), "not all requests are saved")
    writable.set()
    replies = await asyncio.gather(*tasks)
    assert early == []
    assert transactions <= 2
    paused.resume()
    await asyncio.gather(*(reply.wait_for_pictures() for reply in replies))


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en-US", "2 of your requests"), ("ja", "まだ 2 件"), ("zh-CN", "还有 2 个请求")],
)
async def test_a_member_has_a_limited_number_of_open_requests(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    paused: PausedEngine,
    ren: UserClient,
    caplog: pytest.LogCaptureFixture,
    locale: str,
    text: str,
) -> None:
    caplog.set_level(logging.INFO)
    mika = discord.member("Mika", locale=locale)
    async with run(studio, open_requests=2):
        accepted = [await mika.slash("avatar", hair="pink", count=9) for _ in range(2)]
        refused = await mika.slash("avatar", hair="pink")
        assert refused.ephemeral
        assert text in refused.text
        accepted.append(await ren.slash("avatar", hair="blue"))
        paused.resume()
        await asyncio.gather(*(reply.wait_for_pictures() for reply in accepted))
        await discord.wait_until(
            lambda: sum(r.getMessage() == "order" for r in caplog.records) == 3,
            "a request stays open",
        )
        await (await mika.slash("avatar", hair="pink")).wait_for_pictures()


@pytest.mark.usefixtures("bot")
async def test_a_large_request_does_not_delay_other_members(
    discord: DiscordServer, engine: Engine, paused: PausedEngine, mika: UserClient
) -> None:
    members = [discord.member(f"Member {n}") for n in range(20)]
    large = [asyncio.create_task(mika.slash("avatar", hair="pink", count=9)) for _ in range(5)]
    await wait_for_queue(engine, 45 - 16, at_least=True)
    others = [asyncio.create_task(member.slash("avatar", hair="blue")) for member in members]
    await wait_for_queue(engine, 45 - 16 + 20, at_least=True)
    sent = await asyncio.gather(*large, *others)
    unfinished: list[int] = []

    async def finish(reply: Any) -> None:
        await discord.wait_until(lambda: reply.pictures, "no picture")
        unfinished.append(sum(not r.pictures for r in sent[:5]))

    waiting = asyncio.gather(*(finish(reply) for reply in sent[5:]))
    paused.resume()
    await waiting
    assert max(unfinished) > 0, "others are served before all pictures of Mika"
    await discord.wait_until(lambda: all(r.pictures for r in sent), "pictures of Mika are missing")


async def test_replies_not_finished_in_the_grace_period_stay_pending(
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
        reply = await mika.slash("avatar", hair="pink", seed=7)
        assert reply.pictures == []
    paused.resume()
    async with run(studio):
        await discord.wait_until(lambda: reply.pictures, "no picture after the restart")
        assert "`7`" in (await mika.click(reply, label="ℹ️")).text
    assert await store.avatars.count() == 1


async def test_requests_during_shutdown_get_an_error_message(
    discord: DiscordServer, run: Run, studio: Studio, paused: PausedEngine, mika: UserClient
) -> None:
    async with run(studio) as bot:
        first = await mika.slash("avatar", hair="pink")
        bot.cancel()
        rejected = await mika.slash("avatar", hair="red")
        assert "restarted" in rejected.text
        assert rejected.ephemeral
        paused.resume()
        await discord.wait_until(lambda: first.pictures, "running request not finished")


async def test_a_reply_after_its_token_expired_goes_to_the_channel(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    paused: PausedEngine,
    mika: UserClient,
    ren: UserClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with run(studio):
        public = await mika.slash("avatar", hair="pink")
        private = await ren.slash("avatar", hair="red", private=True)
        before = len(mika.messages())
        discord.advance_clock(QUARTER_OF_AN_HOUR + 1)
        paused.resume()
        message = await discord.wait_until(
            lambda: mika.messages()[before:], "nothing in the channel"
        )
        await message[0].wait_for_pictures()
    assert len(message[0].pictures) == 1
    assert Image.open(io.BytesIO(message[0].pictures[0].data)).width > 0
    assert f"<@{mika.id}>" in message[0].text
    assert message[0].buttons
    assert public.pictures == private.pictures == []
    assert len([m for m in mika.messages() if m.pictures]) == 1, (
        "private pictures are not sent to the channel"
    )
    outcomes = [vars(r)["fields"]["outcome"] for r in caplog.records if r.getMessage() == "order"]
    assert sorted(outcomes) == ["done", "expired"]
    assert await studio.pending_replies.claim(str(discord.application_id), LONG_AGO) == [], (
        "an expired reply is resolved"
    )
    assert {violation.code for violation in discord.violations} == {50027}
    discord.violations.clear()


@pytest.mark.usefixtures("bot")
async def test_a_rejected_request_is_answered_before_it_is_queued(
    discord: DiscordServer, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    guild = str(discord.default_guild.id)
    await studio.quotas.save_limits(guild, GuildLimits(cooldown=3600))
    await mika.slash("avatar", hair="pink")
    rejected = await mika.slash("avatar", hair="pink")
    assert rejected.ephemeral
    assert "<t:" in rejected.text
    assert len(ren.messages()) == 1
    await studio.guilds.block(guild, str(ren.id))
    assert "blocked" in (await ren.slash("avatar")).text


@pytest.mark.usefixtures("bot")
async def test_a_repeated_event_is_painted_once(
    discord: DiscordServer, store: Store, mika: UserClient
) -> None:
    await mika.slash("avatar", hair="pink")
    (session,) = discord.sessions.values()
    payload = next(p for p in reversed(session.log) if p["t"] == "INTERACTION_CREATE")
    await session.dispatch("INTERACTION_CREATE", payload["d"])
    await mika.slash("avatar", hair="red")
    assert await store.avatars.count() == 2
    discord.violations.clear()  # the second answer to the same interaction
