import pytest
from discord_server import MANAGE_MESSAGES, DiscordServer, Person, Reply
from tiny_model import EYES, HAIR, add_model

from bot.discord.components import MAX_OPTIONS
from bot.discord.recolor import color_options
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import Avatar, GalleryQuery, Owner
from db.store import Store
from export.manifest import Attribute
from export.registry import Registry

pytestmark = pytest.mark.usefixtures("bot")


async def painted(
    store: Store, scope: str = "everyone", owner: Owner | None = None
) -> list[Avatar]:
    query = GalleryQuery(scope, owner, None, {}, limit=100)  # type: ignore[arg-type]
    return (await store.galleries.page(query)).avatars


def id_of(reply: Reply) -> str:
    """Of the avatar that the message's buttons act on."""
    return str(reply.buttons[0].custom_id).rpartition(":")[2]


def shown(reply: Reply) -> dict[str, str]:
    """What the selects of the panel show, by custom id."""
    return {
        select.custom_id: option["label"]
        for select in reply.selects
        for option in select.options
        if option.get("default")
    }


async def test_again_paints_the_same_wish_with_a_fresh_seed(
    studio: Studio, mika: Person, ren: Person
) -> None:
    first = await mika.slash("avatar", hair="pink", seed=7)
    second = await ren.click(first, label="🎲")
    assert second.id != first.id
    assert not second.ephemeral
    assert "pink hair" in second.text
    assert f"<@{ren.id}>" in second.text
    avatar = await studio.avatars.get(id_of(second), None)
    assert avatar.owner.key == str(ren.id)
    assert avatar.seed != 7
    assert avatar.wish == {"hair": "pink"}
    assert avatar.parents == (id_of(first),)


async def test_again_of_a_private_avatar_stays_private(
    store: Store, mika: Person, ren: Person
) -> None:
    first = await mika.slash("avatar", hair="pink", private=True)
    second = await mika.click(first, label="🎲")
    assert second.ephemeral
    assert not ren.sees(second)
    assert await painted(store) == []


async def test_other_colours_for_the_same_face(studio: Studio, mika: Person, ren: Person) -> None:
    first = await mika.slash("avatar", hair="pink", eyes="orange", seed=7)
    panel = await ren.click(first, label="🎨")
    assert panel.ephemeral
    assert set(shown(panel).values()) == {"pink hair", "orange eyes"}
    hair, eyes = (select.custom_id for select in panel.selects)
    await ren.select(panel, hair, ["hair=green"])
    assert set(shown(panel).values()) == {"green hair", "orange eyes"}
    await ren.select(panel, eyes, ["eyes=aqua"])
    assert set(shown(panel).values()) == {"green hair", "aqua eyes"}

    second = await ren.click(panel, label="Paint")
    assert not second.ephemeral
    assert "green hair, aqua eyes" in second.text
    before = await studio.avatars.get(id_of(first), None)
    after = await studio.avatars.get(id_of(second), None)
    assert after.owner.key == str(ren.id)
    assert (after.latent == before.latent).all()
    assert after.conditions == {"hair": "green", "eyes": "aqua"}
    assert after.parents == (before.id,)

    third = await ren.click(panel, label="Paint")
    assert third.id != second.id, "the panel can be used again"


async def test_the_colours_it_has_already_are_not_painted_again(store: Store, mika: Person) -> None:
    first = await mika.slash("avatar", hair="pink")
    panel = await mika.click(first, label="🎨")
    answer = await mika.click(panel, label="Paint")
    assert answer.ephemeral
    assert "already" in answer.text
    assert await store.avatars.count() == 1


async def test_other_colours_of_a_private_avatar_stay_private(mika: Person) -> None:
    first = await mika.slash("avatar", hair="pink", private=True)
    panel = await mika.click(first, label="🎨")
    await mika.select(panel, panel.selects[0].custom_id, ["hair=green"])
    assert (await mika.click(panel, label="Paint")).ephemeral


