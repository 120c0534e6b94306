import pytest
from discord_server import DiscordServer, Reply, UserClient

from bot.studio import Studio
from db.records import GalleryQuery, MemberSettings, Owner
from db.store import Store

pytestmark = pytest.mark.usefixtures("bot")


async def test_a_mention_paints_its_prompt(store: Store, mika: UserClient) -> None:
    reply = await (await mika.mention_bot("pink hair, orange eyes")).wait_for_pictures()
    assert "pink hair, orange eyes" in reply.text
    assert reply.alt_texts == ["anime avatar: pink hair, orange eyes"]
    (avatar,) = (await store.galleries.page(GalleryQuery("everyone", None, None, {}))).avatars
    assert avatar.owner == Owner("discord", str(mika.id))
    assert avatar.prompt == "pink hair, orange eyes"
    again = await mika.click(reply, label="🎲")
    assert "pink hair" in again.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("粉色头发橙色眼睛", "粉色头发、橙色眼睛"), ("ピンクの髪", "ピンクの髪")],
)
async def test_a_mention_gets_a_reply_in_the_language_of_its_prompt(
    mika: UserClient, text: str, expected: str
) -> None:
    reply = await (await mika.mention_bot(text)).wait_for_pictures()
    assert expected in reply.text


async def test_a_mention_without_a_prompt_gets_help(mika: UserClient) -> None:
    assert "/avatar" in (await mika.mention_bot("")).text


async def test_an_unknown_word_gets_an_error_message(mika: UserClient, store: Store) -> None:
    assert "pink" in (await mika.mention_bot("pnik hair")).text
    assert await store.avatars.count() == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("male, pink hair, **sunglasses**", "-# Not understood, and not used: “male”, “"),
        ("pink hair", None),
        ("ピンクの髪、male", "-# わからなかった言葉：「male」。"),
    ],
)
async def test_the_reply_to_a_mention_says_what_was_not_understood(
    mika: UserClient, text: str, expected: str | None
) -> None:
    reply = await (await mika.mention_bot(text)).wait_for_pictures()
    if expected is None:
        assert "Not understood" not in reply.text
    else:
        assert expected in reply.text
        assert "**sunglasses**" not in reply.text


async def test_in_dms_no_mention_is_needed(discord: DiscordServer, mika: UserClient) -> None:
    sent = await mika.send("blue hair", channel=mika.dm)

    def replies() -> list[Reply]:
        return [r for r in mika.messages(mika.dm) if r.id != sent.id and r.pictures]

    (reply,) = await discord.wait_until(replies, "no reply in the direct messages")
    assert "blue hair" in reply.text


async def test_messages_without_mention_or_from_bots_get_no_reply(
    discord: DiscordServer, mika: UserClient, ren: UserClient, store: Store
) -> None:
    ren.user.bot = True
    await mika.send("pink hair")
    await ren.send(f"{discord.mention} pink hair")
    await (await mika.mention_bot("green hair")).wait_for_pictures()
    assert await store.avatars.count() == 1


async def test_a_mention_in_a_channel_does_not_show_private_pictures(
    studio: Studio, mika: UserClient, store: Store
) -> None:
    await studio.members.save_settings(Owner("discord", str(mika.id)), MemberSettings(private=True))
    assert "/avatar" in (await mika.mention_bot("pink hair")).text
    assert await store.avatars.count() == 0


@pytest.mark.parametrize("status", [403, 429, 502, None])
async def test_a_mention_is_answered_if_typing_is_refused(
    discord: DiscordServer, mika: UserClient, store: Store, status: int | None
) -> None:
    discord.inject_fault("/typing$", status, times=10, retry_after=3600)
    reply = await (await mika.mention_bot("pink hair")).wait_for_pictures()
    assert "pink hair" in reply.text
    assert len([r for r in mika.messages() if r.message.author is discord.bot]) == 1
    assert await store.avatars.count() == 1


@pytest.mark.parametrize("processed", [False, True])
async def test_a_dropped_connection_neither_loses_nor_duplicates_a_reply(
    discord: DiscordServer, mika: UserClient, processed: bool
) -> None:
    discord.inject_fault(r"/channels/\d+/messages$", None, method="POST", processed=processed)
    wishes = ["pink hair, blue eyes", "blue hair, pink eyes"]
    for wish in wishes:
        await (await mika.mention_bot(wish)).wait_for_pictures()
    replies = [reply for reply in mika.messages() if reply.pictures]
    for wish, reply in zip(wishes, replies, strict=True):
        assert wish in reply.text
