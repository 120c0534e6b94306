"""The gateway: sessions, heartbeats, shards and protocol errors."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord as discord_py
import pytest
from discord.http import Route
from discord_server import DiscordServer, UserClient

from .conftest import ScriptedBot, running, say_hello

# With discord.py


async def wait_for_resumes(discord: DiscordServer, count: int) -> None:
    await discord.wait_until(lambda: discord.resumes >= count, "no resume")


async def test_missed_events_are_replayed(
    discord: DiscordServer, bot: ScriptedBot, mio: UserClient
) -> None:
    bot.handler = say_hello
    for interrupt in (
        discord.request_reconnect,
        lambda: discord.invalidate_session(resumable=True),
        lambda: discord.close_gateway(4000),
    ):
        resumes = discord.resumes
        await interrupt()
        await discord.wait_disconnected()
        await mio.send("missed")
        await wait_for_resumes(discord, resumes + 1)
        async with asyncio.timeout(discord.timeout):
            await bot.received.get()
        assert (await mio.slash("do")).content == "hello"
    discord.drop_gateway()
    await wait_for_resumes(discord, 4)
    assert discord.replayed >= 3
    assert discord.session_starts == 1
    assert discord.violations == []


async def test_an_invalid_session_is_replaced_by_a_new_one(
    discord: DiscordServer, bot: ScriptedBot, mio: UserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_delay(*arguments: Any, **named: Any) -> None:
        pass  # discord.py waits for 5 s before it identifies again

    monkeypatch.setattr(bot, "before_identify_hook", no_delay)
    bot.handler = say_hello
    await discord.invalidate_session()
    await discord.wait_until(
        lambda: discord.session_starts == 2 and discord.connected, "no session"
    )
    discord.resumable = False
    discord.drop_gateway()
    await discord.wait_until(
        lambda: discord.session_starts == 3 and discord.connected, "no session"
    )
    assert discord.resumes == 0
    assert (await mio.slash("do")).content == "hello"


async def test_heartbeats_are_acknowledged(discord: DiscordServer, bot: ScriptedBot) -> None:
    before = discord.heartbeats
    await discord.request_heartbeat()
    await discord.wait_until(lambda: discord.heartbeats > before, "no heartbeat")
    assert bot.latency < 5


async def test_each_shard_gets_the_events_of_its_guilds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_delay(*arguments: Any, **named: Any) -> None:
        pass

    monkeypatch.setattr(ScriptedBot, "before_identify_hook", no_delay)
    async with DiscordServer(shards=2) as discord, running(discord, ScriptedBot()) as bot:
        bot.handler = say_hello
        mio = discord.member("Mio")
        assert (await mio.slash("do")).content == "hello"
        assert (await mio.slash("do", channel=mio.dm)).content == "hello"
        assert discord.session_starts == 2
        for session in discord.sessions.values():
            in_shard = (discord.default_guild.id >> 22) % 2 == session.shard
            received = [
                payload["d"] for payload in session.log if payload["t"] == "INTERACTION_CREATE"
            ]
            assert len(received) == in_shard + (session.shard == 0)
        assert discord.violations == []


async def test_a_wrong_token_is_rejected(discord: DiscordServer) -> None:
    Route.BASE = discord.api_url
    async with discord_py.Client(intents=discord_py.Intents.none()) as client:
        with pytest.raises(discord_py.LoginFailure):
            await client.login("another")


async def test_privileged_intents_must_be_granted() -> None:
    intents = discord_py.Intents(message_content=True, guild_messages=True)
    async with DiscordServer() as discord:
        Route.BASE = discord.api_url
        bot = ScriptedBot(intents=intents)
        with pytest.raises(discord_py.PrivilegedIntentsRequired):
            await bot.start(discord.token)
        assert [violation.code for violation in discord.violations] == [4014]
    async with (
        DiscordServer(granted_intents=1 << 15) as discord,
        running(discord, ScriptedBot(intents=intents)) as bot,
    ):
        await discord.member("Mio").send("pink")
        async with asyncio.timeout(discord.timeout):
            assert (await bot.received.get()).content == "pink"


# With a client that violates the protocol


@contextlib.asynccontextmanager
async def connection(
    discord: DiscordServer, query: str = "v=10&encoding=json"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{discord.gateway_url}?{query}") as socket,
    ):
        yield socket


async def close_code(
    discord: DiscordServer, *payloads: Any, query: str = "v=10&encoding=json"
) -> int:
    """Sends payloads, and returns the close code of the gateway."""
    async with connection(discord, query) as socket:
        for payload in payloads:
            text = payload if isinstance(payload, str) else json.dumps(payload)
            await socket.send_str(text)
        async with asyncio.timeout(discord.timeout):
            while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        return socket.close_code or 0


def identify(discord: DiscordServer, **more: Any) -> dict[str, Any]:
    properties = {"os": "linux", "browser": "test", "device": "test"}
    data = {"token": discord.token, "intents": 0, "properties": properties}
    return {"op": 2, "d": data | more}


async def test_protocol_errors_close_the_connection(discord: DiscordServer) -> None:
    heartbeat = {"op": 1, "d": None}
    for payloads, code in (
        (["not json"], 4002),
        ([{"op": 99, "d": None}], 4001),
        ([{"op": 3, "d": {}}], 4003),
        ([identify(discord, token="x")], 4004),
        ([identify(discord), identify(discord)], 4005),
        ([identify(discord, shard=[2, 2])], 4010),
        ([identify(discord, intents=1 << 40)], 4013),
        ([identify(discord, intents=1 << 1)], 4014),
        ([heartbeat] * 121, 4008),
    ):
        assert await close_code(discord, *payloads) == code
        assert discord.violations.pop().code == code
    assert await close_code(discord, query="v=9&encoding=json") == 4012


async def test_resuming_needs_the_right_sequence(discord: DiscordServer) -> None:
    async with connection(discord) as socket:
        await socket.send_json(identify(discord))
        assert (await socket.receive_json())["op"] == 10
        ready = (await socket.receive_json())["d"]
    resume = {"token": discord.token, "session_id": ready["session_id"], "seq": 99}
    # The close with 1000 ended that session: op 9, and the client has to identify.
    async with connection(discord) as socket:
        await socket.receive_json()
        await socket.send_json({"op": 6, "d": resume})
        assert await socket.receive_json() == {"op": 9, "d": False}
        await socket.send_json(identify(discord))
        ready = (await socket.receive_json())["d"]
        discord.drop_gateway()
    resume |= {"session_id": ready["session_id"]}
    assert await close_code(discord, {"op": 6, "d": resume}) == 4007
    assert await close_code(discord, {"op": 6, "d": resume | {"token": "x"}}) == 4004


async def test_a_connection_without_heartbeats_is_closed() -> None:
    async with DiscordServer(heartbeat=0.05) as discord:
        assert await close_code(discord, identify(discord)) == 4009


async def test_session_starts_are_limited() -> None:
    async with DiscordServer(session_start_limit=1) as discord:
        async with connection(discord) as socket:
            await socket.send_json(identify(discord))
            await socket.receive_json()
            assert (await socket.receive_json())["t"] == "READY"
            assert await close_code(discord, identify(discord)) == 4004
        assert "session start limit" in discord.violations[-1].message


async def test_one_shard_can_identify_per_5_seconds() -> None:
    async with (
        DiscordServer(max_concurrency=1) as discord,
        connection(discord) as first,
        connection(discord) as second,
    ):
        for socket in (first, second):
            await socket.receive_json()
            await socket.send_json(identify(discord))
        assert (await first.receive_json())["t"] == "READY"
        assert await second.receive_json() == {"op": 9, "d": False}
        discord.advance_clock(5.1)
        await second.send_json(identify(discord))
        assert (await second.receive_json())["t"] == "READY"
