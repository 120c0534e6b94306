"""Two bots on one database, both connected: each serves one of two shards."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from bot_process import TIMEOUT, BotProcess, bot_process
from discord_server import MANAGE_GUILD, DiscordServer, UserClient
from discord_server.model import Guild
from paused_engine import PausedEngine
from postgres import SERVER, create_database, url_of

from bot.discord import delivery
from bot.discord.client import run_discord
from bot.errors import TooSoon
from bot.inference.engine import Engine
from bot.settings import DiscordSettings, EngineSettings, WebSettings
from bot.studio import Request, Studio
from bot.studio import processes as service
from bot.web.app import create_app
from db import events, processes
from db.records import GalleryQuery, GuildLimits, Owner, Shards
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
    connection: asyncio.Task[None] | None = None


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/irodori.db"
        return
    async with create_database() as name:
        yield url_of(name)


@pytest.fixture(autouse=True)
def frequent_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "HEARTBEAT_SECONDS", 0.2)
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
            bot.connection = await stack.enter_async_context(running)
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


OPERATING = Path(__file__).parents[3] / "docs" / "operating.md"
# Leases expire soon.
SETUP = """
from db import processes
from bot.studio import processes as service
processes.LEASE_SECONDS, service.HEARTBEAT_SECONDS, service.TAKEOVER_SECONDS = 2, 0.2, 1
"""


def documented_commands() -> list[list[str]]:
    """The options of the bots in the section on several bots."""
    section = OPERATING.read_text("utf-8").partition("## Several bots on one database")[2]
    block = section.partition("```\n")[2].partition("```")[0]
    settings = dict(re.findall(r"^export IRODORI_(\w+)=(\S+)", block, re.MULTILINE))
    assert settings.keys() == {"DB__URL", "DISCORD__SHARDS"}
    shards = ["--discord.shards", settings["DISCORD__SHARDS"]]
    return [[*shards, *words.split()] for words in re.findall(r"python -m bot (\S.*)", block)]


# Starting processes takes long, so these tests use one of the databases.
ONE_DATABASE = pytest.mark.parametrize("url", ["postgresql" if SERVER else "sqlite"], indirect=True)


@ONE_DATABASE
async def test_a_process_takes_over_from_one_that_is_killed(
    discord: DiscordServer, registry: Registry, url: str, tmp_path: Path
) -> None:
    """Two processes with the commands of the documentation, of which one is killed, and one too
    many.
    """
    commands = documented_commands()
    assert len(commands) == SHARDS
    mika = discord.member("Mika", guild_of_shard(discord, 0))
    async with AsyncExitStack() as stack:

        async def start(options: list[str]) -> BotProcess:
            given = ("--db.url", url, "--engine.max_batch", "1", *options)
            process = bot_process(discord, tmp_path, *given, setup=SETUP, alone=False)
            return await stack.enter_async_context(process)

        killed, other = await asyncio.gather(*map(start, commands))
        refused = await start(commands[1])
        assert await asyncio.wait_for(refused.process.wait(), TIMEOUT) == 2
        assert "Irodori cannot start: another process on the same database" in refused.log
        assert "connects shard 1 of 2" in refused.log
        requests = [asyncio.create_task(mika.slash("avatar", count=9)) for _ in range(4)]

        def all_acknowledged() -> bool:
            answers = [i.answer for i in discord.interactions.values()]
            return len(answers) == 4 and None not in answers

        await discord.wait_until(all_acknowledged, "not acknowledged")
        assert await killed.stop(signal.SIGKILL) == -signal.SIGKILL
        unfinished = sum(not request.done() for request in requests)
        assert unfinished
        replies = await asyncio.gather(*requests)
        await discord.wait_until(
            lambda: all(len(reply.pictures) == 9 for reply in replies), "no pictures", TIMEOUT
        )
        store = await Store.open(url)
        assert await store.avatars.count() == 36
        await store.close()
        assert "Traceback" not in other.log


def same_member(client: UserClient, server: DiscordServer) -> UserClient:
    """The client of the same member in the same guild, on the simulated Discord of another
    application.
    """
    guild = server.default_guild
    assert client.guild is not None
    guild.id = client.guild.id
    same = server.member(client.user.name)
    rights = guild.members.pop(same.id)
    del server.users[same.id]
    same.user.id = client.id
    server.users[same.id], guild.members[same.id] = same.user, rights
    return same


@ONE_DATABASE
async def test_two_applications_in_a_guild_share_its_quotas(
    registry: Registry, url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(DiscordServer()) for _ in range(2)]
        mikas = [servers[0].member("Mika")]
        mikas.append(same_member(mikas[0], servers[1]))
        starting = (bot_process(server, tmp_path, "--db.url", url) for server in servers)
        await asyncio.gather(*map(stack.enter_async_context, starting))
        admin = servers[0].member("Aki", permissions=MANAGE_GUILD)
        await admin.slash("limits set", daily=4)
        replies = await asyncio.gather(*(mika.slash("avatar", count=3) for mika in mikas))
        refused = [reply for reply in replies if "daily limit of 4" in reply.text]
        assert len(refused) == 1
        (painted,) = [reply for reply in replies if reply not in refused]
        await painted.wait_for_pictures()
        for mika in mikas:
            assert "daily limit of 4" in (await mika.slash("avatar", count=2)).text
        await (await mikas[1].slash("avatar")).wait_for_pictures()
        for server in servers:
            assert server.violations == []


async def test_a_bot_waits_for_shards_until_the_lease_of_a_killed_one_expires(
    discord: DiscordServer,
    bots: list[Bot],
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(service, "RETRY_SECONDS", 0.05)
    store = await Store.open(url)
    started = Studio(bots[0].engine, store).processes
    shards = Shards(str(discord.application_id), SHARDS, [0])
    async with background(started.keep_lease()):
        monkeypatch.setattr(service, "TAKEOVER_SECONDS", 0.2)
        with pytest.raises(service.ShardsTaken, match="connects shard 0 of 2"):
            await started.claim_shards(shards)
        bots[0].lease.cancel()  # as if it was killed
        monkeypatch.setattr(processes, "LEASE_SECONDS", 0.5)
        monkeypatch.setattr(service, "TAKEOVER_SECONDS", TIMEOUT)
        await started.claim_shards(shards)
        assert f"waiting up to {TIMEOUT} s for the end of its lease" in caplog.text
    await store.close()


async def test_a_bot_that_hung_ends_its_connection_if_another_one_has_its_shards(
    discord: DiscordServer, bots: list[Bot], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung, other = bots
    assert hung.connection is not None
    assert other.connection is not None
    monkeypatch.setattr(service, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(processes, "LEASE_SECONDS", 0.5)
    store = await Store.open(url)
    started = Studio(hung.engine, store).processes
    hung.lease.cancel()
    async with background(started.keep_lease()):
        await started.claim_shards(Shards(str(discord.application_id), SHARDS, [0]))
        monkeypatch.setattr(processes, "LEASE_SECONDS", TIMEOUT)
        async with background(hung.studio.processes.keep_lease()), asyncio.timeout(TIMEOUT):
            with pytest.raises(service.ShardsTaken, match="has taken over shards of this one"):
                await hung.connection
    assert not other.connection.done()
    await store.close()


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


async def test_the_pages_of_both_bots_share_a_rate_limit(bots: list[Bot]) -> None:
    async with AsyncExitStack() as stack:
        settings = WebSettings(paint_per_minute=3)
        servers = [TestServer(create_app(bot.studio, settings)) for bot in bots]
        pages = [await stack.enter_async_context(TestClient(server)) for server in servers]

        async def paint(page: int) -> int:
            async with pages[page].post("/api/avatars", json={"prompt": "", "count": 3}) as answer:
                return answer.status

        assert [await paint(page) for page in (0, 1, 0)] == [201, 429, 429]


async def test_a_bot_that_reconnects_leaves_the_replies_of_the_other_one_alone(
    discord: DiscordServer,
    bots: list[Bot],
    paused: PausedEngine,
    mikas: list[UserClient],
    identify_at_once: None,
) -> None:
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
    monkeypatch.setattr(processes, "LEASE_SECONDS", 0.5)
    await discord.wait_until(lambda: len(reply.pictures) == 3, "no pictures", TIMEOUT)
    paused.resume()  # it finds the pictures of the other one
    assert await count_avatars(bots[1]) == 3
    assert len(reply.pictures) == 3


async def test_a_portrait_requested_from_both_bots_at_once_is_stored_once(
    bots: list[Bot], paused: PausedEngine, mikas: list[UserClient]
) -> None:
    waiting = await mikas[0].slash("me")
    portrait = await (await mikas[1].slash("me")).wait_for_pictures()
    paused.resume()
    await waiting.wait_for_pictures()
    assert waiting.pictures[0].data == portrait.pictures[0].data
    assert await count_avatars(bots[0]) == 1


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
    pending, owner = bots[1].studio.pending_replies, member_of(mikas[0])
    async with asyncio.timeout(TIMEOUT):  # a request is closed shortly after its reply
        while await pending.count_elsewhere(owner):  # noqa: ASYNC110 (no event)
            await asyncio.sleep(0.01)
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
