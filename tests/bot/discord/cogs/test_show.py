import pytest
from discord_server import UserClient

from bot.studio import Request, Studio
from db.records import Owner

pytestmark = pytest.mark.usefixtures("bot")


async def test_show_command_replies_with_picture_and_buttons(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    (avatar,) = await studio.painting.create(
        {"hair": "pink"}, Request(Owner("discord", str(mika.id)))
    )
    reply = await ren.slash("show", id=f" {avatar.id.upper()}")
    assert not reply.ephemeral
    assert "pink hair" in reply.text
    assert {button.emoji for button in reply.buttons} >= {"🎲", "🎨", "✨", "🧬", "♥️", "ℹ️", "🗑️"}


async def test_a_private_picture_is_shown_only_to_its_owner(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    mine = Owner("discord", str(mika.id))
    (avatar,) = await studio.painting.create({"hair": "pink"}, Request(mine, private=True))
    assert (await mika.slash("show", id=avatar.id)).ephemeral
    rejected = await ren.slash("show", id=avatar.id)
    missing = await ren.slash("show", id="bbbbbbbb")
    assert rejected.ephemeral
    assert rejected.text.replace(avatar.id, "bbbbbbbb") == missing.text


async def test_autocomplete_suggests_own_pictures(studio: Studio, mika: UserClient) -> None:
    (avatar,) = await studio.painting.create(
        {"hair": "pink"}, Request(Owner("discord", str(mika.id)))
    )
    (choice,) = await mika.autocomplete("show", id="pink")
    assert choice.value == avatar.id
