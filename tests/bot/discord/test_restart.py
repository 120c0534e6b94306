"""The bot in a separate process that is killed and restarted."""

import asyncio
import json
import signal
from pathlib import Path

from bot_process import TIMEOUT
from discord_server import DiscordServer, Reply, UserClient
from png_recipes import without_recipe

from db.store import Store
from export.registry import Registry

from .conftest import StartProcess, slowness

DEFERRED = 5  # the type of the answer "thinking…"


def selected(reply: Reply) -> str:
    return str(reply.buttons[0].custom_id).rpartition(":")[2]


async def test_old_messages_work_after_sigkill(
    discord: DiscordServer,
    registry: Registry,
    process: StartProcess,
    mika: UserClient,
    ren: UserClient,
) -> None:
    async with process():
        single = await mika.slash("avatar", hair="pink", eyes="orange", seed=7)
        several = await mika.slash("avatar", hair="blue", count=9)
        await asyncio.gather(single.wait_for_pictures(), several.wait_for_pictures())
        page = await ren.slash("gallery", scope="everyone")
        panel = await ren.click(single, label="🎨")
        await ren.select(panel, panel.selects[0].custom_id, ["hair=green"])

    async with process():
        assert discord.syncs == 1
        again = await (await ren.click(single, label="🎲")).wait_for_pictures()
        assert "pink hair, orange eyes" in again.text
        assert len(again.pictures) == 1
        await ren.click(single, label="♥️")
        assert [button.label for button in single.buttons if button.emoji == "♥️"] == ["1"]

        await ren.select(panel, panel.selects[1].custom_id, ["eyes=black"])
        recolored = await (await ren.click(panel, label="Paint")).wait_for_pictures()
        assert "green hair, black eyes" in recolored.text
        fresh = await mika.click(single, label="🎨")
        assert len(fresh.selects) == 2

        ids = [option["value"] for option in several.selects[0].options]
        await mika.select(several, None, [ids[4]])
        assert selected(several) == ids[4]
        await mika.click(several, label="🗑️")
        assert len(several.pictures) == 8

        await ren.click(page, label="Next")
        assert [option["value"] for option in page.selects[0].options] == [selected(single)]
        card = await ren.select(page, "irodori:open", [selected(single)])
        assert card.pictures[0].data == single.pictures[0].data

        await mika.click(single, label="🗑️")
        assert single.deleted
        same = await (
            await mika.slash("avatar", hair="pink", eyes="orange", seed=7)
        ).wait_for_pictures()
        assert without_recipe(same.pictures[0].data) == without_recipe(card.pictures[0].data)


async def count_avatars(folder: Path) -> int:
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/irodori.db")
    try:
        return await store.avatars.count()
    finally:
        await store.close()


async def test_pending_replies_are_sent_after_sigkill(
    discord: DiscordServer,
    registry: Registry,
    process: StartProcess,
    tmp_path: Path,
    mika: UserClient,
    ren: UserClient,
) -> None:
    discord.timeout = 2 * TIMEOUT
    discord.deadline *= slowness()
    members = [discord.member(f"Member {n}", locale="ja") for n in range(6)]
    one_per_batch = ("--engine.max_batch", "1")
    async with process(*one_per_batch) as bot:
        first = await (await mika.slash("avatar", hair="pink")).wait_for_pictures()
        before = len(discord.interactions)
        tasks = [
            asyncio.create_task(client.slash("avatar", hair="blue", count=9, private=n % 2 == 0))
            for n, client in enumerate(members)
        ]
        tasks.append(asyncio.create_task(ren.click(first, label="🎲")))

        def all_acknowledged() -> bool:
            new = list(discord.interactions.values())[before:]
            return len(new) == len(tasks) and all(i.answer is not None for i in new)

        await discord.wait_until(all_acknowledged, "not all requests are acknowledged")
        assert await bot.stop(signal.SIGKILL) == -signal.SIGKILL
        unfinished = sum(not task.done() for task in tasks)
    assert unfinished > 0

    async with process(*one_per_batch):
        *contact_sheets, again = await asyncio.gather(*tasks)

        def all_complete() -> bool:
            return len(again.pictures) == 1 and all(len(r.pictures) == 9 for r in contact_sheets)

        await discord.wait_until(all_complete, "pictures are missing", within=TIMEOUT)
        assert [reply.ephemeral for reply in contact_sheets] == [n % 2 == 0 for n in range(6)]
        assert all("青" in reply.text for reply in contact_sheets), "not in the member's language"
    assert await count_avatars(tmp_path) == 1 + 6 * 9 + 1, "no picture is painted twice"


