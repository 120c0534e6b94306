import asyncio

import pytest
from discord_server import ADMINISTRATOR, BotError, DiscordServer, UserClient
from paused_engine import PausedEngine
from tiny_model import HAIR, add_model

from bot.inference.engine import Engine
from bot.studio import Studio
from export.registry import Registry

from ..conftest import Run


@pytest.mark.usefixtures("bot")
async def test_model_list_shows_models_and_their_metrics(
    discord: DiscordServer, registry: Registry
) -> None:
    add_model(registry, "better", brightness=0.2)
    reply = await discord.operator.slash("model list")
    assert reply.ephemeral
    assert [line[0] for line in reply.text.splitlines()] == ["▫", "▶"]
    assert "**tiny**" in reply.text
    assert "FD ratio (Lite2) 1.5" in reply.text


async def painted_by(client: UserClient) -> str:
    """The details of a new picture, which name its model."""
    return (await client.click(await client.slash("avatar", hair="pink"), label="ℹ️")).text


@pytest.mark.usefixtures("bot")
async def test_model_use_and_rollback_switch_immediately(
    discord: DiscordServer, registry: Registry, mika: UserClient
) -> None:
    add_model(registry, "better", brightness=0.2)
    operator = discord.operator
    assert [c.value for c in await operator.autocomplete("model use", model="bet")] == ["better"]
    assert "better" in (await operator.slash("model use", model="better")).text
    assert "`better`" in await painted_by(mika)
    assert "tiny" in (await operator.slash("model rollback")).text
    assert "`tiny`" in await painted_by(mika)
    registry.use("better")
    assert "better" in (await operator.slash("model reload")).text


@pytest.mark.usefixtures("bot")
async def test_a_model_that_cannot_be_used_changes_nothing(
    discord: DiscordServer, registry: Registry, studio: Studio
) -> None:
    add_model(registry, "broken")
    (registry.folder("broken") / "generator.onnx").write_bytes(b"broken")
    for name in ("broken", "nowhere"):
        reply = await discord.operator.slash("model use", model=name)
        assert name in reply.text
    assert studio.model_name == "tiny"


@pytest.mark.usefixtures("bot")
async def test_queued_requests_are_finished_by_the_previous_model(
    discord: DiscordServer,
    registry: Registry,
    engine: Engine,
    mika: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_model(registry, "bald", (HAIR,))
    paused = PausedEngine(engine, monkeypatch)
    task = asyncio.create_task(mika.slash("avatar", hair="pink", eyes="blue"))
    await paused.batch_started()
    await discord.operator.slash("model use", model="bald")
    paused.resume()
    reply = await task
    await discord.wait_until(lambda: reply.pictures, "no picture")
    assert "`tiny`" in (await mika.click(reply, label="ℹ️")).text
    # The command options are already those of the new model.
    options = {o["name"] for c in discord.commands[None].values() for o in c.get("options", [])}
    assert "hair" in options
    assert "eyes" not in options


async def test_model_command_is_restricted_to_the_application_owner(
    discord: DiscordServer, run: Run, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    server_admin = discord.member("Aki", permissions=ADMINISTRATOR)
    async with run(studio, admins=(ren.id,)):
        with pytest.raises(BotError, match="does not see 'model'"):
            await mika.slash("model list")
        rejected = await server_admin.slash("model list")
        assert rejected.ephemeral
        assert "Only operators of this bot" in rejected.text
        assert "**tiny**" in (await ren.slash("model list", channel=ren.dm)).text


async def test_all_members_of_the_owning_team_can_use_the_model_command(
    discord: DiscordServer, run: Run, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    discord.team = [ren.user, discord.owner]
    async with run(studio):
        assert "**tiny**" in (await ren.slash("model list", channel=ren.dm)).text
        assert "Only" in (await mika.slash("stats", channel=mika.dm)).text
