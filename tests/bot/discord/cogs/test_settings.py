import io
from typing import Any

import pytest
from discord_server import DiscordServer, Reply, UserClient
from PIL import Image
from tiny_model import add_model

from bot.i18n.messages import LANGUAGES, say
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import GalleryQuery, MemberSettings, Owner
from export.registry import Registry

from ..conftest import Run


def selected(panel: Reply) -> dict[str, str]:
    return {
        select.custom_id.rpartition(":")[2]: option["value"]
        for select in panel.selects
        for option in select.options
        if option.get("default")
    }


def owner(client: UserClient) -> Owner:
    return Owner("discord", str(client.id))


@pytest.mark.usefixtures("bot")
async def test_a_selected_setting_is_saved_immediately(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    panel = await mika.slash("settings")
    assert panel.ephemeral
    assert selected(panel) == {"private": "default", "size": "default", "language": "default"}
    await mika.select(panel, "irodori:set:private", ["yes"])
    await mika.select(panel, "irodori:set:size", ["64"])
    assert selected(panel) == {"private": "yes", "size": "64", "language": "default"}
    assert await studio.members.settings(owner(mika)) == MemberSettings(private=True, size=64)
    assert await studio.members.settings(owner(ren)) == MemberSettings()
    await mika.select(panel, "irodori:set:private", ["default"])
    assert await studio.members.settings(owner(mika)) == MemberSettings(size=64)


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_panel_switches_to_the_selected_language(mika: UserClient, language: str) -> None:
    panel = await mika.slash("settings")
    await mika.select(panel, "irodori:set:language", [language])
    assert say("settings-title", language) in panel.text
    again = await mika.slash("settings")
    assert say("settings-title", language) in again.text
    assert selected(again)["language"] == language


async def test_a_panel_sent_before_a_restart_still_saves(
    discord: DiscordServer, run: Run, studio: Studio, mika: UserClient
) -> None:
    async with run(studio):
        panel = await mika.slash("settings")
    async with run(studio):
        await mika.select(panel, "irodori:set:language", ["ja"])
    assert (await studio.members.settings(owner(mika))).language == "ja"


@pytest.mark.usefixtures("bot")
async def test_a_child_has_the_privacy_of_the_settings(studio: Studio, mika: UserClient) -> None:
    a, b = await studio.painting.create({}, Request(owner(mika)), count=2)
    await studio.members.save_settings(owner(mika), MemberSettings(private=True))
    assert (await mika.slash("mix", a=a.id, b=b.id)).ephemeral
    assert not (await mika.slash("mix", a=a.id, b=b.id, private=False)).ephemeral


@pytest.mark.usefixtures("bot")
async def test_pictures_made_from_another_members_picture_have_the_privacy_of_the_settings(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    theirs = await ren.slash("avatar", hair="pink", eyes="blue")
    await studio.members.save_settings(owner(mika), MemberSettings(private=True))
    panel = await mika.click(theirs, label="🎨")
    await mika.select(panel, panel.selects[0].custom_id, ["hair=green"])
    for reply in (
        await mika.click(theirs, label="🎲"),
        await mika.click(theirs, label="✨"),
        await mika.click(panel, label="Paint"),
    ):
        assert reply.ephemeral
        assert reply.pictures
    mine = await studio.gallery.page(GalleryQuery("mine", owner(mika), None, {}, limit=20))
    assert [avatar.private for avatar in mine.avatars] == [True] * 11


async def test_a_size_is_kept_while_a_model_that_cannot_paint_it_is_in_use(
    registry: Registry, engine: Engine, studio: Studio, run: Run, mika: UserClient
) -> None:
    add_model(registry, "large", upscaler=True)
    async with run(studio):
        registry.use("large")
        assert await engine.refresh()
        panel = await mika.slash("settings")
        await mika.select(panel, "irodori:set:size", ["128"])
        registry.use("tiny")
        assert await engine.refresh()
        panel = await mika.slash("settings")
        await mika.select(panel, "irodori:set:language", ["en"])
        assert selected(panel)["size"] == "default"
        assert await studio.members.settings(owner(mika)) == MemberSettings(language="en")
        registry.use("large")
        assert await engine.refresh()
        assert (await studio.members.settings(owner(mika))).size == 128


async def test_size_comes_from_the_option_or_the_settings(
    registry: Registry, engine: Engine, studio: Studio, run: Run, mika: UserClient
) -> None:
    add_model(registry, "large", upscaler=True)
    registry.use("large")
    assert await engine.refresh()
    async with run(studio):

        async def size(name: str, **options: Any) -> int:
            (file,) = (await mika.slash(name, **options)).attachments
            with Image.open(io.BytesIO(file.data)) as image:
                assert image.width == image.height
                return image.width

        assert [await size("avatar", size=s) for s in (64, 128, 256)] == [64, 128, 256]
        assert await size("avatar") == 256
        panel = await mika.slash("settings")
        await mika.select(panel, "irodori:set:size", ["128"])
        assert await size("avatar") == 128
        assert await size("avatar", size=64) == 64
        a, b = await studio.painting.create({}, Request(owner(mika)), count=2)
        assert await size("me") == 128
        assert await size("mix", a=a.id, b=b.id) == 128
        assert await size("morph", a=a.id, b=b.id) == 128
