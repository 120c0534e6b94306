"""The commands of docs/operating.md for several bots on PostgreSQL and one Ray cluster."""

import asyncio
import io
import os
import re
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
import psutil
import pytest
from discord_server import DiscordServer
from PIL import Image
from postgres import SERVER, create_database, url_of
from tiny_model import add_model

from export.registry import Registry

ROOT = Path(__file__).parents[1]
URL = "postgresql+asyncpg://irodori:secret@localhost/irodori"
TIMEOUT = 120  # seconds; on a machine that does other things, too

pytestmark = [
    pytest.mark.skipif(SERVER is None, reason="needs TEST_POSTGRES_URL"),
    pytest.mark.timeout(300),
]


def documented_commands() -> list[str]:
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    section = text[text.index("## Several bots on one Ray cluster") :]
    return section.split("```\n")[1].splitlines()


@dataclass
class Program:
    """A program that the commands start."""

    process: asyncio.subprocess.Process
    lines: list[str]

    async def wait_for(self, pattern: str) -> str:
        """Waits for a line of its output; returns the text that the pattern finds."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIMEOUT):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line)
                if found := re.search(pattern, line):
                    return found[0]
        raise AssertionError(f"no {pattern!r} in\n{''.join(self.lines)}")

    async def stop(self) -> int:
        """Sends SIGTERM; returns the exit status."""
        self.process.terminate()
        output, _ = await asyncio.wait_for(self.process.communicate(), TIMEOUT)
        self.lines.append(output.decode())
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def start(command: str, environment: dict[str, str], folder: Path) -> AsyncIterator[Program]:
    """Starts a command; at the end kills it and the processes that it started."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"exec env {command}"),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Program(process, [])
    finally:
        if process.returncode is None:
            with suppress(psutil.NoSuchProcess):
                parent = psutil.Process(process.pid)
                for member in [*parent.children(recursive=True), parent]:
                    with suppress(psutil.NoSuchProcess):
                        member.kill()
            await process.communicate()


async def exported(exports: list[str], environment: dict[str, str]) -> dict[str, str]:
    """The environment after the lines `export NAME=VALUE`."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-ec", "\n".join([*exports, "env -0"])),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return dict(entry.split("=", 1) for entry in output.decode().split("\0") if entry)


async def start_bot(
    stack: AsyncExitStack, command: str, environment: dict[str, str], folder: Path
) -> tuple[Program, DiscordServer, aiohttp.ClientSession]:
    """A bot with a Discord server of its own, and a client of its web page."""
    discord = await stack.enter_async_context(DiscordServer())
    token = re.search(r"\$(TOKEN_\d)", command)
    assert token
    own = {
        token[1]: discord.token,
        "IRODORI_DISCORD__API_URL": discord.api_url,
        "IRODORI_DISCORD__GATEWAY_URL": discord.gateway_url,
    }
    command = re.sub(r"--web\.port \d+", "--web.port 0", command)
    bot = await stack.enter_async_context(start(command, environment | own, folder))
    page = await bot.wait_for(r"http://[\w.:]+")
    await discord.wait_connected(within=TIMEOUT)
    return bot, discord, await stack.enter_async_context(aiohttp.ClientSession(page))


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


async def model_in_use(web: aiohttp.ClientSession) -> str:
    async with web.get("/healthz") as answer:
        name: str = (await answer.json())["model"]
        return name


async def test_two_bots_share_a_cluster_and_a_database(tmp_path: Path, registry: Registry) -> None:
    pytest.importorskip("ray")
    install, *commands = documented_commands()
    assert install.startswith("pip install")
    exports = [line for line in commands if line.startswith("export ")]
    ray_start, deploy, *bots = [line for line in commands if line not in exports]
    assert URL in "".join(exports)
    port = free_port()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(create_database())
        environment = await exported(
            [line.replace(URL, f"'{url_of(database)}'") for line in exports],
            {
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "RAY_ADDRESS": f"127.0.0.1:{port}",
                "IRODORI_ENGINE__POLL_SECONDS": "0.2",
            },
        )
        # the path of a socket has at most 107 characters
        short = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        ray_start += f" --block --port {port} --temp-dir {short} --num-cpus 1"
        ray_start += " --include-dashboard=false --object-store-memory 100000000"
        cluster = await stack.enter_async_context(start(ray_start, environment, tmp_path))
        await cluster.wait_for("Ray runtime started")
        deployment = await stack.enter_async_context(start(deploy, environment, tmp_path))
        await deployment.wait_for("The Ray cluster paints")
        started = [start_bot(stack, command, environment, tmp_path) for command in bots[:2]]
        (one, discord_one, web_one), (two, discord_two, web_two) = await asyncio.gather(*started)

        # Both bots have the same model, and each one shows what the other one has painted.
        pictures = []
        for member in (discord_one.member("Mio"), discord_two.member("Rin")):
            reply = await member.slash("avatar", hair="pink", eyes="orange", seed=7)
            pictures.append(pixels((await reply.wait_for_pictures()).pictures[0].data))
        np.testing.assert_array_equal(pictures[0], pictures[1])
        for web in (web_one, web_two):
            async with web.get("/api/avatars", params={"hair": "pink"}) as answer:
                assert len((await answer.json())["avatars"]) == 2

        # A new model is used by the replica and by both bots.
        add_model(registry, "bright", brightness=0.5)
        registry.use("bright")
        async with asyncio.timeout(TIMEOUT):
            for web in (web_one, web_two):
                while await model_in_use(web) != "bright":  # noqa: ASYNC110 (another process)
                    await asyncio.sleep(0.1)
        wish = {"prompt": "hair:pink eyes:orange", "seed": 7}
        async with web_one.post("/api/avatars", json=wish) as answer:
            (avatar,) = await answer.json()
        async with web_two.get(avatar["image_url"]) as answer:
            assert pixels(await answer.read()).mean() > pictures[0].mean() + 20

        # A replica that dies is replaced, and the picture is painted.
        (replica,) = [
            process
            for process in psutil.Process(cluster.process.pid).children(recursive=True)
            if "ServeReplica" in "".join(process.cmdline())
        ]
        replica.kill()
        async with web_two.post("/api/avatars", json=wish) as answer:
            assert answer.status == 201

        for bot in (one, two):
            assert await bot.stop() == 0
            assert "Traceback" not in "".join(bot.lines)
            assert "SIGTERM" not in "".join(bot.lines)
