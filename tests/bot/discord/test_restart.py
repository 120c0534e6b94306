"""The bot as it is run: a process of its own, killed at a bad moment, and started again."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from discord_server import DiscordServer, Person, Reply

from export.registry import Registry

ROOT = Path(__file__).parents[3]


@contextlib.asynccontextmanager
async def process(discord: DiscordServer, folder: Path) -> AsyncIterator[None]:
    """`python -m bot`, connected; ends by SIGKILL."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DISCORD_TOKEN": discord.token,
        "IRODORI_DISCORD__API_URL": discord.api_url,
        "IRODORI_DISCORD__GATEWAY_URL": discord.gateway_url,
    }
    settings = [
        *("--db.url", f"sqlite+aiosqlite:///{folder}/irodori.db"),
        *("--models.dir", str(folder / "models")),
        *("--engine.provider", "cpu"),
        *("--web.enabled", "false"),
    ]
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *settings, cwd=folder, env=environment
    )
    try:
        await discord.wait_connected()
        yield
    finally:
        bot.kill()
        await bot.wait()
        await discord.wait_disconnected()


def chosen(reply: Reply) -> str:
    return str(reply.buttons[0].custom_id).rpartition(":")[2]


async def test_old_messages_work_after_kill_9(
    discord: DiscordServer, registry: Registry, tmp_path: Path, mika: Person, ren: Person
) -> None:
    async with process(discord, tmp_path):
        single = await mika.slash("avatar", hair="pink", eyes="orange", seed=7)
        several = await mika.slash("avatar", hair="blue", count=9)
        page = await ren.slash("gallery", scope="everyone")
        panel = await ren.click(single, label="🎨")
        await ren.select(panel, panel.selects[0].custom_id, ["hair=green"])

    async with process(discord, tmp_path):
        assert discord.syncs == 1
        again = await ren.click(single, label="🎲")
        assert "pink hair, orange eyes" in again.text
        assert len(again.pictures) == 1
        await ren.click(single, label="♥️")
        assert [button.label for button in single.buttons if button.emoji == "♥️"] == ["1"]

        await ren.select(panel, panel.selects[1].custom_id, ["eyes=black"])
        assert "green hair, black eyes" in (await ren.click(panel, label="Paint")).text
        fresh = await mika.click(single, label="🎨")
        assert len(fresh.selects) == 2

        ids = [option["value"] for option in several.selects[0].options]
        await mika.select(several, None, [ids[4]])
        assert chosen(several) == ids[4]
        await mika.click(several, label="🗑️")
        assert len(several.pictures) == 8

        await ren.click(page, label="Next")
        assert [option["value"] for option in page.selects[0].options] == [chosen(single)]
        card = await ren.select(page, "irodori:open", [chosen(single)])
        assert card.pictures[0].data == single.pictures[0].data

        await mika.click(single, label="🗑️")
        assert single.deleted
        same = await mika.slash("avatar", hair="pink", eyes="orange", seed=7)
        assert same.pictures[0].data == card.pictures[0].data
