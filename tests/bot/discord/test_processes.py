"""Two bots on one database, both connected: each serves one of two shards."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from bot_process import TIMEOUT
from discord_server import DiscordServer, UserClient
from discord_server.model import Guild
from paused_engine import PausedEngine
from postgres import SERVER, create_database, url_of

from bot.discord import delivery
from bot.discord.client import ServingBot, run_discord
from bot.errors import TooSoon
from bot.inference.engine import Engine
from bot.settings import DiscordSettings, EngineSettings, WebSettings
from bot.studio import Request, Studio
from bot.web.app import create_app
from db import events, processes
from db.records import GalleryQuery, GuildLimits, Owner
from db.store import Store
from export.registry import Registry

SHARDS = 2


@dataclass
class Bot:
    """One of the two, as `bot.serve` runs it, and a guild whose events it gets."""

    engine: Engine
    store: Store
    studio: Studio
    guild: Guild
    lease: asyncio.Task[None]


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/irodori.db"
        return
    async with create_database() as name:
        yield url_of(name)


@pytest.fixture(autouse=True)
def frequent_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.studio.processes.HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(events, "POLL_SECONDS", 0.1)


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(shards=SHARDS) as server:
        yield server
        assert server.violations == []


def guild_of_shard(discord: DiscordServer, shard: int) -> Guild:
    guild = Guild(f"Guild of shard {shard}", owner_id=discord.owner.id)
    while (guild.id >> 22) % SHARDS != shard:
        guild.id += 1 << 22
    guild.members = dict(discord.default_guild.members)
    discord.guilds.append(guild)
    discord.channel("general", guild)
    return guild


@pytest.fixture
async def bots(
    discord: DiscordServer, url: str, registry: Registry, engine_settings: EngineSettings
) -> AsyncIterator[list[Bot]]:
    """The bots of the two shards, which know of each other."""
    async with AsyncExitStack() as stack:
        found = []
        for shard in range(SHARDS):
            engine = await Engine.open(registry, engine_settings)
            stack.push_async_callback(engine.close)
            store = await Store.open(url, connections=4)
            stack.push_async_callback(store.close)
            studio = Studio(engine, store)
            await studio.processes.join()
            lease = await stack.enter_async_context(background(studio.processes.keep_lease()))
            await stack.enter_async_context(background(studio.processes.follow()))
            found.append(Bot(engine, store, studio, guild_of_shard(discord, shard), lease))
        for shard, bot in enumerate(found):
            settings = DiscordSettings(
                api_url=discord.api_url,
                gateway_url=discord.gateway_url,
                shards=SHARDS,
                shard_ids=(shard,),
                open_requests=2,
            )
            running = background(run_discord(bot.studio, settings, discord.token))
            await stack.enter_async_context(running)
        await discord.wait_connected()
        async with asyncio.timeout(TIMEOUT):
            while any(bot.studio.processes.alone for bot in found):  # noqa: ASYNC110 (no event)
                await asyncio.sleep(0.05)
        yield found


@asynccontextmanager
async def background(work: Any) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def paused(bots: list[Bot], monkeypatch: pytest.MonkeyPatch) -> Iterator[PausedEngine]:
    """The first bot paints nothing until it is resumed; the second one does."""
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 0.05)
    paused = PausedEngine(bots[0].engine, monkeypatch)
    yield paused
    paused.resume()


@pytest.fixture
def mikas(discord: DiscordServer, bots: list[Bot]) -> list[UserClient]:
    """The clients of one member, in the guilds of both bots."""
    return [discord.member("Mika", bot.guild) for bot in bots]


def member_of(client: UserClient) -> Owner:
    return Owner("discord", str(client.id))


async def count_avatars(bot: Bot) -> int:
    return await bot.store.avatars.count()


async def test_pictures_of_the_other_bot_are_streamed(
    bots: list[Bot], mikas: list[UserClient]
) -> None:
    server = TestServer(create_app(bots[1].studio, WebSettings()))
    async with TestClient(server) as client, client.get("/api/events") as stream:
        assert (await stream.content.readline()).startswith(b"retry")
        await asyncio.sleep(3 * events.POLL_SECONDS)  # SQLite's newest picture is read
        await (await mikas[1].slash("avatar", hair="blue")).wait_for_pictures()
        await (await mikas[0].slash("avatar", private=True)).wait_for_pictures()
        await (await mikas[0].slash("avatar", hair="pink")).wait_for_pictures()
        received: list[str] = []
        async with asyncio.timeout(TIMEOUT):
            while len(received) < 2:
                line = await stream.content.readline()
                if line.startswith(b"data: "):
                    received.append(json.loads(line.removeprefix(b"data: "))["id"])
    newest = await bots[0].studio.gallery.page(GalleryQuery("everyone", None, None, {}))
    assert received == [avatar.id for avatar in newest.avatars][::-1]


async def test_a_bot_that_reconnects_leaves_the_replies_of_the_other_one_alone(
    discord: DiscordServer,
    bots: list[Bot],
    paused: PausedEngine,
    mikas: list[UserClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def identify_at_once(bot: ServingBot, shard: int | None, *, initial: bool) -> None:
        """Instead of five seconds later."""

    monkeypatch.setattr(ServingBot, "before_identify_hook", identify_at_once)
    reply = await mikas[0].slash("avatar", count=3)
    ready = discord.session_starts
    session = next(s for s in discord.sessions.values() if s.shard == 1)
    discord.sessions.pop(session.id)
    assert session.connection is not None
    await session.connection.send({"op": 9, "d": False})
    await discord.wait_until(lambda: discord.session_starts > ready, "no new session", TIMEOUT)
    # the bot has resumed what there was to resume once it replies to a later command
    await mikas[1].slash("avatar")
    assert "restarted" not in reply.text
    assert await bots[1].store.pending_replies.count_elsewhere(member_of(mikas[0])) == 1
    assert not reply.pictures
    paused.resume()
    await discord.wait_until(lambda: len(reply.pictures) == 3, "no pictures", TIMEOUT)
    assert await count_avatars(bots[0]) == 4


async def test_replies_of_a_bot_whose_lease_expires_are_taken_over(
    discord: DiscordServer,
    bots: list[Bot],
    paused: PausedEngine,
    mikas: list[UserClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reply = await mikas[0].slash("avatar", count=3)
    bots[0].lease.cancel()  # as if it hung
    monkeypatch.setattr(processes, "LEASE_SECONDS", 1)
    await discord.wait_until(lambda: len(reply.pictures) == 3, "no pictures", TIMEOUT)
    paused.resume()  # it finds the pictures of the other one
    assert await count_avatars(bots[1]) == 3
    assert len(reply.pictures) == 3


async def test_a_member_is_forgotten_while_the_other_bot_paints(
    discord: DiscordServer, bots: list[Bot], paused: PausedEngine, mikas: list[UserClient]
) -> None:
    ren = discord.member("Ren", bots[0].guild)
    mine = await mikas[0].slash("avatar", hair="pink")
    others = await ren.slash("avatar", hair="pink")
    panel = await mikas[1].slash("privacy")
    sure = await mikas[1].click(panel, label="Forget me")
    await mikas[1].click(sure, custom_id="irodori:forget:yes")
    paused.resume()
    await others.wait_for_pictures()
    await discord.wait_until(lambda: mine.deleted, "the reply is still shown", TIMEOUT)
    assert await count_avatars(bots[1]) == 1
    await (await mikas[0].slash("avatar")).wait_for_pictures()


async def test_open_requests_of_a_member_are_counted_in_both_bots(
    discord: DiscordServer, bots: list[Bot], paused: PausedEngine, mikas: list[UserClient]
) -> None:
    waiting = [await mikas[0].slash("avatar") for _ in range(2)]
    refused = await mikas[1].slash("avatar")
    assert refused.ephemeral
    assert "2 of your requests" in refused.text
    paused.resume()
    for reply in waiting:
        await reply.wait_for_pictures()
    await (await mikas[1].slash("avatar")).wait_for_pictures()


async def test_quotas_count_what_the_other_bot_paints(
    bots: list[Bot], paused: PausedEngine, mikas: list[UserClient]
) -> None:
    """In one guild, as two applications or a guild whose shard moved to another process."""
    guild = str(bots[0].guild.id)
    await bots[0].studio.quotas.save_limits(guild, GuildLimits(daily=3))
    reply = await mikas[0].slash("avatar", count=3)
    request = Request(member_of(mikas[0]), guild)
    with pytest.raises(TooSoon):
        async with bots[1].studio.quotas.admit(request, 1):
            pass
    paused.resume()
    await reply.wait_for_pictures()
    with pytest.raises(TooSoon):
        async with bots[1].studio.quotas.admit(request, 1):
            pass
