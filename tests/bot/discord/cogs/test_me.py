import pytest
from discord_server import DiscordServer, Reply, UserClient
from png_recipes import without_recipe

from bot.studio import Studio
from db.records import MemberSettings, Owner
from db.store import Store

pytestmark = pytest.mark.usefixtures("bot")


def face(reply: Reply) -> bytes:
    return without_recipe(reply.pictures[0].data)


async def test_me_command_always_paints_the_same_face(
    store: Store, mika: UserClient, ren: UserClient
) -> None:
    first = await mika.slash("me")
    second = await mika.slash("me")
    other = await ren.slash("me")
    assert face(first) == face(second) != face(other)
    assert f"<@{mika.id}>" in first.text
    assert not first.ephemeral
    assert await store.avatars.count() == 2, "one for each member"


async def test_a_friends_face_is_painted_by_option_and_by_context_menu(
    mika: UserClient, ren: UserClient
) -> None:
    own = await ren.slash("me")
    from_option = await mika.slash("me", user=ren)
    from_menu = await mika.user_command("Avatar of this member", ren)
    assert face(from_option) == face(from_menu) == face(own)
    assert f"<@{ren.id}>" in from_menu.text


async def test_the_privacy_setting_makes_portraits_private(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    await studio.members.save_settings(Owner("discord", str(mika.id)), MemberSettings(private=True))
    reply = await mika.slash("me")
    assert reply.ephemeral
    assert not ren.can_see(reply)


async def test_me_command_replies_in_japanese(discord: DiscordServer) -> None:
    yui = discord.member("Yui", locale="ja")
    reply = await yui.slash("me")
    assert "の髪、" in reply.text
    assert "すべておまかせ" in reply.text
