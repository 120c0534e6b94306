"""Buttons of messages and a reply that a previous process of the bot has left."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from discord_server import DiscordServer, UserClient
from paused_engine import PausedEngine

from bot.discord import client, delivery
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import GalleryQuery, Owner


async def test_sibling_gif_and_forget_buttons_work_after_a_restart(
    run: Callable[..., AbstractAsyncContextManager[None]],
    studio: Studio,
    mika: UserClient,
    ren: UserClient,
) -> None:
    me = Owner("discord", str(mika.id))
    a, b = await studio.painting.create({}, Request(me), count=2)
    async with run(studio):
        child = await mika.slash("mix", a=a.id, b=b.id)
        morph = await mika.slash("morph", a=a.id, b=b.id)
        panel = await mika.slash("privacy")
    async with run(studio):
        assert len((await ren.click(child, label="Sibling")).pictures) == 1
        (gif,) = (await ren.click(morph, label="As GIF")).attachments
        assert gif.data.startswith(b"GIF8")
        await mika.click(panel, label="Forget me")
    async with run(studio):
        await mika.click(panel, label="Delete everything")
    assert (await studio.gallery.page(GalleryQuery("mine", me, None, {}))).avatars == []


async def test_a_deleted_picture_is_painted_again_after_a_restart(
    discord: DiscordServer,
    run: Callable[..., AbstractAsyncContextManager[None]],
    studio: Studio,
    engine: Engine,
    ren: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = Owner("discord", "1")
    (avatar,) = await studio.painting.create({"hair": "pink"}, Request(owner))
    picture = await studio.avatars.picture(avatar.id, owner)
    await studio.avatars.delete(avatar.id, owner)
    monkeypatch.setattr(client, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 0.05)
    paused = PausedEngine(engine, monkeypatch)
    async with run(studio):
        reply = await ren.slash("show", picture=("face.png", picture.data))
    assert reply.pictures == []
    paused.resume()
    async with run(studio):
        await discord.wait_until(lambda: reply.pictures, "no picture after the restart")
    assert "pink hair" in reply.text
    assert "painted again from the recipe" in reply.text
