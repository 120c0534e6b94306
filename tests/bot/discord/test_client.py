import asyncio
import logging
from typing import Any

import discord as discord_py
import pytest
from discord_server import BotError, DiscordServer, Reply, UserClient
from tiny_model import HAIR, add_model, attribute

from bot.discord import client
from bot.discord.client import run_discord
from bot.errors import Busy
from bot.inference.engine import Engine
from bot.settings import DiscordSettings
from bot.studio import Studio
from db.errors import StoreUnavailable
from db.store import Store
from export.registry import Registry

from .conftest import Run

CALLBACK = "/callback$"
ORIGINAL = "/messages/@original$"


async def test_commands_are_sent_only_when_they_changed(
    discord: DiscordServer, run: Run, registry: Registry, engine: Engine, studio: Studio
) -> None:
    async with run(studio):
        assert discord.syncs == 1
    async with run(studio):
        assert discord.syncs == 1
    add_model(registry, "bald", (HAIR,))
    registry.use("bald")
    await engine.refresh()
    async with run(studio):
        assert discord.syncs == 2
        named = {command["name"]: command for command in discord.commands[None].values()}
        for name in ("avatar", "gallery"):
            options = [option["name"] for option in named[name]["options"]]
            assert "hair" in options
            assert "eyes" not in options


@pytest.mark.parametrize("one_guild", [False, True])
async def test_commands_are_updated_with_the_attributes_of_a_new_model(
    discord: DiscordServer,
    run: Run,
    registry: Registry,
    engine: Engine,
    studio: Studio,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
    one_guild: bool,
) -> None:
    monkeypatch.setattr(client, "POLL_SECONDS", 0.01)
    async with run(studio, guild=discord.default_guild.id if one_guild else None):
        add_model(registry, "hatted", (HAIR, attribute("hat", "straw top")))
        registry.use("hatted")
        discord.inject_fault("/commands$", None, method="PUT")  # sent again after the next poll
        await engine.refresh()
        await discord.wait_until(lambda: discord.syncs == 2, "the new commands were not sent")
        reply = await mika.slash("avatar", hair="pink", hat="straw")
        assert "pink hair, straw hat" in reply.text
        assert "straw hat" in (await mika.slash("gallery", hat="straw")).text


