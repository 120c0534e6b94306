import io

import pytest
from discord_server import DiscordServer, UserClient
from PIL import Image

from bot.studio import Request, Studio
from db.records import Avatar, Owner

pytestmark = pytest.mark.usefixtures("bot")


def owner(client: UserClient) -> Owner:
    return Owner("discord", str(client.id))


async def create(studio: Studio, client: UserClient, private: bool = False, **wish: str) -> Avatar:
    (avatar,) = await studio.painting.create(wish, Request(owner(client), private=private))
    return avatar


async def test_morph_replies_with_an_animation_and_descriptions_of_its_faces(
    studio: Studio, mika: UserClient
) -> None:
    a = await create(studio, mika, hair="pink", eyes="blue")
    b = await create(studio, mika, hair="black", eyes="red")
    c = await create(studio, mika, hair="green", eyes="red")
    reply = await mika.slash("morph", a=a.id, b=b.id, c=c.id)
    assert not reply.ephemeral
    (file,) = reply.attachments
    with Image.open(io.BytesIO(file.data)) as image:
        assert image.format == "WEBP"
        assert getattr(image, "n_frames", 1) > 3
        assert image.info["loop"] == 0
    path = "pink hair, blue eyes → black hair, red eyes → green hair, red eyes"
    assert reply.alt_texts == [f"morph of anime avatars: {path}"]
    assert all(face.id in reply.text for face in (a, b, c))
    card = await mika.select(reply, "irodori:open", [b.id])
    assert card.ephemeral
    assert "black hair" in card.text


async def test_morph_can_be_sent_as_gif(studio: Studio, mika: UserClient, ren: UserClient) -> None:
    a, b = await create(studio, mika), await create(studio, mika)
    reply = await mika.slash("morph", a=a.id, b=b.id)
    gif = await ren.click(reply, label="As GIF")
    (file,) = gif.attachments
    assert file.filename.endswith(".gif")
    assert file.data.startswith(b"GIF8")
    assert f"<@{ren.id}>" in gif.text
    assert [button.label for button in gif.buttons] == []


async def test_a_morph_of_a_private_picture_is_private(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    a, b = await create(studio, mika, private=True), await create(studio, mika)
    assert (await mika.slash("morph", a=a.id, b=b.id)).ephemeral
    others = await ren.slash("morph", a=a.id, b=b.id)
    missing = await ren.slash("morph", a="bbbbbbbb", b=b.id)
    assert others.attachments == []
    assert others.text.replace(a.id, "") == missing.text.replace("bbbbbbbb", "")


async def test_morphing_a_picture_with_itself_is_rejected(studio: Studio, mika: UserClient) -> None:
    a, b = await create(studio, mika), await create(studio, mika)
    reply = await mika.slash("morph", a=a.id, b=b.id, c=a.id)
    assert reply.ephemeral
    assert "twice" in reply.text


async def test_a_rejected_upload_is_retried_with_a_smaller_file(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    a, b = await create(studio, mika, hair="pink"), await create(studio, mika, hair="black")
    full = await mika.slash("morph", a=a.id, b=b.id)
    discord.inject_fault(r"/messages/@original$", 413, method="PATCH")
    reply = await mika.slash("morph", a=a.id, b=b.id)
    assert "smaller" in reply.text
    assert len(reply.attachments[0].data) <= len(full.attachments[0].data) / 2


async def test_an_animation_too_large_for_any_upload_gets_an_error_message(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    a, b = await create(studio, mika), await create(studio, mika)
    discord.file_bytes = 100
    reply = await mika.slash("morph", a=a.id, b=b.id)
    assert reply.ephemeral
    assert "too large" in reply.text
