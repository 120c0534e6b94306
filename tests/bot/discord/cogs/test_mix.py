import pytest
from discord_server import DiscordServer, Person, Reply

from bot.studio import Request, Studio
from db.records import Avatar, Owner

pytestmark = pytest.mark.usefixtures("bot")


def owner(person: Person) -> Owner:
    return Owner("discord", str(person.id))


async def painted(studio: Studio, person: Person, private: bool = False, **wish: str) -> Avatar:
    (avatar,) = await studio.painting.create(wish, Request(owner(person), private=private))
    return avatar


def shown(reply: Reply) -> str:
    """The id of the picture in an answer."""
    (picture,) = reply.pictures
    return picture.filename.removeprefix("irodori-").removesuffix(".png")


async def test_a_child_has_its_parents_and_their_colours(studio: Studio, mika: Person) -> None:
    a = await painted(studio, mika, hair="pink", eyes="blue")
    b = await painted(studio, mika, hair="black", eyes="red")
    reply = await mika.slash("mix", a=a.id, b=f" {b.id.upper()} ", seed=7)
    assert not reply.ephemeral
    child = await studio.avatars.get(shown(reply), owner(mika))
    assert child.parents == (a.id, b.id)
    assert child.seed == 7
    assert child.conditions["hair"] in ("pink", "black")
    assert child.conditions["eyes"] in ("blue", "red")


async def test_a_sibling_has_the_same_parents_and_another_seed(
    studio: Studio, mika: Person, ren: Person
) -> None:
    a, b = await painted(studio, mika), await painted(studio, mika)
    child = await mika.slash("mix", a=a.id, b=b.id)
    reply = await ren.click(child, label="Sibling")
    first = await studio.avatars.get(shown(child), None)
    sibling = await studio.avatars.get(shown(reply), None)
    assert sibling.parents == first.parents
    assert sibling.seed != first.seed
    assert sibling.owner == owner(ren)


async def test_no_sibling_without_parents(studio: Studio, mika: Person) -> None:
    a, b = await painted(studio, mika), await painted(studio, mika)
    child = await mika.slash("mix", a=a.id, b=b.id)
    await studio.avatars.delete(a.id, owner(mika))
    answer = await mika.click(child, label="Sibling")
    assert answer.ephemeral
    assert "no more siblings" in answer.text


async def test_the_child_of_a_private_picture_is_private(studio: Studio, mika: Person) -> None:
    a, b = await painted(studio, mika, private=True), await painted(studio, mika)
    reply = await mika.slash("mix", a=a.id, b=b.id)
    assert reply.ephemeral
    assert (await studio.avatars.get(shown(reply), owner(mika))).private


async def test_anothers_private_picture_is_as_one_that_does_not_exist(
    studio: Studio, mika: Person, ren: Person
) -> None:
    mine, secret = await painted(studio, mika), await painted(studio, ren, private=True)
    private = await mika.slash("mix", a=mine.id, b=secret.id)
    missing = await mika.slash("mix", a=mine.id, b="bbbbbbbb")
    assert private.ephemeral
    assert private.text.replace(secret.id, "") == missing.text.replace("bbbbbbbb", "")


async def test_two_identical_pictures(studio: Studio, mika: Person) -> None:
    a = await painted(studio, mika)
    reply = await mika.slash("mix", a=a.id, b=a.id)
    assert reply.ephemeral
    assert "the same picture" in reply.text


async def test_pictures_are_chosen_among_ones_own_and_ones_favourites(
    discord: DiscordServer, studio: Studio, mika: Person, ren: Person
) -> None:
    mine = await painted(studio, mika, hair="pink", eyes="blue")
    loved = await painted(studio, ren, hair="black", eyes="red")
    other = await painted(studio, ren, hair="pink", eyes="red")
    await studio.avatars.toggle_favorite(loved.id, owner(mika))
    everything = await mika.autocomplete("mix", a="")
    assert [choice.value for choice in everything] == [mine.id, loved.id]
    assert everything[0].name.startswith("🩷💙 pink hair, blue eyes")
    assert mine.id in everything[0].name

    async def found(typed: str) -> list[str]:
        return [choice.value for choice in await mika.autocomplete("mix", a=typed)]

    assert await found("PINK") == [mine.id]
    assert await found("ピンク") == []
    assert await found(loved.id[:3]) == [loved.id]
    assert await found(other.id) == [other.id], "an id of any picture that one may see"
    assert await found("no such thing") == []
    second = await mika.autocomplete("mix", a=mine.id, b="")
    assert [choice.value for choice in second] == [loved.id]


async def test_favourites_are_suggested_beside_many_of_ones_own(
    studio: Studio, mika: Person, ren: Person
) -> None:
    for _ in range(3):
        await studio.painting.create({}, Request(owner(mika)), count=9)
    loved = await painted(studio, ren, hair="black")
    await studio.avatars.toggle_favorite(loved.id, owner(mika))
    suggested = await mika.autocomplete("mix", a="")
    assert len(suggested) == 25
    assert loved.id in [choice.value for choice in suggested]


async def test_labels_are_in_the_members_language(discord: DiscordServer, studio: Studio) -> None:
    kei = discord.member("Kei", locale="ja")
    mine = await painted(studio, kei, hair="pink", eyes="blue")
    (choice,) = await kei.autocomplete("mix", a="ピンク")
    assert choice.value == mine.id
    assert "ピンクの髪" in choice.name
