import io
import json
import zipfile

import pytest
from discord_server import DiscordServer, Reply, UserClient

from bot.studio import Studio
from db.records import GalleryQuery, Owner

pytestmark = pytest.mark.usefixtures("bot")


def unzipped(reply: Reply) -> zipfile.ZipFile:
    (file,) = reply.attachments
    return zipfile.ZipFile(io.BytesIO(file.data))


async def gallery(studio: Studio, person: UserClient) -> list[str]:
    query = GalleryQuery("mine", Owner("discord", str(person.id)), None, {})
    return [avatar.id for avatar in (await studio.gallery.page(query)).avatars]


async def test_privacy_command_lists_the_stored_data(mika: UserClient) -> None:
    panel = await mika.slash("privacy")
    assert panel.ephemeral
    assert "seed" in panel.text
    assert [button.label for button in panel.buttons] == ["Export", "Forget me"]


async def test_export_contains_the_pictures_and_their_metadata(
    studio: Studio, mika: UserClient
) -> None:
    await mika.slash("avatar", hair="pink", count=2, private=True)
    answer = await mika.click(await mika.slash("privacy"), label="Export")
    assert answer.ephemeral
    archive = unzipped(answer)
    known = json.loads(archive.read("avatars.json"))
    assert {entry["conditions"]["hair"] for entry in known} == {"pink"}
    for entry in known:
        assert archive.read(entry["picture"]).startswith(b"\x89PNG")
    assert sorted(entry["id"] for entry in known) == sorted(await gallery(studio, mika))


async def test_a_large_export_is_split_into_several_files(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    await mika.slash("avatar", count=3)
    discord.file_bytes = 20_000
    answer = await mika.click(await mika.slash("privacy"), label="Export")
    parts = [unzipped(answer)]
    while answer.buttons:
        answer = await mika.click(answer, custom_id=answer.buttons[0].custom_id)
        parts.append(unzipped(answer))
    assert len(parts) > 1
    assert f"Part {len(parts)} of {len(parts)}" in answer.text
    found = [entry["id"] for part in parts for entry in json.loads(part.read("avatars.json"))]
    assert sorted(found) == sorted(await gallery(studio, mika))


async def test_forget_deletes_everything_after_confirmation(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    await mika.slash("avatar", count=2)
    await ren.slash("avatar")
    panel = await mika.slash("privacy")
    await mika.click(panel, label="Forget me")
    assert len(await gallery(studio, mika)) == 2
    await mika.click(panel, label="Delete everything")
    assert "2 pictures" in panel.text
    assert panel.buttons == []
    assert await gallery(studio, mika) == []
    assert len(await gallery(studio, ren)) == 1


async def test_a_canceled_forget_deletes_nothing(studio: Studio, mika: UserClient) -> None:
    await mika.slash("avatar")
    panel = await mika.slash("privacy")
    await mika.click(panel, label="Forget me")
    await mika.click(panel, label="Keep it")
    assert panel.buttons == []
    assert len(await gallery(studio, mika)) == 1
