import io

import pytest
from discord_server import DiscordServer, Reply, UserClient
from PIL import Image
from tiny_model import add_model, attribute

from bot.discord.find_state import FindState, require_short, tag_of
from bot.errors import BadPrompt
from bot.inference.engine import Engine
from bot.studio import Studio
from db.records import GalleryQuery, GuildLimits, Owner
from export.registry import Registry

from ..conftest import Run, avatar_id

SUCCESS = 3  # the style of a chosen face's button


def chosen(reply: Reply) -> list[str]:
    return [button.label for button in reply.buttons if button.style == SUCCESS]


def is_enabled(reply: Reply, label: str) -> bool:
    (found,) = [button for button in reply.buttons if button.label == label]
    return not found.disabled


async def picture(reply: Reply) -> bytes:
    (file,) = reply.pictures
    return await reply.fetch(file)


@pytest.mark.usefixtures("bot")
async def test_choosing_undoing_and_adopting(studio: Studio, mika: UserClient) -> None:
    sheet = await mika.slash("find", hair="pink")
    assert not sheet.ephemeral
    assert "sheet 1 of 4" in sheet.text
    assert "hair:pink" in sheet.text
    first = await picture(sheet)
    image = Image.open(io.BytesIO(first))
    assert image.width == image.height == 3 * 64 + 2 * 2
    (alt,) = sheet.alt_texts
    assert alt is not None
    assert alt.startswith("nine faces: 1: pink hair, ")
    assert [button.label for button in sheet.buttons] == [
        *"123456789",
        "Nearer",
        "Undo",
        "Adopt",
    ]
    assert not any(is_enabled(sheet, label) for label in ("Nearer", "Undo", "Adopt"))

    await mika.click(sheet, label="3")
    assert chosen(sheet) == ["3"]
    assert is_enabled(sheet, "Adopt")
    await mika.click(sheet, label="1")
    await mika.click(sheet, label="5")
    await mika.click(sheet, label="5")
    assert chosen(sheet) == ["1", "3"]
    assert is_enabled(sheet, "Nearer")
    assert not is_enabled(sheet, "Adopt")
    assert await picture(sheet) == first

    await mika.click(sheet, label="Nearer")
    assert "sheet 2 of 4" in sheet.text
    assert chosen(sheet) == []
    second = await picture(sheet)
    assert second != first
    assert len(sheet.attachments) == 1

    await mika.click(sheet, label="Undo")
    assert "sheet 1 of 4" in sheet.text
    assert chosen(sheet) == ["1", "3"]
    assert await picture(sheet) == first
    await mika.click(sheet, label="Nearer")
    assert await picture(sheet) == second

    await mika.click(sheet, label="7")
    card = await mika.click(sheet, label="Adopt")
    assert f"<@{mika.id}>" in card.text
    avatar = await studio.avatars.get(avatar_id(card), None)
    assert (avatar.choices, avatar.wish) == ("13.7", {"hair": "pink"})
    assert avatar.owner == Owner("discord", str(mika.id))
    assert [file.filename for file in card.pictures] == [f"irodori-{avatar.id}.png"]
    page = await studio.gallery.page(
        GalleryQuery(scope="everyone", viewer=None, guild=None, values={})
    )
    assert [found.id for found in page.avatars] == [avatar.id], "sheets are not stored"


@pytest.mark.usefixtures("bot")
async def test_a_search_ends_with_the_fourth_sheet(mika: UserClient) -> None:
    sheet = await mika.slash("find")
    for _ in range(3):
        await mika.click(sheet, label="2")
        await mika.click(sheet, label="Nearer")
    assert "sheet 4 of 4" in sheet.text
    await mika.click(sheet, label="2")
    assert not is_enabled(sheet, "Nearer")
    assert is_enabled(sheet, "Adopt")
    assert "2.2.2.2" in (await mika.click(await mika.click(sheet, label="Adopt"), label="ℹ️")).text


@pytest.mark.usefixtures("bot")
async def test_only_the_member_who_started_it_chooses(mika: UserClient, ren: UserClient) -> None:
    sheet = await mika.slash("find")
    await mika.click(sheet, label="4")
    for label in ("4", "Nearer", "Adopt"):
        refusal = await ren.click(sheet, label=label)
        assert refusal.ephemeral
        assert "/find" in refusal.text
    assert chosen(sheet) == ["4"]