@pytest.mark.parametrize("error", [StoreUnavailable("the database is locked"), ValueError("odd")])
async def test_commands_follow_models_after_an_error(
    discord: DiscordServer,
    run: Run,
    registry: Registry,
    engine: Engine,
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    def shows(text: str) -> bool:
        return text in caplog.text

    async def fail(key: str) -> str:
        raise error

    monkeypatch.setattr(client, "POLL_SECONDS", 0.01)
    async with run(studio):
        with monkeypatch.context() as failing:
            failing.setattr(studio.notes, "get", fail)
            add_model(registry, "hatted", (HAIR, attribute("hat", "straw top")))
            registry.use("hatted")
            await engine.refresh()
            await discord.wait_until(lambda: shows("could not be registered"), "no log line")
        add_model(registry, "bald", (HAIR,))
        registry.use("bald")
        await engine.refresh()
        await discord.wait_until(lambda: discord.syncs >= 2, "the new commands were not sent")


async def test_commands_can_be_registered_in_one_server_only(
    discord: DiscordServer, run: Run, studio: Studio, mika: UserClient
) -> None:
    guild = discord.default_guild.id
    async with run(studio, guild=guild):
        assert discord.commands.get(None, {}) == {}
        names = {command["name"] for command in discord.commands[guild].values()}
        assert names >= {"avatar", "gallery"}
        assert len((await mika.slash("avatar", hair="pink")).pictures) == 1
    async with run(studio, guild=guild):
        assert discord.syncs == 1


async def test_commands_rejected_by_discord_keep_the_old_ones_working(
    discord: DiscordServer,
    run: Run,
    registry: Registry,
    engine: Engine,
    studio: Studio,
    mika: UserClient,
) -> None:
    async with run(studio):
        pass
    add_model(registry, "bald", (HAIR,))
    registry.use("bald")
    await engine.refresh()
    discord.inject_fault("/commands$", 403, method="PUT")
    async with run(studio):
        assert discord.syncs == 1
        assert "pink hair" in (await mika.slash("avatar", hair="pink", eyes="blue")).text


@pytest.mark.usefixtures("bot")
async def test_no_privileged_intents_are_needed(discord: DiscordServer) -> None:
    guilds, guild_messages, direct_messages = 1 << 0, 1 << 9, 1 << 12
    needed = guilds | guild_messages | direct_messages
    assert [session.intents for session in discord.sessions.values()] == [needed]


async def test_an_invalid_token_is_reported(discord: DiscordServer, studio: Studio) -> None:
    settings = DiscordSettings(api_url=discord.api_url)
    with pytest.raises(discord_py.LoginFailure):
        await run_discord(studio, settings, "wrong")
    assert [violation.message for violation in discord.violations] == ["401: Unauthorized"]
    discord.violations.clear()


async def test_the_token_is_in_no_log(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    mika: UserClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with run(studio):
            await mika.slash("avatar", hair="pink")
    assert "commands synced" in caplog.text
    assert discord.token not in caplog.text


@pytest.mark.usefixtures("bot")
async def test_the_client_resumes_after_reconnecting(
    discord: DiscordServer, mika: UserClient, identify_at_once: None
) -> None:
    reply = await mika.slash("avatar", hair="pink")
    await discord.request_reconnect()
    await discord.wait_until(lambda: discord.resumes == 1, "no resume")
    assert "pink hair" in (await mika.click(reply, label="🎲")).text
    starts = discord.session_starts
    await discord.invalidate_session()
    await discord.wait_until(lambda: discord.session_starts > starts, "no new session")
    await discord.wait_until(lambda: discord.connected, "not connected")
    assert "pink hair" in (await mika.click(reply, label="🎲")).text


@pytest.mark.usefixtures("bot")
async def test_a_full_queue_gets_an_ephemeral_reply(
    discord: DiscordServer,
    engine: Engine,
    mika: UserClient,
    ren: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = await mika.slash("avatar", hair="pink")

    async def busy(*arguments: Any, **keywords: Any) -> None:
        raise Busy(7)

    monkeypatch.setattr(engine, "paint_best", busy)
    await mika.slash("avatar", hair="pink")
    await mika.click(first, label="🎲")
    await discord.wait_until(lambda: len(mika.messages()) == 3, "replies are missing")
    seen = mika.messages()
    assert [reply.ephemeral for reply in seen] == [False, True, True]
    assert all("7 s" in reply.text for reply in seen[1:])
    assert [reply.id for reply in ren.messages()] == [first.id], "no “thinking…” remains"


async def test_requests_made_before_shutdown_are_answered(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    engine: Engine,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paint, started, end = engine.paint_best, asyncio.Barrier(3), asyncio.Event()

    async def slow(*arguments: Any, **keywords: Any) -> Any:
        await started.wait()
        await end.wait()
        return await paint(*arguments, **keywords)

    async with run(studio):
        first = await mika.slash("avatar", hair="pink")
        monkeypatch.setattr(engine, "paint_best", slow)
        replies = asyncio.gather(mika.slash("avatar", hair="red"), mika.click(first, label="🎲"))
        await started.wait()
        asyncio.get_running_loop().call_later(0.1, end.set)
    assert [len(reply.pictures) for reply in await replies] == [1, 1]


@pytest.mark.usefixtures("bot")
async def test_an_internal_error_has_an_id_that_is_also_logged(
    discord: DiscordServer,
    studio: Studio,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reply = await mika.slash("avatar", hair="pink", private=True)

    async def broken(*arguments: Any, **keywords: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(studio.painting, "create", broken)
    monkeypatch.setattr(studio.avatars, "toggle_favorite", broken)
    monkeypatch.setattr(studio.gallery, "page", broken)
    await mika.slash("avatar", hair="pink")
    await mika.slash("gallery")
    await mika.click(reply, label="♥️")

    def failures() -> list[Reply]:
        return [answer for answer in mika.messages() if "Something went wrong" in answer.text]

    await discord.wait_until(lambda: len(failures()) == 3, "not three replies")
    for answer in failures():
        assert answer.ephemeral
        assert "disk" not in answer.text
        number = answer.text.split("`")[1]
        assert any(number in record.getMessage() for record in caplog.records)
    assert "the disk is full" in caplog.text


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("path", [CALLBACK, ORIGINAL])
async def test_a_dropped_connection_loses_no_reply(
    discord: DiscordServer, store: Store, mika: UserClient, path: str
) -> None:
    discord.inject_fault(path, None)
    reply = await mika.slash("avatar", hair="pink", count=2)
    assert len(reply.pictures) == 2
    assert await store.avatars.count() == 2


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("path", [CALLBACK, ORIGINAL])
@pytest.mark.parametrize("status", [None, 502])
async def test_a_reply_whose_response_was_lost_is_not_repeated(
    discord: DiscordServer, store: Store, mika: UserClient, path: str, status: int | None
) -> None:
    discord.inject_fault(path, status, processed=True)
    reply = await mika.slash("avatar", hair="pink")
    assert len(reply.pictures) == 1
    assert await store.avatars.count() == 1
    discord.inject_fault(CALLBACK, status, processed=True)
    panel = await mika.click(reply, label="🎨")
    assert [answer.id for answer in mika.messages()] == [reply.id, panel.id]


@pytest.mark.usefixtures("bot")
async def test_nothing_is_painted_for_a_lost_interaction(
    discord: DiscordServer, store: Store, mika: UserClient, caplog: pytest.LogCaptureFixture
) -> None:
    discord.deadline = -1
    with pytest.raises(BotError):
        await mika.slash("avatar", hair="pink")

    def rejected() -> bool:
        return any(call.path.endswith("/callback") and call.status == 404 for call in discord.calls)

    await discord.wait_until(rejected, "no late answer")
    assert {violation.code for violation in discord.violations} <= {0, 10062}
    discord.violations.clear()
    assert await store.avatars.count() == 0
    discord.deadline = 3
    await mika.slash("avatar", hair="pink")
    assert await store.avatars.count() == 1
    assert "too late" in caplog.text
