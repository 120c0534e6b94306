"""What operators do while the bot paints: backup, restore, copy, doctor, metrics."""

import asyncio
import os
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from postgres import SERVER, create_database, url_of

from bot.inference.engine import Engine
from bot.settings import EngineSettings, WebSettings
from bot.studio import Studio
from bot.web.app import create_app
from db.store import Store
from export.registry import Registry

ROOT = Path(__file__).parents[1]
TIMEOUT = 60  # seconds; on a machine that does other things, too
CLIENTS = 4


@dataclass
class RunningBot:
    """A process of the bot; `page` is the URL of its web page, `database` that of its database."""

    folder: Path
    database: str
    page: str
    metrics_port: int


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DISCORD_TOKEN"}
    return kept | {"PYTHONPATH": str(ROOT), "IRODORI_ENGINE__PROVIDER": "cpu"}


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


async def run(folder: Path, *arguments: str) -> str:
    """Runs `python -m …`, which must succeed; returns what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        cwd=folder,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(
    tmp_path_factory: pytest.TempPathFactory, tiny_models: Path
) -> AsyncIterator[RunningBot]:
    folder = tmp_path_factory.mktemp("running")
    shutil.copytree(tiny_models, folder / "models")
    database, port = f"sqlite+aiosqlite:///{folder}/bot.db", free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "--db.url", database, "--web.paint_per_minute", "0"),
        *("--web.port", "0", "--web.metrics_port", str(port)),
        cwd=folder,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT):
        line = (await process.stdout.readline()).decode()
    found = re.search(r"http://[\w.:]+", line)
    assert found
    yield RunningBot(folder, database, found[0], port)
    process.kill()
    await process.wait()


@asynccontextmanager
async def load(page: str) -> AsyncIterator[dict[str, bytes]]:
    """Clients that paint all the time; the pictures that they have got, by id."""
    painted: dict[str, bytes] = {}

    async def paint(web: aiohttp.ClientSession) -> None:
        while True:
            async with web.post("/api/avatars", json={"prompt": "", "count": 4}) as answer:
                assert answer.status == 201
                avatars = await answer.json()
            for avatar in avatars:
                async with web.get(avatar["image_url"]) as answer:
                    painted[avatar["id"]] = await answer.read()

    async with aiohttp.ClientSession(page) as web, asyncio.TaskGroup() as group:
        clients = [group.create_task(paint(web)) for _ in range(CLIENTS)]
        async with asyncio.timeout(TIMEOUT):
            while len(painted) < 20:  # noqa: ASYNC110 (clients have no event for it)
                await asyncio.sleep(0.01)
        yield painted
        for client in clients:
            client.cancel()


async def served(url: str, registry: Registry, ids: list[str]) -> dict[str, bytes]:
    """The pictures that a bot with this database serves."""
    async with AsyncExitStack() as stack:
        store = await Store.open(url)
        stack.push_async_callback(store.close)
        engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=1))
        stack.push_async_callback(engine.close)
        server = TestServer(create_app(Studio(engine, store), WebSettings()))
        client = await stack.enter_async_context(TestClient(server))
        found = {}
        for id in ids:
            async with client.get(f"/images/{id}.png") as answer:
                assert answer.status == 200
                found[id] = await answer.read()
        return found


async def test_a_backup_under_load_is_restored_and_copied_with_identical_pictures(
    bot: RunningBot, tmp_path: Path, registry: Registry
) -> None:
    restored = f"sqlite+aiosqlite:///{tmp_path}/restored.db"
    async with load(bot.page) as painted:
        before = dict(painted)
        await run(bot.folder, "db", "backup", f"{tmp_path}/backup.db", "--db.url", bot.database)
        checked = await run(bot.folder, "bot", "doctor", "--db.url", bot.database)
        assert "wrong" not in checked
        assert len(painted) > len(before), "the bot did not paint meanwhile"
    await run(bot.folder, "db", "restore", f"{tmp_path}/backup.db", "--db.url", restored)
    ids = list(before)
    assert await served(restored, registry, ids) == before

    async with AsyncExitStack() as stack:
        target = f"sqlite+aiosqlite:///{tmp_path}/copied.db"
        if SERVER is not None:
            target = url_of(await stack.enter_async_context(create_database()))
        await run(bot.folder, "db", "copy", restored, target)
        assert await served(target, registry, ids) == before


async def test_metrics_on_a_port_of_their_own(bot: RunningBot) -> None:
    async with aiohttp.ClientSession() as web:
        async with web.get(f"{bot.page}/metrics") as answer:
            assert answer.status == 404
        async with web.get(f"http://127.0.0.1:{bot.metrics_port}/metrics") as answer:
            assert answer.status == 200
            text = await answer.text()
        async with web.get(f"http://127.0.0.1:{bot.metrics_port}/") as answer:
            assert answer.status == 404
    assert 'irodori_http_requests_total{method="GET",route="/metrics",status="404"}' in text
    assert "irodori_failed_total 0.0" in text
