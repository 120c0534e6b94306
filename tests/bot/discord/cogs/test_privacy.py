import io
import json
import zipfile

import pytest
from discord_server import DiscordServer, Reply, UserClient

from bot.studio import Studio
from db.records import GalleryQuery, Owner

pytestmark = pytest.mark.usefixtures("bot")


def read_zip(reply: Reply) -> zipfile.ZipFile:
    (file,) = reply.attachments
    return zipfile.ZipFile(io.BytesIO(file.data))


async def avatar_ids(studio: Studio, client: UserClient) -> list[str]:
    query = GalleryQuery("mine", Owner("discord", str(client.id)), None, {})
    return [avatar.id for avatar in (await studio.gallery.page(query)).avatars]


async def test_privacy_command_lists_the_stored_data(mika: UserClient) -> None:
    panel = await mika.slash("privacy")
    assert panel.ephemeral
    assert "seed" in panel.text
    assert "painted in your browser" in panel.text
    assert [button.label for button in panel.buttons] == ["Export", "Forget me"]


async def test_export_contains_the_pictures_and_their_metadata(
    studio: Studio, mika: UserClient
) -> None:
    await mika.slash("avatar", hair="pink", count=2, private=True)
    answer = await mika.click(await mika.slash("privacy"), label="Export")
    assert answer.ephemeral
    archive = read_zip(answer)
    entries = json.loads(archive.read("avatars.json"))
    assert {entry["conditions"]["hair"] for entry in entries} == {"pink"}
    for entry in entries:
        assert archive.read(entry["picture"]).startswith(b"\x89PNG")
    assert sorted(entry["id"] for entry in entries) == sorted(await avatar_ids(studio, mika))


async def test_a_large_export_is_split_into_several_files(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    await mika.slash("avatar", count=3)
    discord.file_bytes = 20_000
    answer = await mika.click(await mika.slash("privacy"), label="Export")
    parts = [read_zip(answer)]
    while answer.buttons:
        answer = await mika.click(answer, custom_id=answer.buttons[0].custom_id)
        parts.append(read_zip(answer))
    assert len(parts) > 1
    assert f"Part {len(parts)} of {len(parts)}" in answer.text
    ids = [entry["id"] for part in parts for entry in json.loads(part.read("avatars.json"))]
    assert sorted(ids) == sorted(await avatar_ids(studio, mika))


async def test_forget_deletes_everything_after_confirmation(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    await mika.slash("avatar", count=2)
    await ren.slash("avatar")
    panel = await mika.slash("privacy")
    await mika.click(panel, label="Forget me")
    assert len(await avatar_ids(studio, mika)) == 2
    await mika.click(panel, label="Delete everything")
    assert "2 pictures" in panel.text
    assert panel.buttons == []
    assert await avatar_ids(studio, mika) == []
    assert len(await avatar_ids(studio, ren)) == 1


async def test_a_canceled_forget_deletes_nothing(studio: Studio, mika: UserClient) -> None:
    await mika.slash("avatar")
    panel = await mika.slash("privacy")
    await mika.click(panel, label="Forget me")
    await mika.click(panel, label="Keep it")
    assert panel.buttons == []
    assert len(await avatar_ids(studio, mika)) == 1
