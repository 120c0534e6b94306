"""The REST API: rate limits, injected faults and invalid requests."""

from typing import Any

import aiohttp
import discord as discord_py
import pytest
from discord.http import Route
from discord_server import BotError, DiscordServer, UserClient

from .conftest import ScriptedBot, picture, say_hello

Interaction = discord_py.Interaction


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
def frozen_clock(discord: DiscordServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops the clock of the fake server; only `advance_clock` moves it."""
    start = discord.clock()
    monkeypatch.setattr(discord, "clock", lambda: start + discord._advanced)


@pytest.mark.usefixtures("frozen_clock")
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
    discord.advance_clock(2)
    assert (await request(discord, "GET", "/gateway"))[0] == 200
    # The callbacks of interactions are exempt.
    for _ in range(60):
        path = "/interactions/1/none/callback"
        status, _, body = await request(discord, "POST", path, {"type": 5})
        assert (status, body["code"]) == (404, 10062)


@pytest.mark.usefixtures("frozen_clock")
async def test_five_messages_per_five_seconds_are_allowed(discord: DiscordServer) -> None:
    path = f"/channels/{discord.general.id}/messages"
    for left in (4, 3, 2, 1, 0):
        status, headers, _ = await request(discord, "POST", path, {"content": "x"})
        assert (status, headers["X-RateLimit-Remaining"]) == (200, str(left))
    status, headers, body = await request(discord, "POST", path, {"content": "x"})
    assert (status, body["code"], body["global"]) == (429, 20028, False)
    assert float(headers["X-RateLimit-Reset-After"]) == pytest.approx(body["retry_after"], abs=0.1)
    discord.advance_clock(body["retry_after"])
    assert (await request(discord, "POST", path, {"content": "x"}))[0] == 200
    assert discord.violations == []


# Injected faults


async def test_discord_py_waits_after_a_429_from_discord(
    discord: DiscordServer, bot: ScriptedBot, mio: UserClient
) -> None:
    bot.handler = say_hello
    discord.inject_fault("/callback$", 429, retry_after=0.1, times=2)
    assert (await mio.slash("do")).content == "hello"
    assert discord.violations == []


async def test_a_429_from_cloudflare_raises(
    discord: DiscordServer, bot: ScriptedBot, mio: UserClient
) -> None:
    bot.handler = say_hello
    discord.deadline = 0.5
    discord.inject_fault("/callback$", 429, via=False)
    with pytest.raises(BotError, match="did not respond"):
        await mio.slash("do")
    assert isinstance(bot.error, discord_py.HTTPException)
    assert bot.error.status == 429


async def test_a_dropped_connection_raises(
    discord: DiscordServer, bot: ScriptedBot, mio: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        await say_hello(interaction)
        discord.inject_fault("/webhooks/", None)
        await interaction.followup.send("more", file=discord_py.File(picture(), "a.png"))

    bot.handler = handler
    await mio.slash("do")
    await bot.handled.wait()
    assert isinstance(bot.error, aiohttp.ServerDisconnectedError)
    assert [reply.content for reply in mio.messages()] == ["hello"]


async def test_an_answer_whose_response_is_lost_is_sent_twice(
    discord: DiscordServer, bot: ScriptedBot, mio: UserClient
) -> None:
    bot.handler = say_hello
    discord.inject_fault("/callback$", 502, processed=True)
    assert (await mio.slash("do")).content == "hello"
    await bot.handled.wait()
    assert isinstance(bot.error, discord_py.HTTPException)
    assert bot.error.code == 40060
    assert discord.violations == [], "injected faults are not errors of the bot"


async def test_an_unknown_route_is_a_violation(discord: DiscordServer, bot: ScriptedBot) -> None:
    with pytest.raises(discord_py.NotFound):
        await bot.http.request(Route("GET", "/guilds/1/audit-logs"))
    assert "no such route" in discord.violations.pop().message


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