async def test_favourites_are_counted_and_taken_back(
    store: Store, mika: Person, ren: Person
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
    assert reply.pictures == [picture], "the picture is still there"
    assert "pink hair" in reply.text
    mine = GalleryQuery("favourites", Owner("discord", str(mika.id)), None, {})
    assert [avatar.id for avatar in (await store.galleries.page(mine)).avatars] == [id_of(reply)]


async def test_the_owner_deletes_picture_and_message(
    store: Store, mika: Person, ren: Person
) -> None:
    reply = await mika.slash("avatar", hair="pink")
    refused = await ren.click(reply, label="🗑️")
    assert refused.ephemeral
    assert refused.id != reply.id
    assert not reply.deleted
    await mika.click(reply, label="🗑️")
    assert reply.deleted
    assert await store.avatars.picture(id_of(reply)) is None


async def test_moderators_delete_what_was_painted_in_their_server(
    discord: DiscordServer, store: Store, mika: Person
) -> None:
    moderator = discord.member("Mod", permissions=MANAGE_MESSAGES)
    reply = await mika.slash("avatar", hair="pink")
    await moderator.click(reply, label="🗑️")
    assert reply.deleted
    assert await store.avatars.get(id_of(reply)) is None


async def test_moderators_of_another_server_do_not(discord: DiscordServer, mika: Person) -> None:
    there = discord.guild("Elsewhere")
    moderator = discord.member("Mod", there, permissions=MANAGE_MESSAGES)
    reply = await mika.slash("avatar", hair="pink")
    page = await moderator.slash("gallery", scope="everyone")
    card = await moderator.select(page, "irodori:open", [id_of(reply)])
    refused = await moderator.click(card, label="🗑️")
    assert "Only the owner of this avatar" in refused.text
    assert mika.sees(reply)


async def test_each_of_several_pictures_has_the_buttons(
    studio: Studio, mika: Person, ren: Person
) -> None:
    reply = await mika.slash("avatar", hair="pink", count=3, seed=40)
    ids = [option["value"] for option in reply.selects[0].options]
    assert id_of(reply) == ids[0]
    await mika.select(reply, None, [ids[2]])
    assert id_of(reply) == ids[2]
    assert "3 of 3" in reply.text
    assert "`42`" in reply.text
    assert [o["value"] for o in reply.selects[0].options if o.get("default")] == [ids[2]]
    assert len(reply.pictures) == 3
    again = await ren.click(reply, label="🎲")
    assert (await studio.avatars.get(id_of(again), None)).parents == (ids[2],)
    await ren.click(reply, label="♥️")
    assert (await studio.avatars.get(ids[2], None)).favorites == 1
    assert len(reply.selects[0].options) == 3


async def test_somebody_else_gets_the_picture_with_buttons_of_its_own(
    mika: Person, ren: Person
) -> None:
    reply = await mika.slash("avatar", hair="pink", count=2)
    ids = [option["value"] for option in reply.selects[0].options]
    card = await ren.select(reply, None, [ids[1]])
    assert card.ephemeral
    assert id_of(card) == ids[1]
    assert len(card.pictures) == 1
    assert id_of(reply) == ids[0], "what the others see does not move"
    assert (await ren.click(card, label="🎲")).ephemeral


async def test_one_of_several_pictures_is_taken_out(store: Store, mika: Person) -> None:
    reply = await mika.slash("avatar", hair="pink", count=3)
    ids = [option["value"] for option in reply.selects[0].options]
    names = [picture.filename for picture in reply.pictures]
    await mika.select(reply, None, [ids[1]])
    await mika.click(reply, label="🗑️")
    assert [picture.filename for picture in reply.pictures] == [names[0], names[2]]
    assert [option["value"] for option in reply.selects[0].options] == [ids[0], ids[2]]
    assert id_of(reply) == ids[0]
    await mika.click(reply, label="🗑️")
    assert [picture.filename for picture in reply.pictures] == [names[2]]
    assert reply.selects == []
    assert id_of(reply) == ids[2]
    await mika.click(reply, label="🗑️")
    assert reply.deleted
    assert await painted(store) == []


async def test_buttons_of_what_is_gone_say_so(studio: Studio, mika: Person) -> None:
    reply = await mika.slash("avatar", hair="pink")
    await studio.avatars.delete(id_of(reply), Owner("discord", str(mika.id)))
    for label in ("🎲", "🎨", "♥️"):
        answer = await mika.click(reply, label=label)
        assert answer.ephemeral
        assert "deleted" in answer.text


async def test_a_message_does_not_outlive_its_deleted_picture(
    discord: DiscordServer, studio: Studio, mika: Person, ren: Person
) -> None:
    """Deleted elsewhere (in the gallery, say), it is cleared away by who has asked for it."""
    reply = await mika.slash("avatar", hair="pink")
    await studio.avatars.delete(id_of(reply), Owner("discord", str(mika.id)))
    refused = await ren.click(reply, label="🗑️")
    assert "deleted" in refused.text
    assert not reply.deleted
    await mika.click(reply, label="🗑️")
    assert reply.deleted

    several = await mika.slash("avatar", hair="pink", count=2)
    discord.provoke("/messages/@original$", 403, method="PATCH")
    failed = await mika.click(several, label="🗑️")
    assert "Something went wrong" in failed.text
    assert len(several.pictures) == 2
    await mika.click(several, label="🗑️")
    assert len(several.pictures) == 1


async def test_other_colours_after_a_change_of_the_model(
    registry: Registry, engine: Engine, studio: Studio, mika: Person
) -> None:
    reply = await mika.slash("avatar", hair="pink", eyes="red")
    hats = Attribute(name="hat", values=("straw", "top"), frequencies=(0.5, 0.5))
    add_model(registry, "hatted", (HAIR, hats))
    registry.use("hatted")
    assert await engine.refresh()
    panel = await mika.click(reply, label="🎨")
    await mika.select(panel, panel.selects[0].custom_id, ["hair=white"])
    second = await mika.click(panel, label="Paint")
    avatar = await studio.avatars.get(id_of(second), None)
    assert avatar.model == "tiny"
    assert avatar.conditions == {"hair": "white", "eyes": "red"}
    assert await mika.autocomplete("avatar", eyes="") == []


async def test_more_values_than_a_select_holds(studio: Studio) -> None:
    (avatar,) = await studio.painting.create({"hair": "pink"}, Request(Owner("web", "x")))
    values = ("pink", *(f"shade {i}" for i in range(40)))
    hair = Attribute(name="hair", values=values, frequencies=(0.0, *([1 / 40] * 40)))
    rows = color_options(avatar, (hair, EYES))
    assert len(rows) == 2
    assert len(rows[0]) == MAX_OPTIONS
    assert [option.label for option in rows[0] if option.default] == ["pink hair"]


async def test_variations_are_a_sheet_of_faces_near_the_picture(
    studio: Studio, mika: Person, ren: Person
) -> None:
    first = await mika.slash("avatar", hair="pink", eyes="orange")
    sheet = await ren.click(first, label="✨")
    assert not sheet.ephemeral
    assert len(sheet.pictures) == 9
    assert all("pink hair, orange eyes" in str(alt) for alt in sheet.alt_texts)
    for option in sheet.selects[0].options:
        avatar = await studio.avatars.get(option["value"], None)
        assert avatar.parents == (id_of(first),)
        assert avatar.owner.key == str(ren.id)


async def test_a_picture_is_mixed_with_one_of_ones_own(
    studio: Studio, mika: Person, ren: Person
) -> None:
    theirs = await mika.slash("avatar", hair="pink", eyes="orange")
    alone = await ren.click(theirs, label="🧬")
    assert alone.ephemeral
    assert "no other pictures" in alone.text
    mine = await ren.slash("avatar", hair="black", eyes="red")
    chooser = await ren.click(theirs, label="🧬")
    assert chooser.ephemeral
    assert [option["label"] for option in chooser.selects[0].options] == ["black hair, red eyes"]
    child = await ren.select(chooser, None, [id_of(mine)])
    assert not child.ephemeral, "only the list is for the one who chooses"
    avatar = await studio.avatars.get(id_of(child), None)
    assert avatar.parents == (id_of(theirs), id_of(mine))
    assert "👯" in [button.emoji for button in child.buttons]


async def test_what_is_mixed_with_a_private_picture_is_private(mika: Person) -> None:
    public = await mika.slash("avatar", hair="pink")
    secret = await mika.slash("avatar", hair="black", private=True)
    chooser = await mika.click(public, label="🧬")
    assert (await mika.select(chooser, None, [id_of(secret)])).ephemeral


async def test_info_says_everything_and_how_to_ask_again(mika: Person, ren: Person) -> None:
    first = await mika.slash("avatar", hair="pink", seed=7)
    info = await ren.click(first, label="ℹ️")
    assert info.ephemeral
    for fact in ("wish: pink hair\n", "`7`", "`tiny`", "64 × 64", id_of(first), f"<@{mika.id}>"):
        assert fact in info.text
    assert "/avatar hair:pink seed:7 size:64\n" in info.text
    sheet = await mika.click(first, label="✨")
    family = await mika.click(sheet, label="ℹ️")
    assert f"made from: `{id_of(first)}` (pink hair" in family.text
    assert "/avatar hair:pink\n" in family.text, "its seed is not that of a whole face"


async def test_info_does_not_tell_of_private_parents(
    studio: Studio, store: Store, mika: Person, ren: Person
) -> None:
    first = await mika.slash("avatar", hair="pink")
    second = await mika.click(first, label="🎲")
    await studio.avatars.delete(id_of(first), Owner("discord", str(mika.id)))
    info = await ren.click(second, label="ℹ️")
    assert id_of(first) not in info.text
    assert "not available" in info.text


async def test_a_favourite_leaves_the_buttons_in_the_askers_language(
    discord: DiscordServer, ren: Person
) -> None:
    yui = discord.member("Yui", locale="ja")
    reply = await yui.slash("avatar", hair="pink")
    labels = [button.label for button in reply.buttons if button.label]
    await ren.click(reply, label="♥️")
    after = [button.label for button in reply.buttons if button.label]
    assert [label for label in after if label != "1"] == labels
    await yui.click(reply, label="♥️")
    assert "2" in [button.label for button in reply.buttons]


async def test_a_sheet_keeps_its_language_and_who_asked_for_it(
    discord: DiscordServer, mika: Person
) -> None:
    yui = discord.member("Yui", locale="ja")
    moderator = discord.member("Mod", permissions=MANAGE_MESSAGES)
    sheet = await yui.click(await mika.slash("avatar", hair="pink"), label="✨")
    labels = [button.label for button in sheet.buttons]
    ids = [option["value"] for option in sheet.selects[0].options]
    await moderator.select(sheet, None, [ids[4]])
    assert id_of(sheet) == ids[4]
    await moderator.click(sheet, label="🗑️")
    assert len(sheet.pictures) == 8
    await yui.select(sheet, None, [ids[8]])
    assert [button.label for button in sheet.buttons] == labels
    assert f"<@{yui.id}> さんへ" in sheet.text
    assert "8枚中8枚目" in sheet.text


async def test_again_offers_the_nearest_of_what_the_model_no_longer_knows(
    registry: Registry, engine: Engine, studio: Studio, mika: Person
) -> None:
    reply = await mika.slash("avatar", hair="pink", eyes="red")
    hair = Attribute(name="hair", values=("green", "rosewood", "red"), frequencies=(0.4, 0.3, 0.3))
    add_model(registry, "later", (hair, EYES))
    registry.use("later")
    assert await engine.refresh()
    offer = await mika.click(reply, label="🎲")
    assert offer.ephemeral
    assert "does not know pink hair" in offer.text
    assert [button.label for button in offer.buttons] == ["red hair, red eyes"]
    painted = await mika.click(offer, label="🎲")
    assert not painted.ephemeral
    assert "red hair, red eyes" in painted.text
    assert (await studio.avatars.get(id_of(painted), None)).model == "later"


async def test_the_nearest_of_many_values_fits_on_a_button(
    registry: Registry, engine: Engine, studio: Studio, mika: Person
) -> None:
    def attributes(word: str) -> tuple[Attribute, ...]:
        return tuple(
            Attribute(name=f"thing{i}", values=(f"{word} thing {i}" * 3, "x"), frequencies=(1, 0))
            for i in range(8)
        )

    add_model(registry, "old", attributes("one_long_word"))
    registry.use("old")
    assert await engine.refresh()
    wish = {attribute.name: attribute.values[0] for attribute in attributes("one_long_word")}
    mine = Owner("discord", str(mika.id))
    (avatar,) = await studio.painting.create(wish, Request(mine))
    add_model(registry, "new", attributes("one_long_werd"))
    registry.use("new")
    assert await engine.refresh()
    offer = await mika.click(await mika.slash("show", id=avatar.id), label="🎲")
    (button,) = offer.buttons
    assert str(button.label).startswith("one_long_werd")
    painted = await mika.click(offer, label="🎲")
    assert (await studio.avatars.get(id_of(painted), None)).model == "new"


async def test_what_has_nothing_near_is_offered_as_a_surprise(
    registry: Registry, engine: Engine, studio: Studio, mika: Person
) -> None:
    reply = await mika.slash("avatar", hair="pink")
    hats = Attribute(name="hat", values=("straw", "top"), frequencies=(0.5, 0.5))
    add_model(registry, "hatted", (hats,))
    registry.use("hatted")
    assert await engine.refresh()
    offer = await mika.click(reply, label="🎲")
    assert [button.label for button in offer.buttons] == ["anything"]
    painted = await mika.click(offer, label="🎲")
    assert (await studio.avatars.get(id_of(painted), None)).wish == {}


@pytest.mark.parametrize("label", ["🎲", "🎨", "✨", "🧬", "♥️", "ℹ️"])
async def test_a_private_picture_is_nobody_elses_by_a_made_up_button(
    studio: Studio, mika: Person, label: str
) -> None:
    """The id in a custom id is no key: only the owner gets further."""
    secret = await studio.painting.create(
        {"hair": "pink"}, Request(Owner("web", "x"), private=True)
    )
    reply = await mika.slash("avatar", hair="red")
    own = id_of(reply)
    for row in reply.components:
        for component in row["components"]:
            component["custom_id"] = component["custom_id"].replace(own, secret[0].id)
    custom_id = next(button.custom_id for button in reply.buttons if label == button.emoji)
    answer = await mika.click(reply, custom_id=custom_id)
    assert answer.ephemeral
    assert "There is no avatar" in answer.text
