"""The gateway, rate limits, and trouble on demand."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord as discord_py
import pytest
from discord.http import Route
from discord_server import BotError, DiscordServer, Person

from .conftest import Puppet, picture, running

Interaction = discord_py.Interaction


@pytest.fixture
def mio(discord: DiscordServer) -> Person:
    return discord.member("Mio")


async def say_hello(interaction: Interaction) -> None:
    await interaction.response.send_message("hello")


# The gateway, with discord.py


async def test_missed_events_are_replayed(
    discord: DiscordServer, puppet: Puppet, mio: Person
) -> None:
    puppet.act = say_hello
    for interrupt in (
        discord.reconnect,
        lambda: discord.invalidate(resumable=True),
        lambda: discord.close_gateway(4000),
    ):
        resumes = discord.resumes
        await interrupt()
        await discord.wait_disconnected()
        await mio.say("while you were away")
        await discord.until(lambda n=resumes: discord.resumes > n, "no resume")
        async with asyncio.timeout(discord.patience):
            await puppet.heard.get()
        assert (await mio.slash("do")).content == "hello"
    discord.drop_gateway()
    await discord.until(lambda: discord.resumes == 4, "no resume")
    assert discord.replayed >= 3
    assert discord.session_starts == 1
    assert discord.violations == []


async def test_an_invalid_session_is_replaced_by_a_new_one(
    discord: DiscordServer, puppet: Puppet, mio: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(*arguments: Any, **named: Any) -> None:
        pass  # discord.py waits for 5 s before it identifies again

    monkeypatch.setattr(puppet, "before_identify_hook", at_once)
    puppet.act = say_hello
    await discord.invalidate()
    await discord.until(lambda: discord.session_starts == 2 and discord.connected, "no session")
    discord.resumable = False
    discord.drop_gateway()
    await discord.until(lambda: discord.session_starts == 3 and discord.connected, "no session")
    assert discord.resumes == 0
    assert (await mio.slash("do")).content == "hello"


async def test_heartbeats_are_acknowledged(discord: DiscordServer, puppet: Puppet) -> None:
    before = discord.heartbeats
    await discord.ask_heartbeat()
    await discord.until(lambda: discord.heartbeats > before, "no heartbeat")
    assert puppet.latency < 5


async def test_each_shard_gets_the_events_of_its_guilds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(*arguments: Any, **named: Any) -> None:
        pass

    monkeypatch.setattr(Puppet, "before_identify_hook", at_once)
    async with DiscordServer(shards=2) as discord, running(discord, Puppet()) as puppet:
        puppet.act = say_hello
        mio = discord.member("Mio")
        assert (await mio.slash("do")).content == "hello"
        assert (await mio.slash("do", channel=mio.dm)).content == "hello"
        assert discord.session_starts == 2
        for session in discord.sessions.values():
            mine = (discord.default_guild.id >> 22) % 2 == session.shard
            heard = [
                payload["d"] for payload in session.log if payload["t"] == "INTERACTION_CREATE"
            ]
            assert len(heard) == mine + (session.shard == 0)
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
        puppet = Puppet(intents=intents)
        with pytest.raises(discord_py.PrivilegedIntentsRequired):
            await puppet.start(discord.token)
        assert [violation.code for violation in discord.violations] == [4014]
    async with (
        DiscordServer(granted_intents=1 << 15) as discord,
        running(discord, Puppet(intents=intents)) as puppet,
    ):
        await discord.member("Mio").say("pink")
        async with asyncio.timeout(discord.patience):
            assert (await puppet.heard.get()).content == "pink"


# The gateway, with a client that makes mistakes


@contextlib.asynccontextmanager
async def connection(
    discord: DiscordServer, query: str = "v=10&encoding=json"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{discord.gateway_url}?{query}") as socket,
    ):
        yield socket


async def talk(discord: DiscordServer, *said: Any, query: str = "v=10&encoding=json") -> int:
    """What the gateway closes with after this is said."""
    async with connection(discord, query) as socket:
        for payload in said:
            text = payload if isinstance(payload, str) else json.dumps(payload)
            await socket.send_str(text)
        async with asyncio.timeout(discord.patience):
            while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        return socket.close_code or 0


def identify(discord: DiscordServer, **more: Any) -> dict[str, Any]:
    properties = {"os": "linux", "browser": "test", "device": "test"}
    data = {"token": discord.token, "intents": 0, "properties": properties}
    return {"op": 2, "d": data | more}


async def test_protocol_errors_close_the_connection(discord: DiscordServer) -> None:
    beat = {"op": 1, "d": None}
    for said, code in (
        (["not json"], 4002),
        ([{"op": 99, "d": None}], 4001),
        ([{"op": 3, "d": {}}], 4003),
        ([identify(discord, token="x")], 4004),
        ([identify(discord), identify(discord)], 4005),
        ([identify(discord, shard=[2, 2])], 4010),
        ([identify(discord, intents=1 << 40)], 4013),
        ([identify(discord, intents=1 << 1)], 4014),
        ([beat] * 121, 4008),
    ):
        assert await talk(discord, *said) == code
        assert discord.violations.pop().code == code
    assert await talk(discord, query="v=9&encoding=json") == 4012


async def test_resuming_needs_the_right_sequence(discord: DiscordServer) -> None:
    async with connection(discord) as socket:
        await socket.send_json(identify(discord))
        assert (await socket.receive_json())["op"] == 10
        ready = (await socket.receive_json())["d"]
    resume = {"token": discord.token, "session_id": ready["session_id"], "seq": 99}
    # A good-bye with 1000 ended that session: op 9, and the client has to identify.
    async with connection(discord) as socket:
        await socket.receive_json()
        await socket.send_json({"op": 6, "d": resume})
        assert await socket.receive_json() == {"op": 9, "d": False}
        await socket.send_json(identify(discord))
        ready = (await socket.receive_json())["d"]
        discord.drop_gateway()
    resume |= {"session_id": ready["session_id"]}
    assert await talk(discord, {"op": 6, "d": resume}) == 4007
    assert await talk(discord, {"op": 6, "d": resume | {"token": "x"}}) == 4004


async def test_a_connection_without_heartbeats_is_closed() -> None:
    async with DiscordServer(heartbeat=0.05) as discord:
        assert await talk(discord, identify(discord)) == 4009


async def test_session_starts_are_limited() -> None:
    async with DiscordServer(session_start_limit=1) as discord:
        async with connection(discord) as socket:
            await socket.send_json(identify(discord))
            await socket.receive_json()
            assert (await socket.receive_json())["t"] == "READY"
            assert await talk(discord, identify(discord)) == 4004
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
        discord.advance(5.1)
        await second.send_json(identify(discord))
        assert (await second.receive_json())["t"] == "READY"


# Rate limits


async def request(discord: DiscordServer, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bot {discord.token}", "User-Agent": "DiscordBot (test, 1)"}
    url = discord.api_url + path
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, url, json=body) as response,
    ):
        return response.status, response.headers, await response.json()


@pytest.fixture
def still(discord: DiscordServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's clock moves only when the test says so, however slow the machine is."""
    begun = discord.clock()
    monkeypatch.setattr(discord, "clock", lambda: begun + discord._advanced)


