import io
from datetime import UTC, datetime

import numpy as np
import pytest
from discord_server import DiscordServer, UserClient
from PIL import Image

from bot.i18n.messages import say
from bot.studio import Studio
from db.records import Owner
from db.store import Store

from .conftest import Community

MEMBERS = 1 << 1  # the intent
NOW = datetime.now(UTC)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.usefixtures("clock")
async def test_a_newcomer_is_welcomed_once_with_the_face_of_me(
    community: Community, discord: DiscordServer
) -> None:
    discord.granted_intents = MEMBERS
    await community.change(welcome=community.channel)
    async with community.run(members_intent=True):
        aki = await discord.join("Aki")
        [post] = await community.posts(1)
        assert post.text == say("welcome-text", member=f"<@{aki.id}>")
        assert post.message.mentions == []
        mine = await aki.slash("me")
        [face], [of_me] = post.pictures, mine.pictures
        assert np.array_equal(pixels(face.data), pixels(of_me.data))
        await discord.leave(aki)
        await discord.join("Aki")
    async with community.run(members_intent=True):
        await community.posts(1)


@pytest.mark.usefixtures("clock")
async def test_nobody_is_welcomed_unless_an_admin_has_turned_it_on(
    community: Community, discord: DiscordServer, store: Store, mika: UserClient
) -> None:
    discord.granted_intents = MEMBERS
    async with community.run(members_intent=True):
        await discord.join("Aki")
        await mika.slash("help")  # answered after the event
    assert await store.posts.take([str(discord.default_guild.id)], NOW, 9) == []
    assert [r for r in mika.messages() if not r.ephemeral] == []


@pytest.mark.usefixtures("clock")
async def test_forgetting_a_newcomer_deletes_the_welcome(
    community: Community, discord: DiscordServer, studio: Studio
) -> None:
    discord.granted_intents = MEMBERS
    await community.change(welcome=community.channel)
    async with community.run(members_intent=True):
        aki = await discord.join("Aki")
        await community.posts(1)
        await studio.members.delete_everything(Owner("discord", str(aki.id)))
        await community.posts(0)


async def test_without_the_granted_intent_the_bot_says_so_and_serves_everything_else(
    community: Community,
    discord: DiscordServer,
    admin: UserClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with community.run(members_intent=True):
        panel = await admin.slash("settings", server=True)
        await admin.select(panel, "irodori:server:section", ["welcome"])
        assert say("server-no-intent") in panel.text
    assert "turn it on at https://discord.com/developers/applications" in caplog.text
    assert [violation.code for violation in discord.violations] == [4014]
    discord.violations.clear()
