import io

import pytest
from discord_server import UserClient
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from bot.studio import Request, Studio
from db.records import GalleryQuery, MemberSettings, Owner
from db.store import Store

pytestmark = pytest.mark.usefixtures("bot")


async def test_show_command_replies_with_picture_and_buttons(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    (avatar,) = await studio.painting.create(
        {"hair": "pink"}, Request(Owner("discord", str(mika.id)))
    )
    reply = await ren.slash("show", id=f" {avatar.id.upper()}")
    assert not reply.ephemeral
    assert "pink hair" in reply.text
    assert {button.emoji for button in reply.buttons} >= {"🎲", "🎨", "✨", "🧬", "♥️", "ℹ️", "🗑️"}


async def test_a_private_picture_is_shown_only_to_its_owner(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    mine = Owner("discord", str(mika.id))
    (avatar,) = await studio.painting.create({"hair": "pink"}, Request(mine, private=True))
    assert (await mika.slash("show", id=avatar.id)).ephemeral
    rejected = await ren.slash("show", id=avatar.id)
    missing = await ren.slash("show", id="bbbbbbbb")
    assert rejected.ephemeral
    assert rejected.text.replace(avatar.id, "bbbbbbbb") == missing.text


async def test_autocomplete_suggests_own_pictures(studio: Studio, mika: UserClient) -> None:
    (avatar,) = await studio.painting.create(
        {"hair": "pink"}, Request(Owner("discord", str(mika.id)))
    )
    (choice,) = await mika.autocomplete("show", id="pink")
    assert choice.value == avatar.id


async def test_a_saved_attachment_opens_as_itself(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    await mika.slash("avatar", hair="pink")
    (message,) = mika.messages()
    (saved,) = message.attachments
    reply = await ren.slash("show", picture=(saved.filename, await message.fetch(saved)))
    assert not reply.ephemeral
    assert reply.text.endswith("The file is this picture, unchanged.")
    assert {button.emoji for button in reply.buttons} >= {"🎲", "🗑️"}


async def test_a_deleted_picture_is_painted_again_from_its_attachment(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    mine = Owner("discord", str(mika.id))
    (avatar,) = await studio.painting.create({"hair": "pink"}, Request(mine))
    picture = await studio.avatars.picture(avatar.id, mine)
    await studio.avatars.delete(avatar.id, mine)
    reply = await ren.slash("show", picture=("face.png", picture.data))
    assert "painted again from the recipe" in reply.text
    assert "pink hair" in reply.text
    assert avatar.id not in reply.text


async def test_a_file_is_opened_in_private_for_members_whose_pictures_are(
    store: Store, studio: Studio, mika: UserClient
) -> None:
    mine = Owner("discord", str(mika.id))
    await studio.members.save_settings(mine, MemberSettings(private=True))
    (avatar,) = await studio.painting.create({"hair": "pink"}, Request(mine))
    picture = await studio.avatars.picture(avatar.id, mine)
    assert (await mika.slash("show", picture=("face.png", picture.data))).ephemeral
    await studio.avatars.delete(avatar.id, mine)
    reply = await mika.slash("show", picture=("face.png", picture.data))
    assert reply.ephemeral
    assert "painted again from the recipe" in reply.text
    (again,) = (await store.galleries.page(GalleryQuery("mine", mine, None, {}))).avatars
    assert again.private


async def test_a_changed_attachment_is_told(studio: Studio, mika: UserClient) -> None:
    mine = Owner("discord", str(mika.id))
    one, other = await studio.painting.create({}, Request(mine), count=2)
    recipes = [await studio.avatars.picture(avatar.id, mine) for avatar in (one, other)]
    plain = recipes[0].data.replace(one.id.encode(), other.id.encode())
    broken = await mika.slash("show", picture=("face.png", plain))  # its checksum is wrong
    assert broken.ephemeral
    assert "not a PNG" in broken.text
    image, info = Image.open(io.BytesIO(recipes[0].data)), PngInfo()
    assert isinstance(image, PngImageFile)
    info.add_text("irodori", str(image.text["irodori"]).replace(one.id, other.id))
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=info)
    reply = await mika.slash("show", picture=("face.png", file.getvalue()))
    assert "this file was changed" in reply.text


async def test_show_needs_an_id_or_a_file(mika: UserClient) -> None:
    reply = await mika.slash("show")
    assert reply.ephemeral
    assert reply.text == "Please give an id or a picture's file."
    reply = await mika.slash("show", picture=("notes.txt", b"hello"))
    assert "not a PNG" in reply.text
