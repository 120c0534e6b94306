import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from discord_server import Attachment, DiscordServer, UserClient
from PIL import Image
from png_recipes import without_recipe
from tiny_model import EYES

from bot.studio import Studio
from db.records import GalleryQuery, MemberSettings, Owner
from db.store import Store

from ..conftest import avatar_id

pytestmark = pytest.mark.usefixtures("bot")


def pixels(file: Attachment) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(file.data)))


async def test_avatar_command_replies_with_picture_text_and_buttons(
    discord: DiscordServer, store: Store, mika: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink", eyes="orange", seed=7)

    assert not reply.ephemeral
    assert discord.member("Ren").can_see(reply)
    assert "pink hair, orange eyes" in reply.text
    assert "`hair:pink eyes:orange`" in reply.text
    assert "`tiny`" not in reply.text
    info = await mika.click(reply, label="ℹ️")  # the details
    assert "`7`" in info.text
    assert "`tiny`" in info.text
    assert reply.alt_texts == ["anime avatar: pink hair, orange eyes"]
    (picture,) = reply.pictures
    assert (picture.width, picture.height) == (64, 64)
    assert not picture.filename.startswith("SPOILER_")
    (avatar,) = (await store.galleries.page(GalleryQuery("everyone", None, None, {}))).avatars
    assert avatar.id in picture.filename
    assert avatar.owner == Owner("discord", str(mika.id))
    assert avatar.owner.name == "Mika"
    assert avatar.guild == str(discord.default_guild.id)
    assert avatar.channel == str(reply.channel.id)
    stored = await store.avatars.picture(avatar.id)
    assert stored is not None
    assert without_recipe(picture.data) == stored.data
    assert await reply.fetch(picture) == picture.data
    assert [button.emoji for button in reply.buttons] == ["🎲", "🎨", "✨", "♥️", "🧬", "ℹ️", "🗑️"]
    assert all((button.custom_id or "").endswith(f":{avatar.id}") for button in reply.buttons)


async def test_the_same_seed_and_wish_paint_the_same_picture(mika: UserClient) -> None:
    first = await mika.slash("avatar", hair="aqua", seed=4294967295)
    second = await mika.slash("avatar", hair="aqua", seed=4294967295)
    assert np.array_equal(pixels(first.pictures[0]), pixels(second.pictures[0]))


async def test_synonyms_and_capital_letters_are_parsed(mika: UserClient) -> None:
    reply = await mika.slash("avatar", hair="Blond", eyes="golden")
    assert "blonde hair, yellow eyes" in reply.text


async def test_without_options_all_attributes_are_random(mika: UserClient) -> None:
    reply = await mika.slash("avatar")
    assert len(reply.pictures) == 1
    assert "hair" in reply.text


async def test_several_pictures_are_sent_in_one_message(mika: UserClient) -> None:
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


async def test_a_private_picture_is_visible_only_to_its_owner(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="white", private=True)
    assert reply.ephemeral
    assert mika.can_see(reply)
    assert not ren.can_see(reply)
    assert (await studio.gallery.page(GalleryQuery("everyone", None, None, {}))).avatars == []


async def test_a_typo_gets_an_ephemeral_reply_with_the_nearest_value(
    store: Store, mika: UserClient, ren: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pnik")
    assert reply.ephemeral
    assert "pink" in reply.text
    assert not ren.can_see(reply)
    assert await store.avatars.count() == 0


async def test_text_typed_by_members_mentions_no_user(
    discord: DiscordServer, mika: UserClient
) -> None:
    await mika.slash("avatar", hair="@everyone")
    reply = await mika.slash("avatar", hair="pink")
    await mika.click(reply, label="🎲")
    sent = [call for call in discord.calls if isinstance(call.body, dict)]
    messages = [call.body.get("data") or call.body for call in sent]
    texts = [message for message in messages if message.get("content")]
    assert len(texts) >= 3
    assert all(message["allowed_mentions"] == {"parse": []} for message in texts)


async def test_autocomplete_suggests_from_the_model_in_use(mika: UserClient) -> None:
    everything = await mika.autocomplete("avatar", eyes="")
    assert {choice.value for choice in everything} == set(EYES.values)
    typo = await mika.autocomplete("avatar", eyes="pink", hair="pnk")
    assert typo[0].value == "pink"
    assert (await mika.autocomplete("avatar", hair="golden"))[0].value == "blonde"


async def test_avatar_command_works_in_dms_and_as_a_user_installed_app(
    discord: DiscordServer, mika: UserClient, store: Store
) -> None:
    private = await mika.slash("avatar", channel=mika.dm, hair="blue")
    assert len(private.pictures) == 1
    other_guild = discord.guild("Elsewhere", has_bot=False)
    guest = discord.member("Noa", other_guild, installed=True)
    reply = await guest.slash("avatar", hair="green", count=2)
    assert len(reply.pictures) == 2
    again = await guest.click(reply, label="🎲")
    assert "green hair" in again.text
    await guest.click(reply, label="🗑️")
    assert len(reply.pictures) == 1
    friends = discord.dm(guest.user, mika.user)
    assert len((await guest.slash("avatar", channel=friends)).pictures) == 1
    avatars = (await store.galleries.page(GalleryQuery("everyone", None, None, {}))).avatars
    assert [avatar.guild for avatar in avatars].count(None) == 2


TRANSLATIONS = {
    "en-US": ("pink hair, orange eyes", "wish `hair:pink eyes:orange`", "Again", "🩷 pink"),
    "zh-CN": ("粉色头发、橙色眼睛", "要求 `hair:pink eyes:orange`", "再来一张", "🩷 粉色"),
    "ja": ("ピンクの髪、オレンジの目", "注文 `hair:pink eyes:orange`", "もう1枚", "🩷 ピンク"),
}


@pytest.mark.parametrize("locale", TRANSLATIONS)
async def test_replies_are_in_the_members_language(discord: DiscordServer, locale: str) -> None:
    yui = discord.member("Yui", locale=locale)
    description, wish, again, label = TRANSLATIONS[locale]
    suggested = await yui.autocomplete("avatar", hair=label.split()[1])
    assert (suggested[0].name, suggested[0].value) == (label, "pink")
    reply = await yui.slash("avatar", hair=suggested[0].value, eyes="orange", seed=7)
    assert description in reply.text
    assert wish in reply.text
    assert again in [button.label for button in reply.buttons]
    assert description in str(reply.alt_texts[0])


@pytest.mark.parametrize(
    ("hair", "eyes"), [("pink", "orange"), ("粉色", "橙色"), ("ピンク", "オレンジ")]
)
async def test_values_are_parsed_in_every_language(mika: UserClient, hair: str, eyes: str) -> None:
    reply = await mika.slash("avatar", hair=hair, eyes=eyes)
    assert "pink hair, orange eyes" in reply.text


@pytest.mark.parametrize(
    ("locale", "name", "count", "hair", "message"),
    [
        ("en-US", "avatar", "count", "hair", "Did you mean pink?"),
        ("zh-CN", "头像", "数量", "头发", "你是想说粉色"),
        ("ja", "アバター", "枚数", "髪", "もしかして：ピンク"),
    ],
)
async def test_command_and_errors_are_translated_into_every_language(
    discord: DiscordServer, locale: str, name: str, count: str, hair: str, message: str
) -> None:
    command = next(c for c in discord.commands[None].values() if c["name"] == "avatar")
    options = {option["name"]: option for option in command["options"]}

    def localized(item: dict[str, Any], field: str = "name") -> str:
        translations: dict[str, str] = item.get(f"{field}_localizations") or {}
        return translations.get(locale) or str(item[field])

    assert localized(command) == name
    assert localized(options["count"]) == count
    assert localized(options["hair"]) == hair
    assert localized(options["hair"], "description").startswith(hair)
    reply = await discord.member("Yui", locale=locale).slash("avatar", hair="pnik")
    assert reply.ephemeral
    assert message in reply.text


async def test_member_settings_are_the_defaults_of_options(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    settings = MemberSettings(private=True, language="ja")
    await studio.members.save_settings(Owner("discord", str(mika.id)), settings)
    reply = await mika.slash("avatar", hair="pink")
    assert reply.ephemeral
    assert "ピンクの髪" in reply.text
    public = await mika.slash("avatar", hair="pink", private=False)
    assert not public.ephemeral
    assert ren.can_see(public)


async def test_an_option_may_have_a_shade(store: Store, mika: UserClient) -> None:
    reply = await mika.slash("avatar", hair="light pink")
    assert "pink hair" in reply.text
    avatar = await store.avatars.get(avatar_id(reply))
    assert avatar is not None
    assert (avatar.wish, avatar.prompt) == ({"hair": "pink"}, "hair:light pink")
