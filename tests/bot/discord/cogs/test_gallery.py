from urllib.parse import parse_qsl

import pytest
from discord_server import DiscordServer, Reply, UserClient
from tiny_model import add_model, attribute

from bot.discord.gallery import PageButton
from bot.discord.gallery_state import GalleryState
from bot.errors import BadPrompt
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import GuildLimits, Owner
from export.registry import Registry

pytestmark = pytest.mark.usefixtures("bot")


def ids(reply: Reply) -> list[str]:
    return [
        option["value"]
        for select in reply.selects
        if select.custom_id == "irodori:open"
        for option in select.options
    ]


def is_enabled(reply: Reply, label: str) -> bool:
    """Whether the button with the label is enabled."""
    (found,) = [button for button in reply.buttons if label in (button.label, button.emoji)]
    return not found.disabled


async def test_an_empty_gallery_names_the_command_that_adds_pictures(mika: UserClient) -> None:
    reply = await mika.slash("gallery")
    assert reply.ephemeral
    assert reply.pictures == []
    assert "/avatar" in reply.text
    assert "♥️ below a picture" in (await mika.slash("gallery", scope="favourites")).text


async def test_pages_lead_to_older_pictures_and_back(studio: Studio, mika: UserClient) -> None:
    owner = Owner("web", "visitor")
    created = [(await studio.painting.create({}, Request(owner)))[0].id for _ in range(21)]
    newest = created[::-1]

    reply = await mika.slash("gallery", scope="everyone")
    assert ids(reply) == newest[:9]
    assert [picture.filename for picture in reply.pictures] == [
        f"irodori-{id}.png" for id in newest[:9]
    ]
    assert all(alt and alt.startswith("anime avatar: ") for alt in reply.alt_texts)
    stored = await studio.avatars.picture(newest[0], None)
    assert await reply.fetch(reply.pictures[0]) == stored.data
    assert not is_enabled(reply, "Previous")

    await mika.click(reply, label="Next")
    assert ids(reply) == newest[9:18]
    assert len(reply.pictures) == len(reply.attachments) == 9
    await mika.click(reply, label="Next")
    assert ids(reply) == newest[18:]
    assert not is_enabled(reply, "Next")
    await mika.click(reply, label="Previous")
    assert ids(reply) == newest[9:18]
    await mika.click(reply, label="Previous")
    assert ids(reply) == newest[:9]
    assert not is_enabled(reply, "Previous")


async def test_selecting_a_picture_opens_it_with_its_buttons(
    studio: Studio, mika: UserClient
) -> None:
    (first, second) = await studio.painting.create(
        {"hair": "red"}, Request(Owner("web", "x")), count=2
    )
    page = await mika.slash("gallery")
    card = await mika.select(page, "irodori:open", [first.id])
    assert card.ephemeral
    assert "red hair" in card.text
    assert [picture.filename for picture in card.pictures] == [f"irodori-{first.id}.png"]
    again = await mika.click(card, label="🎲")
    assert again.ephemeral, "pictures from a private page are private"
    assert set(ids(page)) == {first.id, second.id}, "the page is unchanged"


