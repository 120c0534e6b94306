import io

import numpy as np
import pytest
from discord_server import DiscordServer, Reply, UserClient
from PIL import Image
from tiny_model import add_model

from bot.i18n.messages import say
from bot.inference.engine import Engine
from bot.studio import Studio
from db.records import Owner
from export.registry import Registry

from .conftest import Community


def width(post: Reply) -> int:
    return Image.open(io.BytesIO(post.pictures[0].data)).width


async def until(post: Reply, text: str) -> None:
    await post._server.wait_until(lambda: text in post.text, f"{post.text!r} has no {text!r}")


@pytest.mark.usefixtures("clock")
async def test_members_join_and_leave_and_the_same_message_shows_them(
    community: Community, mika: UserClient, ren: UserClient
) -> None:
    await community.change(portrait=community.channel)
    async with community.run():
        [post] = await community.posts(1)
        assert say("portrait-how", count=0) in post.text
        assert post.pictures == []
        assert (await mika.click(post, label="🙋")).ephemeral
        await until(post, say("portrait-how", count=1))
        assert width(post) == 64
    async with community.run():
        await ren.click(post, label="🙋")
        await until(post, say("portrait-how", count=2))
        assert width(post) > 128
        await mika.click(post, label="🙋")
        await until(post, say("portrait-how", count=1))
    assert len(await community.posts(1)) == 1


@pytest.mark.usefixtures("clock")
async def test_who_is_forgotten_or_leaves_the_server_is_removed(
    community: Community, discord: DiscordServer, studio: Studio, guild: str
) -> None:
    discord.granted_intents = 1 << 1
    members = [discord.member(name) for name in ("Aki", "Ben", "Cho")]
    await community.change(portrait=community.channel)
    for member in members:
        await studio.community.portrait.toggle(guild, Owner("discord", str(member.id)))
    aki, ben, cho = members
    async with community.run(members_intent=True):
        [post] = await community.posts(1)
        await until(post, say("portrait-how", count=3))
        await studio.members.delete_everything(Owner("discord", str(aki.id)))
        await until(post, say("portrait-how", count=2))
        await discord.leave(ben)
        await until(post, say("portrait-how", count=1))
    del discord.default_guild.members[cho.id]  # while the bot is away
    async with community.run():
        await until(post, say("portrait-how", count=0))
        assert post.pictures == []
    # Discord's answer to the question whether Cho is a member
    assert {violation.code for violation in discord.violations} == {10007}
    discord.violations.clear()


@pytest.mark.usefixtures("clock")
async def test_the_portrait_follows_the_model_and_is_deleted_when_it_is_turned_off(
    community: Community,
    registry: Registry,
    engine: Engine,
    studio: Studio,
    mika: UserClient,
    guild: str,
) -> None:
    await community.change(portrait=community.channel)
    await studio.community.portrait.toggle(guild, Owner("discord", str(mika.id)))
    async with community.run():
        [post] = await community.posts(1)
        before = np.asarray(Image.open(io.BytesIO(post.pictures[0].data)))
        add_model(registry, "other", brightness=0.5)
        registry.use("other")
        assert await engine.refresh()
        await post.wait_for_edit()
        after = np.asarray(Image.open(io.BytesIO(post.pictures[0].data)))
        assert not np.array_equal(before, after)
        await community.change(portrait=None)
        await community.posts(0)
