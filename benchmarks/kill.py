"""Kills the bot at random moments of painting, and counts lost and doubled replies.

    python benchmarks/kill.py [--kills N] [--members N] [--commit-seconds S] [--seed N]

In each round all members send `/avatar` at once to a process of the bot, which is killed with
SIGKILL at a random moment after the first acknowledgment and started again, up to
`--kills-per-round` times: the later kills meet the process while it resumes the pending replies.
Then every acknowledged interaction must be answered exactly once. Discord is simulated
(`tests/discord_server`); `--commit-seconds` delays every commit, as a slow disk does.
Interactions that were never acknowledged do not count as lost, because Discord shows their
members that the command failed. Exits with 1 if a reply is lost or doubled.
"""

import argparse
import asyncio
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import AbstractAsyncContextManager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bot_process import BotProcess, bot_process
from crowd import REPLY_SECONDS, count_outcomes, count_painted_twice, wait_for_replies
from discord_server import BotError, DiscordServer, UserClient
from discord_server.model import Interaction
from tiny_model import add_model

from export.registry import Registry

COMMITS = 4  # of an order at most, for the time that a slow disk needs


class Crowd:
    """Members who send one request each, again in each round."""

    def __init__(self, discord: DiscordServer, members: int, reply_seconds: float) -> None:
        self._discord = discord
        self._reply_seconds = reply_seconds
        self._members = [discord.member(f"Member {n}") for n in range(members)]
        self._requests: list[asyncio.Task[None]] = []
        self._known: set[str] = set()  # tokens of earlier interactions

    def send(self) -> None:
        self._known = set(self._discord.interactions)
        self._requests = [asyncio.create_task(_request(member)) for member in self._members]

    def interactions(self) -> list[Interaction]:
        """Those of this round."""
        known = self._known
        return [i for token, i in self._discord.interactions.items() if token not in known]

    async def wait_for_acknowledgment(self) -> None:
        """Waits for the first acknowledgment."""
        await self._discord.wait_until(
            lambda: any(i.answer is not None for i in self.interactions()), "no answer"
        )

    async def wait_for_replies(self) -> Counter[str]:
        """Waits for the replies of this round, and counts the outcomes."""
        await wait_for_replies(self._discord, self.interactions(), self._reply_seconds)
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        outcomes: Counter[str] = count_outcomes(self.interactions())
        return outcomes


async def _request(member: UserClient) -> None:
    with contextlib.suppress(BotError):  # counted from the interaction's state
        await member.slash("avatar", hair="pink")


async def run(options: argparse.Namespace) -> int:
    chance = random.Random(options.seed)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = Registry(folder / "models")
        add_model(registry, "tiny")
        registry.use("tiny")
        seconds = REPLY_SECONDS + COMMITS * options.members * options.commit_seconds
        async with DiscordServer(deadline=options.deadline, timeout=seconds) as discord:
            discord.schemas = None  # leaves the processor to the bot
            crowd = Crowd(discord, options.members, seconds)

            def start() -> AbstractAsyncContextManager[BotProcess]:
                return bot_process(
                    discord,
                    folder,
                    commit_seconds=options.commit_seconds,
                    start_seconds=REPLY_SECONDS,
                )

            async with start():  # how long a round takes without kills
                started = time.monotonic()
                crowd.send()
                await crowd.wait_for_acknowledgment()
                outcomes = await crowd.wait_for_replies()
                seconds = time.monotonic() - started
            print(f"without kills, {seconds:.1f} s: {dict(outcomes)}", flush=True)
            kills = rounds = 0
            while kills < options.kills:
                in_round = min(options.kills - kills, options.kills_per_round)
                for number in range(in_round):
                    async with start() as bot:
                        if number == 0:
                            crowd.send()
                            await crowd.wait_for_acknowledgment()
                        # The first kill meets the crowd while it is acknowledged.
                        longest = options.deadline if number == 0 else seconds
                        await asyncio.sleep(chance.uniform(0, longest))
                        await bot.stop(signal.SIGKILL)
                async with start():
                    counts += await crowd.wait_for_replies()
                kills, rounds = kills + in_round, rounds + 1
                print(f"{kills} kills, {rounds} rounds: {dict(counts)}", flush=True)
        twice = count_painted_twice(folder / "irodori.db")
    print(f"painted twice: {twice}")
    return 1 if counts["unanswered"] or counts["doubled"] or twice else 0


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
