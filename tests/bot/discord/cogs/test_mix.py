import pytest
from discord_server import DiscordServer, Reply, UserClient

from bot.studio import Request, Studio
from db.records import Avatar, Owner

pytestmark = pytest.mark.usefixtures("bot")


def owner(client: UserClient) -> Owner:
    return Owner("discord", str(client.id))


async def create(studio: Studio, client: UserClient, private: bool = False, **wish: str) -> Avatar:
    (avatar,) = await studio.painting.create(wish, Request(owner(client), private=private))
    return avatar


def picture_id(reply: Reply) -> str:
    """The id of the picture in a reply."""
    (picture,) = reply.pictures
    return picture.filename.removeprefix("irodori-").removesuffix(".png")


async def test_a_child_has_its_parents_and_their_colors(studio: Studio, mika: UserClient) -> None:
    a = await create(studio, mika, hair="pink", eyes="blue")
    b = await create(studio, mika, hair="black", eyes="red")
    reply = await mika.slash("mix", a=a.id, b=f" {b.id.upper()} ", seed=7)
    assert not reply.ephemeral
    child = await studio.avatars.get(picture_id(reply), owner(mika))
    assert child.parents == (a.id, b.id)
    assert child.seed == 7
    assert child.conditions["hair"] in ("pink", "black")
    assert child.conditions["eyes"] in ("blue", "red")


async def test_a_sibling_has_the_same_parents_and_another_seed(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    a, b = await create(studio, mika), await create(studio, mika)
    child = await mika.slash("mix", a=a.id, b=b.id)
    reply = await ren.click(child, label="Sibling")
    first = await studio.avatars.get(picture_id(child), None)
    sibling = await studio.avatars.get(picture_id(reply), None)
    assert sibling.parents == first.parents
    assert sibling.seed != first.seed
    assert sibling.owner == owner(ren)


async def test_a_picture_without_parents_has_no_sibling(studio: Studio, mika: UserClient) -> None:
    a, b = await create(studio, mika), await create(studio, mika)
    child = await mika.slash("mix", a=a.id, b=b.id)
    await studio.avatars.delete(a.id, owner(mika))
    answer = await mika.click(child, label="Sibling")
    assert answer.ephemeral
    assert "no more siblings" in answer.text


async def test_the_child_of_a_private_picture_is_private(studio: Studio, mika: UserClient) -> None:
    a, b = await create(studio, mika, private=True), await create(studio, mika)
    reply = await mika.slash("mix", a=a.id, b=b.id)
    assert reply.ephemeral
    assert (await studio.avatars.get(picture_id(reply), owner(mika))).private


async def test_private_pictures_of_others_get_the_error_of_unknown_pictures(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    mine, secret = await create(studio, mika), await create(studio, ren, private=True)
    private = await mika.slash("mix", a=mine.id, b=secret.id)
    missing = await mika.slash("mix", a=mine.id, b="bbbbbbbb")
    assert private.ephemeral
    assert private.text.replace(secret.id, "") == missing.text.replace("bbbbbbbb", "")


async def test_mixing_a_picture_with_itself_is_rejected(studio: Studio, mika: UserClient) -> None:
    a = await create(studio, mika)
    reply = await mika.slash("mix", a=a.id, b=a.id)
    assert reply.ephemeral
    assert "the same picture" in reply.text


async def test_autocomplete_suggests_own_pictures_and_favorites(
    discord: DiscordServer, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    mine = await create(studio, mika, hair="pink", eyes="blue")
    favorite = await create(studio, ren, hair="black", eyes="red")
    other = await create(studio, ren, hair="pink", eyes="red")
    await studio.avatars.toggle_favorite(favorite.id, owner(mika))
    everything = await mika.autocomplete("mix", a="")
    assert [choice.value for choice in everything] == [mine.id, favorite.id]
    assert everything[0].name.startswith("🩷💙 pink hair, blue eyes")
    assert mine.id in everything[0].name

    async def matches(typed: str) -> list[str]:
        return [choice.value for choice in await mika.autocomplete("mix", a=typed)]

    assert await matches("PINK") == [mine.id]
    assert await matches("ピンク") == []
    assert await matches(favorite.id[:3]) == [favorite.id]
    assert await matches(other.id) == [other.id], "the id of any visible picture is accepted"
    assert await matches("no such thing") == []
    second = await mika.autocomplete("mix", a=mine.id, b="")
    assert [choice.value for choice in second] == [favorite.id]


async def test_favorites_are_suggested_along_with_many_own_pictures(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    for _ in range(3):
        await studio.painting.create({}, Request(owner(mika)), count=9)
    favorite = await create(studio, ren, hair="black")
    await studio.avatars.toggle_favorite(favorite.id, owner(mika))
    suggested = await mika.autocomplete("mix", a="")
    assert len(suggested) == 25
    assert favorite.id in [choice.value for choice in suggested]


async def test_labels_are_in_the_members_language(discord: DiscordServer, studio: Studio) -> None:
    kei = discord.member("Kei", locale="ja")
    mine = await create(studio, kei, hair="pink", eyes="blue")
    (choice,) = await kei.autocomplete("mix", a="ピンク")
    assert choice.value == mine.id
    assert "ピンクの髪" in choice.name
