"""Sends requests to several processes of the bot on one PostgreSQL, and counts the answers.

    TEST_POSTGRES_URL=postgresql+asyncpg://… python benchmarks/processes.py
        [--processes N] [--requests N] [--rounds N] [--server-connections N] [--connections N]

Each round sends `--requests` requests to paint one picture to each process, all at once. The bots
connect as a role that may open `--server-connections` connections: by default 97, as many as
PostgreSQL's default settings leave to ordinary roles. Prints the answers by status, their times,
and the connections that were open in the end. Exits with 1 if a request failed, or if not exactly
the pictures of the requests are stored.
"""

import argparse
import asyncio
import contextlib
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import aiohttp
import numpy as np
from postgres import SERVER, create_database, url_of
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from tiny_model import add_model

from export.registry import Registry

ROOT = Path(__file__).parents[1]
WISH = {"prompt": "hair:pink"}
SECONDS = 120  # until all processes serve, or a request is answered


async def run(options: argparse.Namespace) -> int:
    async with create_database() as name, limited_role(name, options.server_connections) as role:
        admin, url = url_of(name), make_url(url_of(name)).set(username=role)
        with tempfile.TemporaryDirectory() as folder:
            registry = Registry(Path(folder) / "models")
            add_model(registry, "tiny")
            registry.use("tiny")
            arguments = ["--db.url", url.render_as_string(hide_password=False)]
            arguments += ["--models.dir", str(registry.root), "--web.port", "0"]
            arguments += ["--web.paint_per_minute", "0", "--engine.provider", "cpu"]
            if options.connections:
                arguments += ["--db.connections", str(options.connections)]
            async with contextlib.AsyncExitStack() as stack:
                starting = (start(arguments, folder) for _ in range(options.processes))
                pages = await asyncio.gather(*map(stack.enter_async_context, starting))
                statuses, seconds = Counter[str](), list[float]()
                connector = aiohttp.TCPConnector(limit=0)
                session = await stack.enter_async_context(
                    aiohttp.ClientSession(connector=connector)
                )
                for _ in range(options.rounds):
                    requests = (send(session, page) for page in pages * options.requests)
                    for status, duration in await asyncio.gather(*requests):
                        statuses[status] += 1
                        seconds.append(duration)
                stored, connections = await count(admin, role)
        report(statuses, seconds, stored, connections)
        return 0 if set(statuses) == {"201"} and stored == statuses["201"] else 1


@contextlib.asynccontextmanager
async def limited_role(database: str, connections: int) -> AsyncIterator[str]:
    """A role that owns the database and may open this number of connections."""
    role = f"{database}_bot"
    engine = create_async_engine(url_of(database), isolation_level="AUTOCOMMIT")
    async with engine.connect() as admin:
        await admin.execute(text(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT {connections}"))
        await admin.execute(text(f"ALTER DATABASE {database} OWNER TO {role}"))
        await admin.execute(text(f"GRANT ALL ON SCHEMA public TO {role}"))
    try:
        yield role
    finally:
        async with engine.connect() as admin:
            await drop_role(admin, database, role)
        await engine.dispose()


async def drop_role(admin: AsyncConnection, database: str, role: str) -> None:
    await admin.execute(text(f"ALTER DATABASE {database} OWNER TO CURRENT_USER"))
    await admin.execute(text(f"REASSIGN OWNED BY {role} TO CURRENT_USER"))
    await admin.execute(text(f"DROP OWNED BY {role}"))
    await admin.execute(text(f"DROP ROLE {role}"))


@contextlib.asynccontextmanager
async def start(arguments: list[str], folder: str) -> AsyncIterator[str]:
    """A process of the bot; yields the URL of its page."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment.pop("DISCORD_TOKEN", None)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), SECONDS)).decode()
        found = re.search(r"http://\S+", line)
        if found is None:
            raise RuntimeError(f"a process did not start: {line!r}")
        yield found[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def send(session: aiohttp.ClientSession, page: str) -> tuple[str, float]:
    """The status, or the name of an error, and the seconds until the answer."""
    started = time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with session.post(f"{page}/api/avatars", json=WISH, timeout=timeout) as answer:
            await answer.read()
            status = str(answer.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        status = type(error).__name__
    return status, time.perf_counter() - started


async def count(admin_url: str, role: str) -> tuple[int, int]:
    """The pictures that are stored, and the open connections of the role."""
    engine = create_async_engine(admin_url)
    async with engine.connect() as admin:
        stored = await admin.scalar(text("SELECT count(*) FROM pictures"))
        opened = text("SELECT count(*) FROM pg_stat_activity WHERE usename = :role")
        connections = await admin.scalar(opened, {"role": role})
    await engine.dispose()
    return int(stored or 0), int(connections or 0)


def report(statuses: Counter[str], seconds: list[float], stored: int, connections: int) -> None:
    p50, p99 = np.percentile(seconds, [50, 99])
    for status, number in statuses.most_common():
        print(f"{status}: {number} of {statuses.total()}")
    print(f"p50 / p99: {p50:.1f} / {p99:.1f} s")
    print(f"pictures stored: {stored}; open connections: {connections}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=10)
    parser.add_argument("--requests", type=int, default=36)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--server-connections", type=int, default=97)
    parser.add_argument("--connections", type=int, default=0, help="db.connections")
    if SERVER is None:
        parser.error("TEST_POSTGRES_URL is not set")
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
