import io

import numpy as np
import pytest
from discord_server import Attachment, DiscordServer, Person
from PIL import Image
from tiny_model import EYES

from bot.studio import Studio
from db.store import GalleryQuery, Owner, Store

pytestmark = pytest.mark.usefixtures("bot")


def pixels(file: Attachment) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file.data)))


async def test_the_answer_is_the_picture_with_its_words_and_buttons(
    discord: DiscordServer, store: Store, mika: Person
) -> None:
    reply = await mika.slash("avatar", hair="pink", eyes="orange", seed=7)

    assert not reply.ephemeral
    assert discord.member("Ren").sees(reply)
    assert "pink hair, orange eyes" in reply.text
    assert "`hair:pink eyes:orange`" in reply.text
    assert "`7`" in reply.text
    assert "`tiny`" in reply.text
    assert reply.alt_texts == ["anime avatar: pink hair, orange eyes"]
    (picture,) = reply.pictures
    assert (picture.width, picture.height) == (64, 64)
    assert not picture.filename.startswith("SPOILER_")
    (avatar,) = (await store.gallery(GalleryQuery("everyone", None, None, {}))).avatars
    assert avatar.id in picture.filename
    assert avatar.owner == Owner("discord", str(mika.id))
    assert avatar.owner.name == "Mika"
    assert avatar.guild == str(discord.default_guild.id)
    assert avatar.channel == str(reply.channel.id)
    stored = await store.picture(avatar.id)
    assert stored is not None
    assert picture.data == stored.data
    assert await reply.fetch(picture) == stored.data
    assert [button.emoji for button in reply.buttons] == ["🎲", "🎨", "✨", "🧬", "♥️", "ℹ️", "🗑️"]
    assert all(button.custom_id.endswith(f":{avatar.id}") for button in reply.buttons)


async def test_the_same_seed_and_wish_paint_the_same_picture(mika: Person) -> None:
    first = await mika.slash("avatar", hair="aqua", seed=4294967295)
    second = await mika.slash("avatar", hair="aqua", seed=4294967295)
    assert np.array_equal(pixels(first.pictures[0]), pixels(second.pictures[0]))


async def test_synonyms_and_capitals_are_understood(mika: Person) -> None:
    reply = await mika.slash("avatar", hair="Blond", eyes="golden")
    assert "blonde hair, yellow eyes" in reply.text


async def test_nothing_asked_is_a_surprise(mika: Person) -> None:
    reply = await mika.slash("avatar")
    assert len(reply.pictures) == 1
    assert "hair" in reply.text


async def test_several_pictures_come_in_one_message(mika: Person) -> None:
    reply = await mika.slash("avatar", hair="red", count=9, seed=100)
    assert len(reply.pictures) == 9
    assert len({picture.data for picture in reply.pictures}) == 9
    assert all(alt and "red hair" in alt for alt in reply.alt_texts)
    (select,) = reply.selects
    assert [option["description"] for option in select.options] == [
        f"seed {seed}" for seed in range(100, 109)
    ]
    assert [option.get("default", False) for option in select.options] == [True] + [False] * 8
    assert len(reply.buttons) == 7


async def test_a_private_one_is_seen_by_its_owner_alone(
    studio: Studio, mika: Person, ren: Person
) -> None:
    reply = await mika.slash("avatar", hair="white", private=True)
    assert reply.ephemeral
    assert mika.sees(reply)
    assert not ren.sees(reply)
    assert (await studio.gallery(GalleryQuery("everyone", None, None, {}))).avatars == []


async def test_a_typo_is_answered_privately_with_the_nearest_value(
    store: Store, mika: Person, ren: Person
) -> None:
    reply = await mika.slash("avatar", hair="pnik")
    assert reply.ephemeral
    assert "pink" in reply.text
    assert not ren.sees(reply)
    assert await store.count() == 0


async def test_what_members_type_pings_nobody(discord: DiscordServer, mika: Person) -> None:
    await mika.slash("avatar", hair="@everyone")
    reply = await mika.slash("avatar", hair="pink")
    await mika.click(reply, label="🎲")
    sent = [call for call in discord.calls if isinstance(call.body, dict)]
    messages = [call.body.get("data") or call.body for call in sent]
    texts = [message for message in messages if message.get("content")]
    assert len(texts) >= 3
    assert all(message["allowed_mentions"] == {"parse": []} for message in texts)


async def test_autocomplete_suggests_from_the_model_in_use(mika: Person) -> None:
    everything = await mika.autocomplete("avatar", eyes="")
    assert {choice.value for choice in everything} == set(EYES.values)
    typo = await mika.autocomplete("avatar", eyes="pink", hair="pnk")
    assert typo[0].value == "pink"
    assert (await mika.autocomplete("avatar", hair="golden"))[0].value == "blonde"


async def test_it_works_in_private_and_where_only_the_member_has_the_app(
    discord: DiscordServer, mika: Person, store: Store
) -> None:
    private = await mika.slash("avatar", channel=mika.dm, hair="blue")
    assert len(private.pictures) == 1
    foreign = discord.guild("Elsewhere", has_bot=False)
    guest = discord.member("Noa", foreign, installed=True)
    reply = await guest.slash("avatar", hair="green", count=2)
    assert len(reply.pictures) == 2
    again = await guest.click(reply, label="🎲")
    assert "green hair" in again.text
    await guest.click(reply, label="🗑️")
    assert len(reply.pictures) == 1
    friends = discord.dm(guest.user, mika.user)
    assert len((await guest.slash("avatar", channel=friends)).pictures) == 1
    avatars = (await store.gallery(GalleryQuery("everyone", None, None, {}))).avatars
    assert [avatar.guild for avatar in avatars].count(None) == 2
