"""Requests of 200 concurrent members."""

import asyncio
from pathlib import Path

from bot_process import TIMEOUT
from discord_server import DiscordServer

from db.store import Store
from export.registry import Registry

from .conftest import StartProcess, slowness

MEMBERS = 200
LARGEST = 9  # pictures of the first and largest request


async def test_200_concurrent_members_all_get_replies(
    discord: DiscordServer, registry: Registry, process: StartProcess, tmp_path: Path
) -> None:
    # Bodies like these are paused against Discord's description in the other tests; here that would
    # take the processor from the bot.
    discord.schemas = None
    discord.deadline *= slowness()
    discord.timeout = 4 * TIMEOUT
    members = [discord.member(f"Member {n}") for n in range(MEMBERS)]
    counts = [LARGEST] + [1] * (MEMBERS - 1)
    async with process():
        replies = await asyncio.gather(
            *(
                member.slash("avatar", hair="pink", count=count)
                for member, count in zip(members, counts, strict=True)
            )
        )
        await discord.wait_until(
            lambda: all(reply.pictures for reply in replies), "pictures are missing"
        )
    shown = [picture.filename for reply in replies for picture in reply.pictures]
    assert [len(reply.pictures) for reply in replies] == counts
    assert len(set(shown)) == sum(counts), "replies share no picture"
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/irodori.db")
    assert await store.avatars.count() == sum(counts), "no picture is painted twice"
    await store.close()
