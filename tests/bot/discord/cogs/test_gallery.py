from urllib.parse import parse_qsl

import pytest
from discord_server import DiscordServer, Person, Reply

from bot.discord.gallery import Place, Turn
from bot.errors import BadPrompt
from bot.studio import Studio
from db.store import Owner

pytestmark = pytest.mark.usefixtures("bot")


def ids(reply: Reply) -> list[str]:
    return [
        option["value"]
        for select in reply.selects
        if select.custom_id == "irodori:open"
        for option in select.options
    ]


def button(reply: Reply, label: str) -> bool:
    """Whether the button can be pressed."""
    (found,) = [button for button in reply.buttons if button.label == label]
    return not found.disabled


async def test_an_empty_gallery_says_how_to_fill_it(mika: Person) -> None:
    reply = await mika.slash("gallery")
    assert reply.ephemeral
    assert reply.pictures == []
    assert "/avatar" in reply.text


async def test_pages_go_to_older_ones_and_back(studio: Studio, mika: Person) -> None:
    owner = Owner("web", "visitor")
    painted = [(await studio.create({}, owner=owner))[0].id for _ in range(21)]
    newest = painted[::-1]

    reply = await mika.slash("gallery", scope="everyone")
    assert ids(reply) == newest[:9]
    assert [picture.filename for picture in reply.pictures] == [
        f"irodori-{id}.png" for id in newest[:9]
    ]
    assert all(alt and alt.startswith("anime avatar: ") for alt in reply.alt_texts)
    stored = await studio.picture(newest[0], None)
    assert await reply.fetch(reply.pictures[0]) == stored.data
    assert not button(reply, "Previous")

    await mika.click(reply, label="Next")
    assert ids(reply) == newest[9:18]
    assert len(reply.pictures) == len(reply.attachments) == 9
    await mika.click(reply, label="Next")
    assert ids(reply) == newest[18:]
    assert not button(reply, "Next")
    await mika.click(reply, label="Previous")
    assert ids(reply) == newest[9:18]
    await mika.click(reply, label="Previous")
    assert ids(reply) == newest[:9]
    assert not button(reply, "Previous")


async def test_one_picture_opens_with_its_buttons(studio: Studio, mika: Person) -> None:
    (first, second) = await studio.create({"hair": "red"}, owner=Owner("web", "x"), count=2)
    page = await mika.slash("gallery")
    card = await mika.select(page, "irodori:open", [first.id])
    assert card.ephemeral
    assert "red hair" in card.text
    assert [picture.filename for picture in card.pictures] == [f"irodori-{first.id}.png"]
    again = await mika.click(card, label="🎲")
    assert again.ephemeral, "who browses alone does not post to everybody"
    assert set(ids(page)) == {first.id, second.id}, "the page is still there"


async def test_scopes(discord: DiscordServer, studio: Studio, mika: Person) -> None:
    there = discord.guild("Elsewhere")
    kei = discord.member("Kei", there)
    mine = await mika.slash("avatar", hair="pink")
    secret = await mika.slash("avatar", hair="black", private=True)
    foreign = await kei.slash("avatar", hair="green")

    def avatar_id(reply: Reply) -> str:
        return str(reply.buttons[0].custom_id).rpartition(":")[2]

    pink, black, green = (avatar_id(reply) for reply in (mine, secret, foreign))
    assert ids(await mika.slash("gallery", scope="everyone")) == [green, pink]
    assert ids(await mika.slash("gallery", scope="server")) == [pink]
    assert ids(await kei.slash("gallery", scope="server")) == [green]
    assert ids(await mika.slash("gallery", scope="mine")) == [black, pink]
    assert ids(await mika.slash("gallery", scope="favourites")) == []
    await mika.click(foreign_card := await _open(mika, green), label="♥️")
    assert [b.label for b in foreign_card.buttons if b.emoji == "♥️"] == ["1"]
    assert ids(await mika.slash("gallery", scope="favourites")) == [green]
    nowhere = await mika.slash("gallery", channel=mika.dm, scope="server")
    assert "no server here" in nowhere.text


async def _open(person: Person, id: str) -> Reply:
    page = await person.slash("gallery", scope="everyone")
    return await person.select(page, "irodori:open", [id])


async def test_colours_filter_and_stay_when_pages_turn(studio: Studio, mika: Person) -> None:
    owner = Owner("web", "x")
    wanted = []
    for _ in range(2):
        await studio.create({"hair": "pink", "eyes": "red"}, owner=owner, count=3)
        made = await studio.create({"hair": "pink", "eyes": "blue"}, owner=owner, count=6)
        wanted += [avatar.id for avatar in made]
    reply = await mika.slash("gallery", hair="Pink", eyes="sapphire")
    assert "pink hair, blue eyes" in reply.text
    first = ids(reply)
    await mika.click(reply, label="Next")
    assert "pink hair, blue eyes" in reply.text
    assert {*first, *ids(reply)} == set(wanted)
    assert len(ids(reply)) == 3
    assert all(len(b.custom_id or "") <= 100 for b in reply.buttons)


async def test_a_typo_in_the_filter_is_answered_with_the_nearest_value(mika: Person) -> None:
    reply = await mika.slash("gallery", hair="pnik")
    assert reply.ephemeral
    assert "pink" in reply.text
    assert reply.buttons == []


async def test_what_was_deleted_is_not_shown(studio: Studio, mika: Person) -> None:
    reply = await mika.slash("avatar")
    other = await mika.slash("avatar")
    await mika.click(reply, label="🗑️")
    page = await mika.slash("gallery", scope="mine")
    assert ids(page) == [str(other.buttons[0].custom_id).rpartition(":")[2]]


def test_the_state_of_a_page_fits_a_custom_id() -> None:
    place = Place("favourites", "loved", {"hair": "pink & blue", "目": "a:b=c+d%"}, "o12.345")
    found = Turn.__discord_ui_compiled_template__.fullmatch(place.custom_id("n"))
    assert found is not None
    assert dict(parse_qsl(found["values"])) == place.values
    many = {f"attribute {i}": "value" for i in range(6)}
    with pytest.raises(BadPrompt, match="leave one out"):
        Place("everyone", values=many).custom_id("n")
