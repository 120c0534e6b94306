"""Kills the bot at random moments of painting, and counts lost and doubled replies.

    python benchmarks/kill.py [--kills N] [--members N] [--commit-seconds S] [--seed N]

In each round all members send `/avatar` at once to a process of the bot, which is killed with
SIGKILL at a random moment after the first acknowledgment and started again, up to `--kills-per-
round` times: the later kills meet the process while it resumes the pending replies. Then every
acknowledged interaction must be answered exactly once. Discord is simulated
(`tests/discord_server`); `--commit-seconds` delays every commit, as a slow disk does.
Interactions that were never acknowledged do not count as lost, because Discord shows their
members that the command failed. Exits with 1 if a reply is lost or doubled.
"""

import argparse
import asyncio
import contextlib
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bot_process import BotProcess, bot_process
from discord_server import BotError, DiscordServer, UserClient
from discord_server.model import Interaction, Message
from tiny_model import add_model

from export.registry import Registry

DEFERRED = 5
SETTLE_SECONDS = 120.0  # after the last restart, for all replies


class Crowd:
    """Members who send one request each; `counts` sums up what became of the requests."""

    def __init__(self, discord: DiscordServer, members: int, folder: Path) -> None:
        self._discord = discord
        self._members = [discord.member(f"Member {n}") for n in range(members)]
        self._folder = folder
        self._requests: list[asyncio.Task[None]] = []
        self._known: set[str] = set()  # tokens of earlier interactions
        self.counts: Counter[str] = Counter()

    def send(self) -> None:
        self._known = set(self._discord.interactions)
        self._requests = [asyncio.create_task(_request(member)) for member in self._members]

    def interactions(self) -> list[Interaction]:
        """Those of this round."""
        known = self._known
        return [i for token, i in self._discord.interactions.items() if token not in known]

    def pending(self) -> list[Interaction]:
        """Acknowledged and not answered yet."""
        found = [i for i in self.interactions() if i.answer == DEFERRED]
        return [i for i in found if i.original is not None and not _is_answered(i)]

    async def acknowledged(self) -> None:
        """Waits for the first acknowledgment."""
        with contextlib.suppress(BotError):
            await self._discord.wait_until(
                lambda: any(i.answer is not None for i in self.interactions()), "no answer"
            )

    async def settle(self) -> None:
        """Waits until every acknowledged interaction is answered, or it takes too long."""
        with contextlib.suppress(BotError):
            await self._discord.wait_until(
                lambda: not self.pending(), "replies are missing", SETTLE_SECONDS
            )

    async def finish_round(self) -> None:
        lost = self.pending()
        for interaction in self.interactions():
            shown = self._messages(interaction)
            if interaction.answer is None:
                self.counts["unacknowledged"] += 1
            elif interaction.answer != DEFERRED:
                self.counts["refused"] += 1
            elif interaction in lost:
                self.counts["lost"] += 1
            else:
                self.counts["painted"] += any(message.files for message in shown)
                self.counts["failed"] += not any(message.files for message in shown)
            self.counts["doubled"] += len(shown) > 1
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)

    def _messages(self, interaction: Interaction) -> list[Message]:
        messages = interaction.channel.messages
        return [m for m in messages if m.interaction is interaction and not m.deleted]

    def painted_twice(self) -> int:
        """Requests with more pictures in the database than they asked for."""
        with contextlib.closing(sqlite3.connect(self._folder / "irodori.db")) as database:
            per_order = "SELECT count(*) AS n FROM avatars GROUP BY order_id"
            (count,) = database.execute(
                f"SELECT count(*) FROM ({per_order}) WHERE n > 1"
            ).fetchone()
            return int(count)


async def _request(member: UserClient) -> None:
    with contextlib.suppress(BotError):  # counted from the interaction's state
        await member.slash("avatar", hair="pink")


def _is_answered(interaction: Interaction) -> bool:
    message = interaction.original
    assert message is not None
    announcements = ("restarted", "Painting", "painted before")
    return not message.loading and (
        bool(message.files) or not any(text in message.content for text in announcements)
    )


async def run(options: argparse.Namespace) -> int:
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = Registry(folder / "models")
        add_model(registry, "tiny")
        registry.use("tiny")
        async with DiscordServer(deadline=options.deadline, timeout=SETTLE_SECONDS) as discord:
            discord.schemas = None  # leaves the processor to the bot
            crowd = Crowd(discord, options.members, folder)

            def start() -> "contextlib.AbstractAsyncContextManager[BotProcess]":
                return bot_process(discord, folder, commit_seconds=options.commit_seconds)

            async with start():  # how long a round takes without kills
                started = time.monotonic()
                crowd.send()
                await crowd.acknowledged()
                await asyncio.sleep(options.deadline)
                await crowd.settle()
                seconds = time.monotonic() - started
                await crowd.finish_round()
            print(f"without kills, {seconds:.1f} s: {dict(crowd.counts)}", flush=True)
            crowd.counts.clear()
            kills = rounds = 0
            while kills < options.kills:
                in_round = min(options.kills - kills, options.kills_per_round)
                for number in range(in_round):
                    async with start() as bot:
                        if number == 0:
                            crowd.send()
                            await crowd.acknowledged()
                        # The first kill meets the crowd while it is acknowledged.
                        longest = options.deadline if number == 0 else seconds
                        await asyncio.sleep(chance.uniform(0, longest))
                        await bot.stop(signal.SIGKILL)
                async with start():
                    await crowd.settle()
                    await crowd.finish_round()
                kills, rounds = kills + in_round, rounds + 1
                print(f"{kills} kills, {rounds} rounds: {dict(crowd.counts)}", flush=True)
            twice = crowd.painted_twice()
        print(f"painted twice: {twice}")
        return 1 if crowd.counts["lost"] or crowd.counts["doubled"] or twice else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--kills-per-round", type=int, default=2)
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--commit-seconds", type=float, default=0.0, help="a slow disk")
    parser.add_argument("--deadline", type=float, default=3.0, help="of Discord, in seconds")
    parser.add_argument("--seed", type=int, default=0)
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
