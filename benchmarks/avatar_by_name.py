"""Measures how many faces by name the web page serves per second.

    python benchmarks/avatar_by_name.py [--models DIR] [--seconds S]

The page runs in this process, with the model in use at its usual size; the clients run in another
one, which sends 16 requests at a time over loopback. New faces have a name each; faces from memory
have one of 100 names.
"""

import argparse
import asyncio
import itertools
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1]))

from bot.errors import ModelUnavailable
from bot.inference.engine import Engine
from bot.settings import EngineSettings, WebSettings
from bot.studio import Studio
from bot.web.app import create_app, create_runner
from config import ModelsSettings
from db.store import Store
from export.registry import Registry

CLIENTS = 16
NAMES = 100
MIN_FROM_MEMORY = 200  # faces per second
MIN_NEW = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, default=ModelsSettings().dir)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    arguments = parser.parse_args()
    try:
        return asyncio.run(measure(arguments))
    except ModelUnavailable as error:
        print(error, file=sys.stderr)
        return 2


async def measure(arguments: argparse.Namespace) -> int:
    """Returns 1 if fewer faces are served than expected."""
    engine = await Engine.open(Registry(arguments.models), EngineSettings())
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite+aiosqlite:///{folder}/irodori.db")
        app = create_app(Studio(engine, store), WebSettings(named_faces_per_minute=0))
        runner = create_runner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/avatar"
        print(f"model {engine.model.name}, {engine.model.sizes[-1]} pixels, PNG\n")
        new = await measure_in_process(url, True, arguments.seconds)
        known = await measure_in_process(url, False, arguments.seconds)
        await runner.cleanup()
        await store.close()
    await engine.close()
    print(f"new faces:         {new:6.0f} per second (at least {MIN_NEW})")
    print(f"faces from memory: {known:6.0f} per second (at least {MIN_FROM_MEMORY})")
    return int(new < MIN_NEW or known < MIN_FROM_MEMORY)


async def measure_in_process(url: str, new: bool, seconds: float) -> float:
    """Faces per second that a client in a process of its own gets."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=run_clients, args=(sender, url, new, seconds))
    process.start()
    rate: float = await asyncio.to_thread(receiver.recv)
    process.join()
    return rate


def run_clients(sender: Connection, url: str, new: bool, seconds: float) -> None:
    sender.send(asyncio.run(request_faces(url, new, seconds)))


async def request_faces(url: str, new: bool, seconds: float) -> float:
    known = [str(number) for number in range(NAMES)]
    names = (f"new{number}" for number in itertools.count()) if new else itertools.cycle(known)
    async with aiohttp.ClientSession() as session:
        await request_until(session, url, iter(known), time.perf_counter() + 3600)
        started = time.perf_counter()
        end = started + seconds
        clients = (request_until(session, url, names, end) for _ in range(CLIENTS))
        faces = sum(await asyncio.gather(*clients))
        return faces / (time.perf_counter() - started)


async def request_until(
    session: aiohttp.ClientSession, url: str, names: Iterator[str], end: float
) -> int:
    """Requests these names one by one until this time; the number of faces."""
    faces = 0
    for name in names:
        async with session.get(f"{url}/{name}.png") as answer:
            answer.raise_for_status()
            await answer.read()
        faces += 1
        if time.perf_counter() > end:
            break
    return faces


if __name__ == "__main__":
    sys.exit(main())