async def test_acknowledged_requests_of_a_crowd_survive_sigkill(
    discord: DiscordServer,
    registry: Registry,
    process: StartProcess,
    tmp_path: Path,
) -> None:
    discord.timeout = 2 * TIMEOUT
    discord.deadline *= slowness()
    members = [discord.member(f"Member {n}") for n in range(20)]
    async with process() as bot:
        tasks = [asyncio.create_task(client.slash("avatar", hair="blue")) for client in members]

        def acknowledged() -> int:
            return sum(i.answer is not None for i in discord.interactions.values())

        await discord.wait_until(acknowledged, "no request is acknowledged")
        assert await bot.stop(signal.SIGKILL) == -signal.SIGKILL
    count = acknowledged()

    async with process():
        results = await asyncio.gather(*tasks, return_exceptions=True)
        replies = [result for result in results if isinstance(result, Reply)]
        assert len(replies) == count
        await discord.wait_until(
            lambda: all(reply.pictures for reply in replies), "pictures are missing", TIMEOUT
        )
    assert await count_avatars(tmp_path) == count, "no picture is painted twice, or for nobody"
    # requests that were not acknowledged
    assert {violation.code for violation in discord.violations} <= {0, 10015, 10062}
    discord.violations.clear()


async def test_acknowledged_requests_on_a_slow_disk_survive_sigkill(
    discord: DiscordServer, registry: Registry, process: StartProcess
) -> None:
    discord.timeout = 2 * TIMEOUT
    discord.deadline *= slowness()
    members = [discord.member(f"Member {n}") for n in range(5)]
    async with process(commit_seconds=0.5) as bot:
        tasks = [asyncio.create_task(client.slash("avatar", hair="blue")) for client in members]

        def answered() -> bool:
            return any(i.answer is not None for i in discord.interactions.values())

        await discord.wait_until(answered, "no request is answered")
        assert await bot.stop(signal.SIGKILL) == -signal.SIGKILL
    acknowledged = [i for i in discord.interactions.values() if i.answer == DEFERRED]
    async with process():
        await discord.wait_until(
            lambda: all(i.original and i.original.files for i in acknowledged),
            "an acknowledged request is lost",
        )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    discord.violations.clear()  # requests that were not acknowledged


async def test_sigterm_finishes_running_requests(
    discord: DiscordServer,
    registry: Registry,
    process: StartProcess,
    tmp_path: Path,
    mika: UserClient,
    ren: UserClient,
) -> None:
    async with process() as bot:
        tasks = [
            asyncio.create_task(client.slash("avatar", hair="blue", count=9))
            for client in (mika, ren)
        ]
        await discord.wait_until(
            lambda: [i.answer for i in discord.interactions.values()] == [5, 5], "not acknowledged"
        )
        assert await bot.stop(signal.SIGTERM) == 0
    replies = await asyncio.gather(*tasks)
    async with process():  # sends replies that exceeded the grace period
        await discord.wait_until(
            lambda: all(len(r.pictures) == 9 for r in replies), "no pictures", 60
        )
    assert await count_avatars(tmp_path) == 18
    assert "Traceback" not in bot.log


async def test_the_log_contains_no_secrets(
    discord: DiscordServer,
    registry: Registry,
    process: StartProcess,
    mika: UserClient,
    ren: UserClient,
) -> None:
    async with process("--log.level", "DEBUG", "--log.format", "json") as bot:
        reply = await mika.slash("avatar", hair="pink", eyes="orange", count=2)
        await (await ren.click(await reply.wait_for_pictures(), label="🎲")).wait_for_pictures()
        await ren.slash("gallery", scope="everyone")
        await ren.mention_bot("no such color zzyzx")
        await ren.mention_bot("blue hair please")
        await ren.send("a secret between friends", channel=discord.general)
        assert await bot.stop(signal.SIGTERM) == 0
    lines = [json.loads(line) for line in bot.log.splitlines()]
    orders = [line for line in lines if line["message"] == "order"]
    assert [(o["work"], o["pictures"], o["outcome"]) for o in orders] == [
        ("create", 2, "done"),
        ("again", 1, "done"),
        ("create", 1, "done"),
    ]
    assert orders[0]["guild"] == str(discord.default_guild.id)
    tokens = [interaction.token for interaction in discord.interactions.values()]
    for secret in (discord.token, *tokens, "zzyzx", "blue hair", "a secret between friends"):
        assert secret not in bot.log