@pytest.mark.usefixtures("still")
async def test_50_requests_per_second_are_allowed(discord: DiscordServer) -> None:
    for _ in range(50):
        status, _, _ = await request(discord, "GET", "/gateway")
        assert status == 200
    status, headers, body = await request(discord, "GET", "/gateway")
    assert (status, body["global"], headers["X-RateLimit-Scope"]) == (429, True, "global")
    assert 0 < body["retry_after"] <= float(headers["Retry-After"])
    assert "Via" in headers
    assert discord.violations == []
    await request(discord, "GET", "/gateway")
    assert "before Retry-After" in discord.violations.pop().message
    discord.advance(2)
    assert (await request(discord, "GET", "/gateway"))[0] == 200
    # The callbacks of interactions are exempt.
    for _ in range(60):
        path = "/interactions/1/none/callback"
        status, _, body = await request(discord, "POST", path, {"type": 5})
        assert (status, body["code"]) == (404, 10062)


@pytest.mark.usefixtures("still")
async def test_five_messages_per_five_seconds_are_allowed(discord: DiscordServer) -> None:
    path = f"/channels/{discord.general.id}/messages"
    for left in (4, 3, 2, 1, 0):
        status, headers, _ = await request(discord, "POST", path, {"content": "x"})
        assert (status, headers["X-RateLimit-Remaining"]) == (200, str(left))
    status, headers, body = await request(discord, "POST", path, {"content": "x"})
    assert (status, body["code"], body["global"]) == (429, 20028, False)
    assert float(headers["X-RateLimit-Reset-After"]) == pytest.approx(body["retry_after"], abs=0.1)
    discord.advance(body["retry_after"])
    assert (await request(discord, "POST", path, {"content": "x"}))[0] == 200
    assert discord.violations == []


# Trouble on demand


async def test_discord_py_waits_after_a_429_from_discord(
    discord: DiscordServer, puppet: Puppet, mio: Person
) -> None:
    puppet.act = say_hello
    discord.provoke("/callback$", 429, retry_after=0.1, times=2)
    assert (await mio.slash("do")).content == "hello"
    assert discord.violations == []


async def test_a_429_from_cloudflare_raises(
    discord: DiscordServer, puppet: Puppet, mio: Person
) -> None:
    puppet.act = say_hello
    discord.deadline = 0.5
    discord.provoke("/callback$", 429, via=False)
    with pytest.raises(BotError, match="did not respond"):
        await mio.slash("do")
    assert isinstance(puppet.error, discord_py.HTTPException)
    assert puppet.error.status == 429


async def test_a_dropped_connection_raises(
    discord: DiscordServer, puppet: Puppet, mio: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        await say_hello(interaction)
        discord.provoke("/webhooks/", None)
        await interaction.followup.send("more", file=discord_py.File(picture(), "a.png"))

    puppet.act = act
    await mio.slash("do")
    await puppet.over.wait()
    assert isinstance(puppet.error, aiohttp.ServerDisconnectedError)
    assert [reply.content for reply in mio.messages()] == ["hello"]


async def test_an_answer_whose_response_is_lost_is_sent_twice(
    discord: DiscordServer, puppet: Puppet, mio: Person
) -> None:
    puppet.act = say_hello
    discord.provoke("/callback$", 502, processed=True)
    assert (await mio.slash("do")).content == "hello"
    await puppet.over.wait()
    assert isinstance(puppet.error, discord_py.HTTPException)
    assert puppet.error.code == 40060
    assert discord.violations == [], "what was provoked is no fault of the bot"


async def test_an_unknown_route_is_a_violation(discord: DiscordServer, puppet: Puppet) -> None:
    with pytest.raises(discord_py.NotFound):
        await puppet.http.request(Route("GET", "/guilds/1/audit-logs"))
    assert "nothing here" in discord.violations.pop().message


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {"Content-Type": "application/json"}, 50109),
        (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, 50035),
        (b"", {}, 50109),
    ],
)
async def test_bodies_that_are_not_json_are_rejected(
    discord: DiscordServer, body: bytes, headers: dict[str, str], code: int
) -> None:
    url = f"{discord.api_url}/interactions/1/none/callback"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as response,
    ):
        assert (await response.json())["code"] == code
