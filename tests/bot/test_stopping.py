"""SIGTERM while pictures are painted and pages are open."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from export.registry import Registry

ROOT = Path(__file__).parents[2]
DOCKER_SECONDS = 10  # after SIGTERM, until Docker kills a container
TIMEOUT = 60

# The bot with a model that takes 2 s per batch, as on a slow machine.
SLOW_BOT = """
import sys
import time
from bot.__main__ import main
from bot.inference import process_backend

paint_batch = process_backend.paint_batch

def paint_slowly(*arguments):
    print("painting", flush=True)
    time.sleep(2)
    return paint_batch(*arguments)

process_backend.paint_batch = paint_slowly
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
async def slow_bot(tmp_path: Path, registry: Registry) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SLOW_BOT, "--web.port", "0", "--models.dir", str(registry.root)),
        *("--db.url", f"sqlite+aiosqlite:///{tmp_path}/bot.db", "--engine.provider", "cpu"),
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "DISCORD_TOKEN"}
        | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_a_stop_takes_less_time_than_docker_allows(
    slow_bot: asyncio.subprocess.Process,
) -> None:
    assert slow_bot.stdout is not None
    line = (await asyncio.wait_for(slow_bot.stdout.readline(), TIMEOUT)).decode()
    base = next(word for word in line.split() if word.startswith("http://"))

    async def paint() -> None:
        async with session.post(f"{base}/api/avatars", json={"prompt": "", "count": 9}) as answer:
            await answer.read()

    async with aiohttp.ClientSession() as session:
        pages = [await session.get(f"{base}/api/events") for _ in range(3)]
        assert [page.status for page in pages] == [200] * 3
        requests = [asyncio.create_task(paint()) for _ in range(20)]
        line = (await asyncio.wait_for(slow_bot.stdout.readline(), TIMEOUT)).decode()
        assert line == "painting\n"
        started = time.monotonic()
        slow_bot.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(slow_bot.communicate(), TIMEOUT)
        seconds = time.monotonic() - started
        await asyncio.gather(*requests, return_exceptions=True)
        for page in pages:
            page.close()
    assert slow_bot.returncode == 0, log.decode()
    assert seconds < DOCKER_SECONDS
    assert "Traceback" not in log.decode()
