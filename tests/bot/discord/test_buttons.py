import pytest
from discord_server import MANAGE_MESSAGES, DiscordServer, UserClient
from tiny_model import add_model

from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import Avatar, GalleryQuery, Owner, Scope
from db.store import Store
from export.registry import Registry

from .conftest import avatar_id

pytestmark = pytest.mark.usefixtures("bot")


async def stored_avatars(
    store: Store, scope: Scope = "everyone", owner: Owner | None = None
) -> list[Avatar]:
    query = GalleryQuery(scope, owner, None, {}, limit=100)
    return (await store.galleries.page(query)).avatars


async def test_favorite_button_toggles_and_counts(
    store: Store, mika: UserClient, ren: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink")
    picture = reply.pictures[0]
    assert [button.label for button in reply.buttons if button.emoji == "♥️"] == [""]
    await ren.click(reply, label="♥️")
    assert [button.label for button in reply.buttons if button.emoji == "♥️"] == ["1"]
    await mika.click(reply, label="♥️")
    assert [button.label for button in reply.buttons if button.emoji == "♥️"] == ["2"]
    await ren.click(reply, label="♥️")
    assert [button.label for button in reply.buttons if button.emoji == "♥️"] == ["1"]
    assert reply.pictures == [picture], "the picture is unchanged"
    assert "pink hair" in reply.text
    mine = GalleryQuery("favourites", Owner("discord", str(mika.id)), None, {})
    assert [avatar.id for avatar in (await store.galleries.page(mine)).avatars] == [
        avatar_id(reply)
    ]


async def test_the_owner_can_delete_picture_and_message(
    store: Store, mika: UserClient, ren: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink")
    rejected = await ren.click(reply, label="🗑️")
    assert rejected.ephemeral
    assert rejected.id != reply.id
    assert not reply.deleted
    await mika.click(reply, label="🗑️")
    assert reply.deleted
    assert await store.avatars.picture(avatar_id(reply)) is None


async def test_moderators_can_delete_pictures_of_their_server(
    discord: DiscordServer, store: Store, mika: UserClient
) -> None:
    moderator = discord.member("Mod", permissions=MANAGE_MESSAGES)
    reply = await mika.slash("avatar", hair="pink")
    await moderator.click(reply, label="🗑️")
    assert reply.deleted
    assert await store.avatars.get(avatar_id(reply)) is None


async def test_moderators_of_another_server_cannot_delete(
    discord: DiscordServer, mika: UserClient
) -> None:
    other_guild = discord.guild("Elsewhere")
    moderator = discord.member("Mod", other_guild, permissions=MANAGE_MESSAGES)
    reply = await mika.slash("avatar", hair="pink")
    page = await moderator.slash("gallery", scope="everyone")
    card = await moderator.select(page, "irodori:open", [avatar_id(reply)])
    rejected = await moderator.click(card, label="🗑️")
    assert "Only the owner of this picture" in rejected.text
    assert mika.can_see(reply)


async def test_each_of_several_pictures_has_the_buttons(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink", count=3, seed=40)
    ids = [option["value"] for option in reply.selects[0].options]
    assert avatar_id(reply) == ids[0]
    await mika.select(reply, None, [ids[2]])
    assert avatar_id(reply) == ids[2]
    assert "3 of 3" in reply.text
    assert f"`{ids[2]}`" in reply.text
    assert [o["value"] for o in reply.selects[0].options if o.get("default")] == [ids[2]]
    assert len(reply.pictures) == 3
    again = await ren.click(reply, label="🎲")
    assert (await studio.avatars.get(avatar_id(again), None)).parents == (ids[2],)
    await ren.click(reply, label="♥️")
    assert (await studio.avatars.get(ids[2], None)).favorites == 1
    assert len(reply.selects[0].options) == 3


async def test_another_members_click_gets_a_separate_reply_with_buttons(
    mika: UserClient, ren: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink", count=2)
    ids = [option["value"] for option in reply.selects[0].options]
    card = await ren.select(reply, None, [ids[1]])
    assert card.ephemeral
    assert avatar_id(card) == ids[1]
    assert len(card.pictures) == 1
    assert avatar_id(reply) == ids[0], "the original message is unchanged"
    assert (await ren.click(card, label="🎲")).ephemeral


async def test_deleting_one_of_several_pictures_keeps_the_others(
    store: Store, mika: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink", count=3)
    ids = [option["value"] for option in reply.selects[0].options]
    names = [picture.filename for picture in reply.pictures]
    await mika.select(reply, None, [ids[1]])
    await mika.click(reply, label="🗑️")
    assert [picture.filename for picture in reply.pictures] == [names[0], names[2]]
    assert [option["value"] for option in reply.selects[0].options] == [ids[0], ids[2]]
    assert avatar_id(reply) == ids[0]
    await mika.click(reply, label="🗑️")
    assert [picture.filename for picture in reply.pictures] == [names[2]]
    assert reply.selects == []
    assert avatar_id(reply) == ids[2]
    await mika.click(reply, label="🗑️")
    assert reply.deleted
    assert await stored_avatars(store) == []


async def test_buttons_of_a_deleted_picture_reply_with_an_error(
    studio: Studio, mika: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink")
    await studio.avatars.delete(avatar_id(reply), Owner("discord", str(mika.id)))
    for label in ("🎲", "🎨", "♥️"):
        answer = await mika.click(reply, label=label)
        assert answer.ephemeral
        assert "deleted" in answer.text


async def test_a_message_is_deleted_with_its_last_picture(
    discord: DiscordServer, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    """The requester of a picture deleted elsewhere can still delete its message."""
    reply = await mika.slash("avatar", hair="pink")
    await studio.avatars.delete(avatar_id(reply), Owner("discord", str(mika.id)))
    rejected = await ren.click(reply, label="🗑️")
    assert "deleted" in rejected.text
    assert not reply.deleted
    await mika.click(reply, label="🗑️")
    assert reply.deleted

    several = await mika.slash("avatar", hair="pink", count=2)
    discord.inject_fault("/messages/@original$", 403, method="PATCH")
    failed = await mika.click(several, label="🗑️")
    assert "Something went wrong" in failed.text
    assert len(several.pictures) == 2
    await mika.click(several, label="🗑️")
    assert len(several.pictures) == 1


async def test_variations_are_a_sheet_of_similar_faces(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    first = await mika.slash("avatar", hair="pink", eyes="orange")
    sheet = await ren.click(first, label="✨")
    assert not sheet.ephemeral
    assert len(sheet.pictures) == 9
    assert all("pink hair, orange eyes" in str(alt) for alt in sheet.alt_texts)
    for option in sheet.selects[0].options:
        avatar = await studio.avatars.get(option["value"], None)
        assert avatar.parents == (avatar_id(first),)
        assert avatar.owner.key == str(ren.id)


async def test_mix_button_mixes_with_an_own_picture(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    theirs = await mika.slash("avatar", hair="pink", eyes="orange")
    no_partner = await ren.click(theirs, label="🧬")
    assert no_partner.ephemeral
    assert "no other pictures" in no_partner.text
    mine = await ren.slash("avatar", hair="black", eyes="red")
    chooser = await ren.click(theirs, label="🧬")
    assert chooser.ephemeral
    assert [option["label"] for option in chooser.selects[0].options] == ["black hair, red eyes"]
    child = await ren.select(chooser, None, [avatar_id(mine)])
    assert not child.ephemeral, "only the chooser is ephemeral"
    avatar = await studio.avatars.get(avatar_id(child), None)
    assert avatar.parents == (avatar_id(theirs), avatar_id(mine))
    assert "👯" in [button.emoji for button in child.buttons]


async def test_a_mix_with_a_private_picture_is_private(mika: UserClient) -> None:
    public = await mika.slash("avatar", hair="pink")
    secret = await mika.slash("avatar", hair="black", private=True)
    chooser = await mika.click(public, label="🧬")
    assert (await mika.select(chooser, None, [avatar_id(secret)])).ephemeral


async def test_info_shows_all_metadata_and_the_command_to_repeat_it(
    mika: UserClient, ren: UserClient
) -> None:
    first = await mika.slash("avatar", hair="pink", seed=7)
    info = await ren.click(first, label="ℹ️")
    assert info.ephemeral
    for text in (
        "wish: pink hair\n",
        "`7`",
        "`tiny`",
        "64 × 64",
        avatar_id(first),
        f"<@{mika.id}>",
    ):
        assert text in info.text
    assert "/avatar hair:pink seed:7 size:64\n" in info.text
    sheet = await mika.click(first, label="✨")
    family = await mika.click(sheet, label="ℹ️")
    assert f"made from: `{avatar_id(first)}` (pink hair" in family.text
    assert "/avatar hair:pink\n" in family.text, "variations have no seed that can be repeated"


async def test_info_says_that_a_retired_model_painted_the_picture(
    registry: Registry, engine: Engine, mika: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink", seed=7)
    add_model(registry, "newer")
    registry.use("newer")
    await engine.refresh()
    info = await mika.click(reply, label="ℹ️")
    assert "`tiny` (no longer in use" in info.text
    assert "/avatar hair:pink\n" in info.text, "the seed would paint another face"


async def test_info_hides_private_parents(
    studio: Studio, store: Store, mika: UserClient, ren: UserClient
) -> None:
    first = await mika.slash("avatar", hair="pink")
    second = await mika.click(first, label="🎲")
    await studio.avatars.delete(avatar_id(first), Owner("discord", str(mika.id)))
    info = await ren.click(second, label="ℹ️")
    assert avatar_id(first) not in info.text
    assert "not available" in info.text


async def test_the_favorite_button_keeps_the_language_of_the_message(
    discord: DiscordServer, ren: UserClient
) -> None:
    yui = discord.member("Yui", locale="ja")
    reply = await yui.slash("avatar", hair="pink")
    labels = [button.label for button in reply.buttons if button.label]
    await ren.click(reply, label="♥️")
    after = [button.label for button in reply.buttons if button.label]
    assert [label for label in after if label != "1"] == labels
    await yui.click(reply, label="♥️")
    assert "2" in [button.label for button in reply.buttons]


async def test_a_variation_sheet_keeps_its_language_and_requester(
    discord: DiscordServer, mika: UserClient
) -> None:
    yui = discord.member("Yui", locale="ja")
    moderator = discord.member("Mod", permissions=MANAGE_MESSAGES)
    sheet = await yui.click(await mika.slash("avatar", hair="pink"), label="✨")
    labels = [button.label for button in sheet.buttons]
    ids = [option["value"] for option in sheet.selects[0].options]
    await moderator.select(sheet, None, [ids[4]])
    assert avatar_id(sheet) == ids[4]
    await moderator.click(sheet, label="🗑️")
    assert len(sheet.pictures) == 8
    await yui.select(sheet, None, [ids[8]])
    assert [button.label for button in sheet.buttons] == labels
    assert f"<@{yui.id}> さんへ" in sheet.text
    assert "8枚中8枚目" in sheet.text


@pytest.mark.parametrize("label", ["🎲", "🎨", "✨", "🧬", "♥️", "ℹ️"])
async def test_a_forged_custom_id_does_not_reveal_a_private_picture(
    studio: Studio, mika: UserClient, label: str
) -> None:
    """Knowing an id is not enough: only the owner can use it."""
    secret = await studio.painting.create(
        {"hair": "pink"}, Request(Owner("web", "x"), private=True)
    )
    reply = await mika.slash("avatar", hair="red")
    own = avatar_id(reply)
    for row in reply.components:
        for component in row["components"]:
            component["custom_id"] = component["custom_id"].replace(own, secret[0].id)
    custom_id = next(button.custom_id for button in reply.buttons if label == button.emoji)
    answer = await mika.click(reply, custom_id=custom_id)
    assert answer.ephemeral
    assert "There is no picture" in answer.text


async def test_values_that_a_select_does_not_offer_are_refused(
    mika: UserClient, caplog: pytest.LogCaptureFixture
) -> None:
    reply = await mika.slash("avatar", hair="pink", count=2)
    chosen, text = reply.selects[0], reply.text
    page = await mika.slash("gallery", scope="mine")
    panel = await mika.click(reply, label="🎨")
    settings = await mika.slash("settings")
    cases = [(reply, chosen.custom_id), (page, "irodori:look:"), (page, "irodori:open")]
    cases += [(panel, panel.selects[0].custom_id), (settings, "irodori:set:size")]
    for message, custom_id in cases:
        for values in (["nothing of this"], []):
            if values == [] and message is not reply:
                continue
            refused = await mika.select(message, custom_id, values, forged=True)
            assert refused.ephemeral
            assert "not available" in refused.text
    assert reply.text == text
    assert "Traceback" not in caplog.text