async def test_each_scope_lists_its_pictures(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    other_guild = discord.guild("Elsewhere")
    kei = discord.member("Kei", other_guild)
    mine = await mika.slash("avatar", hair="pink")
    secret = await mika.slash("avatar", hair="black", private=True)
    others = await kei.slash("avatar", hair="green")

    def avatar_id(reply: Reply) -> str:
        return str(reply.buttons[0].custom_id).rpartition(":")[2]

    pink, black, green = (avatar_id(reply) for reply in (mine, secret, others))
    assert ids(await mika.slash("gallery", scope="everyone")) == [green, pink]
    assert ids(await mika.slash("gallery", scope="server")) == [pink]
    assert ids(await kei.slash("gallery", scope="server")) == [green]
    assert ids(await mika.slash("gallery", scope="mine")) == [black, pink]
    assert ids(await mika.slash("gallery", scope="favourites")) == []
    await mika.click(foreign_card := await _open_card(mika, green), label="♥️")
    assert [b.label for b in foreign_card.buttons if b.emoji == "♥️"] == ["1"]
    assert ids(await mika.slash("gallery", scope="favourites")) == [green]
    in_dm = await mika.slash("gallery", channel=mika.dm, scope="server")
    assert "not a server" in in_dm.text


async def _open_card(client: UserClient, id: str) -> Reply:
    page = await client.slash("gallery", scope="everyone")
    return await client.select(page, "irodori:open", [id])


async def test_color_filters_are_kept_on_the_next_page(studio: Studio, mika: UserClient) -> None:
    owner = Owner("web", "x")
    expected = []
    for _ in range(2):
        await studio.painting.create({"hair": "pink", "eyes": "red"}, Request(owner), count=3)
        matching = await studio.painting.create(
            {"hair": "pink", "eyes": "blue"}, Request(owner), count=6
        )
        expected += [avatar.id for avatar in matching]
    reply = await mika.slash("gallery", hair="Pink", eyes="sapphire")
    assert "pink hair, blue eyes" in reply.text
    first = ids(reply)
    await mika.click(reply, label="Next")
    assert "pink hair, blue eyes" in reply.text
    assert {*first, *ids(reply)} == set(expected)
    assert len(ids(reply)) == 3
    assert all(len(b.custom_id or "") <= 100 for b in reply.buttons)


async def test_a_typo_in_the_filter_gets_the_nearest_value(mika: UserClient) -> None:
    reply = await mika.slash("gallery", hair="pnik")
    assert reply.ephemeral
    assert "pink" in reply.text
    assert reply.buttons == []


async def test_deleted_pictures_are_not_shown(studio: Studio, mika: UserClient) -> None:
    reply = await mika.slash("avatar")
    other = await mika.slash("avatar")
    await mika.click(reply, label="🗑️")
    page = await mika.slash("gallery", scope="mine")
    assert ids(page) == [str(other.buttons[0].custom_id).rpartition(":")[2]]


async def test_first_and_last_page_buttons_and_the_position(
    studio: Studio, mika: UserClient
) -> None:
    created = [
        (await studio.painting.create({}, Request(Owner("web", "x"))))[0].id for _ in range(20)
    ]
    newest = created[::-1]
    reply = await mika.slash("gallery")
    assert "1–9 of 20" in reply.text
    await mika.click(reply, label="⏭️")
    assert ids(reply) == newest[11:]
    assert "12–20 of 20" in reply.text
    assert not is_enabled(reply, "⏭️")
    await mika.click(reply, label="⏮️")
    assert ids(reply) == newest[:9]
    assert not is_enabled(reply, "⏮️")


async def test_sorting_by_favorites_lists_the_most_popular_first(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    avatars = await studio.painting.create({}, Request(Owner("web", "x")), count=3)
    for client in (mika, ren):
        await studio.avatars.toggle_favorite(avatars[0].id, Owner("discord", str(client.id)))
    await studio.avatars.toggle_favorite(avatars[1].id, Owner("discord", str(ren.id)))
    reply = await mika.slash("gallery", sort="loved")
    assert ids(reply) == [avatar.id for avatar in avatars]
    assert "most favorites" in reply.text


async def test_changing_the_scope_keeps_the_color_filters(studio: Studio, mika: UserClient) -> None:
    me = Owner("discord", str(mika.id))
    (mine,) = await studio.painting.create({"hair": "pink"}, Request(me))
    (other,) = await studio.painting.create({"hair": "pink"}, Request(Owner("web", "x")))
    await studio.painting.create({"hair": "black"}, Request(me))
    reply = await mika.slash("gallery", hair="pink")
    assert ids(reply) == [other.id, mine.id]
    (scope_select,) = [s.custom_id for s in reply.selects if s.custom_id.startswith("irodori:look")]
    await mika.select(reply, scope_select, ["mine:loved"])
    assert ids(reply) == [mine.id]
    assert "Your gallery: pink hair" in reply.text
    in_dm = await mika.slash("gallery", channel=mika.dm)
    offered = [o["value"] for s in in_dm.selects for o in s.options]
    assert "mine:new" in offered
    assert "guild:new" not in offered


async def test_id_form_opens_a_picture(studio: Studio, mika: UserClient, ren: UserClient) -> None:
    (avatar,) = await studio.painting.create({"hair": "red"}, Request(Owner("web", "x")))
    (secret,) = await studio.painting.create(
        {}, Request(Owner("discord", str(ren.id)), private=True)
    )
    page = await mika.slash("gallery")
    card = await mika.submit(
        await mika.click_for_modal(page, label="Id…"), id=f" {avatar.id.upper()}"
    )
    assert card.ephemeral
    assert [picture.filename for picture in card.pictures] == [f"irodori-{avatar.id}.png"]
    others = await mika.submit(await mika.click_for_modal(page, label="Id…"), id=secret.id)
    missing = await mika.submit(await mika.click_for_modal(page, label="Id…"), id="bbbbbbbb")
    assert others.pictures == []
    assert others.text.replace(secret.id, "") == missing.text.replace("bbbbbbbb", "")


async def test_a_server_can_close_its_gallery(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    await mika.slash("avatar")
    page = await mika.slash("gallery", scope="mine")
    await studio.quotas.save_limits(str(discord.default_guild.id), GuildLimits(gallery=False))
    closed = await mika.slash("gallery", scope="server")
    assert closed.pictures == []
    assert "is closed" in closed.text
    (scope_select,) = [s.custom_id for s in page.selects if s.custom_id.startswith("irodori:look")]
    answer = await mika.select(page, scope_select, ["guild:new"])
    assert "is closed" in answer.text
    assert len(ids(page)) == 1


async def test_a_value_that_the_model_does_not_have_can_still_be_filtered(
    studio: Studio, registry: Registry, engine: Engine, mika: UserClient
) -> None:
    await studio.painting.create({"hair": "pink"}, Request(Owner("web", "x")), count=9)
    await studio.painting.create({"hair": "pink"}, Request(Owner("web", "x")))
    page = await mika.slash("gallery", hair="pink")
    add_model(registry, "other", attributes=(attribute("hair", "pinkish black"),))
    registry.use("other")
    await engine.refresh()
    answer = await mika.click(page, label="Next")
    assert answer.ephemeral
    assert "pinkish" in answer.text


async def test_pages_are_in_the_members_language(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    await studio.painting.create({"hair": "pink"}, Request(Owner("web", "x")))
    kei = discord.member("Kei", locale="ja")
    reply = await kei.slash("gallery", hair="pink")
    assert "みんなのギャラリー" in reply.text
    assert "ピンクの髪" in reply.text
    li = discord.member("Li", locale="zh-CN")
    assert "所有人的画廊" in (await li.slash("gallery", hair="pink")).text


def test_the_state_of_a_page_fits_a_custom_id() -> None:
    place = GalleryState(
        "favourites", "loved", {"hair": "pink & blue", "目": "a:b=c+d%"}, "o12.345"
    )
    found = PageButton.__discord_ui_compiled_template__.fullmatch(place.custom_id("n"))
    assert found is not None
    assert dict(parse_qsl(found["values"])) == place.values
    many = {f"attribute {i}": "value" for i in range(6)}
    with pytest.raises(BadPrompt, match="Leave one out"):
        GalleryState("everyone", values=many).custom_id("n")