@pytest.mark.usefixtures("bot")
async def test_private_searches_and_what_is_adopted_from_them(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    sheet = await mika.slash("find", private=True)
    assert sheet.ephemeral
    await mika.click(sheet, label="9")
    card = await mika.click(sheet, label="Adopt")
    assert card.ephemeral
    assert not ren.can_see(card)
    owner = Owner("discord", str(mika.id))
    assert (await studio.avatars.get(avatar_id(card), owner)).private

    settings = await mika.slash("settings")
    await mika.select(settings, "irodori:set:private", ["yes"])
    assert (await mika.slash("find")).ephemeral


@pytest.mark.parametrize(
    ("locale", "command", "nearer", "title"),
    [
        ("zh-CN", "/寻找", "更接近", "第 1 轮，共 4 轮"),
        ("ja", "/さがす", "もっと近く", "4回中1回目"),
    ],
)
@pytest.mark.usefixtures("bot")
async def test_searches_in_other_languages(
    discord: DiscordServer, locale: str, command: str, nearer: str, title: str
) -> None:
    yui = discord.member("Yui", locale=locale)
    sheet = await yui.slash("find")
    assert title in sheet.text
    await yui.click(sheet, label="1")
    await yui.click(sheet, label=nearer)
    assert command in (await yui.slash("help")).text


async def test_a_search_continues_after_a_restart_and_a_change_of_the_model(
    run: Run, studio: Studio, engine: Engine, registry: Registry, mika: UserClient
) -> None:
    async with run(studio):
        sheet = await mika.slash("find", eyes="red")
        first = await picture(sheet)
        await mika.click(sheet, label="6")
    add_model(registry, "other", (attribute("hat", "red"),))
    registry.use("other")
    assert await engine.refresh()
    async with run(studio):
        await mika.click(sheet, label="Nearer")
        assert "tiny" in sheet.text
        await mika.click(sheet, label="Undo")
        assert await picture(sheet) == first
        card = await mika.click(sheet, label="Adopt")
        avatar = await studio.avatars.get(avatar_id(card), None)
        assert (avatar.model, avatar.choices) == ("tiny", "6")


@pytest.mark.usefixtures("bot")
async def test_a_search_with_a_deleted_model_ends_with_a_message(
    studio: Studio, engine: Engine, registry: Registry, mika: UserClient
) -> None:
    sheet = await mika.slash("find")
    await mika.click(sheet, label="1")
    add_model(registry, "other")
    registry.use("other")
    assert await engine.refresh()
    (registry.root / "tiny" / "manifest.json").unlink()
    for label in ("Nearer", "Adopt"):
        refusal = await mika.click(sheet, label=label)
        assert "The model of this search is not available any more" in refusal.text


@pytest.mark.usefixtures("bot")
async def test_each_sheet_counts_towards_the_limits_of_the_server(
    studio: Studio, mika: UserClient
) -> None:
    assert mika.guild is not None
    await studio.quotas.save_limits(str(mika.guild.id), GuildLimits(daily=2))
    sheet = await mika.slash("find")
    await mika.click(sheet, label="1")
    await mika.click(sheet, label="Nearer")
    await mika.click(sheet, label="1")
    for label in ("Nearer", "Undo", "Adopt"):
        refusal = await mika.click(sheet, label=label)
        assert refusal.ephemeral
        assert "daily limit of 2 pictures" in refusal.text
    assert "sheet 2 of 4" in sheet.text


def test_a_state_is_read_from_its_custom_id() -> None:
    state = FindState(tag_of("tiny"), {"hair": "light pink"}, 2**32 - 1, ((1, 9), (2,)), (3, 4))
    from bot.discord.finding import Nearer

    match = Nearer(state).template.fullmatch(state.custom_id("n"))
    assert match is not None
    assert FindState.parse(match) == state


def test_a_wish_that_fits_into_no_button_is_refused() -> None:
    require_short({"hair": "light pink", "eyes": "dark blue", "clothes": "school uniform"})
    with pytest.raises(BadPrompt, match="Leave one out"):
        require_short({f"attribute{i}": "value" for i in range(5)})
