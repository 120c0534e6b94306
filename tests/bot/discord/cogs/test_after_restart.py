"""Buttons of messages that a previous process of the bot has sent."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from discord_server import UserClient

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
