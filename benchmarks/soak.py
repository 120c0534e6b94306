"""Paints for many members while parts fail at random, and counts lost and doubled replies.

    python benchmarks/soak.py [--orders N] [--members N] [--seed N]

Each member sends `/avatar` to a process of the bot, again and again. Meanwhile, every second or so,
one part fails: Discord (errors, rate limits, dropped connections, lost responses, a new gateway
session), the database (another process holds the lock), the disk (files cannot grow), the model (a
damaged one, or another one is put in use), or the processor (the process is stopped for a moment).
When all orders are sent and the last fault is over, every acknowledged order must be answered
exactly once, and the memory of the process must not have grown since the first quarter. Discord is
simulated (`tests/discord_server`). Exits with 1 if an order is lost, doubled or hanging, or if the
memory has grown by more than a tenth.
"""

import argparse
import asyncio
import contextlib
import random
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import psutil
from bot_process import BotProcess, bot_process
from crowd import (
    REPLY_SECONDS,
    count_outcomes,
    count_painted_twice,
    describe,
    is_pending,
    wait_for_replies,
)
from discord_server import BotError, DiscordServer, UserClient
from tiny_model import add_model

from export.manifest import GENERATOR
from export.registry import Registry

MODELS = "tiny", "other"
DAMAGED = "damaged"
MAX_GROWTH = 1.1  # of the memory
PAUSE_SECONDS = 1.0  # of a member between two orders, on average
PATHS = r"/callback$", r"/messages/@original$", r"/webhooks/"
FAILURES = 429, 500, 502, 503, None  # None drops the connection


class Faults:
    """Fails one part at a time, at random, until it is canceled."""

    def __init__(
        self, discord: DiscordServer, bot: BotProcess, folder: Path, chance: random.Random
    ) -> None:
        self._discord, self._bot, self._folder, self._chance = discord, bot, folder, chance
        self._registry = Registry(folder / "models")
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        faults: dict[str, Callable[[], Awaitable[None]]] = {
            "Discord": self._fail_requests,
            "gateway": self._fail_gateway,
            "database": self._lock_database,
            "disk": self._fill_disk,
            "model": self._replace_model,
            "processor": self._stop_process,
        }
        while True:
            await asyncio.sleep(self._chance.uniform(0.2, 2))
            part = self._chance.choice(list(faults))
            self.counts[part] += 1
            await faults[part]()

    async def _fail_requests(self) -> None:
        chance = self._chance
        self._discord.inject_fault(
            chance.choice(PATHS),
            chance.choice(FAILURES),
            processed=chance.random() < 0.5,
            times=chance.randint(1, 5),
        )

    async def _fail_gateway(self) -> None:
        match self._chance.randrange(3):
            case 0:
                self._discord.drop_gateway()
            case 1:
                await self._discord.request_reconnect()
            case _:
                await self._discord.invalidate_session(resumable=True)

    async def _lock_database(self) -> None:
        file = self._folder / "irodori.db"
        with contextlib.closing(sqlite3.connect(file, 30, check_same_thread=False)) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            await asyncio.sleep(self._chance.uniform(0, 6))
            other.execute("ROLLBACK")

    async def _fill_disk(self) -> None:
        limits = resource.RLIMIT_FSIZE
        before = resource.prlimit(self._bot.process.pid, limits)
        resource.prlimit(self._bot.process.pid, limits, (4096, before[1]))
        try:
            await asyncio.sleep(self._chance.uniform(0, 3))
        finally:
            resource.prlimit(self._bot.process.pid, limits, before)

    async def _replace_model(self) -> None:
        name = self._chance.choice((*MODELS, DAMAGED))
        if name == DAMAGED:  # the registry refuses it, as `python -m export use` does
            (self._folder / "models" / "current").write_text(f"{DAMAGED}\n")
        else:
            self._registry.use(name)

    async def _stop_process(self) -> None:
        self._bot.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(self._chance.uniform(0, 1))
        finally:
            self._bot.process.send_signal(signal.SIGCONT)


async def send(
    members: list[UserClient], orders: int, chance: random.Random, sample: Callable[[int], None]
) -> int:
    """Each member sends an order soon after the one before is answered. Returns the number of
    orders that hang: their members were neither answered nor told that the command failed.
    """
    remaining = iter(range(orders))
    hanging = 0

    async def take_part(member: UserClient) -> None:
        nonlocal hanging
        for number in remaining:
            await asyncio.sleep(chance.uniform(0, 2 * PAUSE_SECONDS))
            sample(number)
            try:
                async with asyncio.timeout(2 * REPLY_SECONDS):
                    with contextlib.suppress(BotError):  # counted from the interaction's state
                        await _order(member)
            except TimeoutError:
                hanging += 1

    await asyncio.gather(*map(take_part, members))
    return hanging


async def _order(member: UserClient) -> None:
    """Sends an order, and waits until the position in the queue is replaced by the pictures."""
    reply = await member.slash("avatar", hair="pink")
    interaction = reply.message.interaction
    assert interaction is not None
    await member.server.wait_until(lambda: not is_pending(interaction), "no pictures")


async def run(options: argparse.Namespace) -> int:
    chance = random.Random(options.seed)
    memory: list[int] = []  # bytes, at each order
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = Registry(folder / "models")
        for model in (*MODELS, DAMAGED):
            add_model(registry, model)
        (folder / "models" / DAMAGED / GENERATOR).write_bytes(b"")
        registry.use(MODELS[0])
        async with DiscordServer(deadline=options.deadline, timeout=REPLY_SECONDS) as discord:
            discord.schemas = None  # leaves the processor to the bot
            members = [discord.member(f"Member {n}") for n in range(options.members)]
            async with bot_process(discord, folder, start_seconds=REPLY_SECONDS) as bot:
                process = psutil.Process(bot.process.pid)

                def sample(number: int) -> None:
                    memory.append(process.memory_info().rss)
                    if number and number % 200 == 0:
                        counts = count_outcomes(discord.interactions.values())
                        print(f"{number} orders: {dict(counts)}", flush=True)

                faults = Faults(discord, bot, folder, chance)
                failing = asyncio.create_task(faults.run())
                started = time.monotonic()
                hanging = await send(members, options.orders, chance, sample)
                seconds = time.monotonic() - started
                failing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await failing
                discord.rest.faults.clear()
                await wait_for_replies(discord, discord.interactions.values())
                alive = bot.process.returncode is None
            counts = count_outcomes(discord.interactions.values())
        twice = count_painted_twice(folder / "irodori.db")
    quarter = len(memory) // 4
    early, late = (
        mean(part) / 2**20 for part in (memory[quarter : 2 * quarter], memory[-quarter:])
    )
    print(f"{options.orders} orders in {seconds:.0f} s, faults: {dict(faults.counts)}")
    for interaction in discord.interactions.values():
        if text := describe(interaction):
            print(text)
    lost, doubled = counts["unanswered"], counts["doubled"]
    outcomes = ", ".join(f"{counts[o]} {o}" for o in ("painted", "refused", "unacknowledged"))
    print(f"{outcomes}; {lost} lost, {doubled} doubled, {hanging} hanging, {twice} painted twice")
    print(f"memory: {early:.1f} MiB in the second quarter, {late:.1f} MiB in the last one")
    failed = lost or doubled or hanging or twice or not alive
    return 1 if failed or late > MAX_GROWTH * early else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--deadline", type=float, default=3.0, help="of Discord, in seconds")
    parser.add_argument("--seed", type=int, default=0)
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
