"""Reports of pictures by members, and the operators' channel."""

from discord_server import MANAGE_GUILD, MANAGE_MESSAGES, DiscordServer, Reply, UserClient

from bot.inference.engine import Engine
from bot.settings import PrivacySettings
from bot.studio import Studio
from db.store import Store

from ..conftest import Run, avatar_id


async def report(client: UserClient, card: Reply, reason: str = "") -> Reply:
    info = await client.click(card, label="ℹ️")
    form = await client.click_for_modal(info, label="Report")
    return await client.submit(form, reason=reason)


async def test_a_report_is_stored_until_an_operator_decides(
    run: Run, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    async with run(studio):
        card = await mika.slash("avatar", hair="pink")
        answer = await report(ren, card, "  not   nice ")
        assert answer.ephemeral
        assert "Thank you" in answer.text
    [reported] = await studio.reports.open()
    assert (reported.avatar.id, reported.reasons) == (avatar_id(card), ("not nice",))


async def test_own_and_private_pictures_cannot_be_reported(
    run: Run, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    async with run(studio):
        card = await mika.slash("avatar")
        private = await mika.slash("avatar", private=True)
        for own in (card, private):
            info = await mika.click(own, label="ℹ️")
            assert info.buttons == []
        shown = await ren.click(card, label="ℹ️")
        await studio.avatars.set_hidden(avatar_id(card), True)
        form = await ren.click_for_modal(shown, label="Report")
        assert "no picture" in (await ren.submit(form)).text
    assert await studio.reports.open() == []


async def test_operators_decide_in_their_channel(
    run: Run,
    discord: DiscordServer,
    engine: Engine,
    store: Store,
    mika: UserClient,
    ren: UserClient,
) -> None:
    channel = discord.channel("reports")
    settings = PrivacySettings(reports_channel=channel.id)
    studio = Studio(engine, store, settings, page_url="https://faces.example.org")
    operator = discord.member("Olga")

    async def notice(number: int) -> Reply:
        def arrived() -> list[Reply]:
            return operator.messages(channel)[number:]

        return (await discord.wait_until(arrived, "a report in the channel"))[0]

    async with run(studio, admins=(operator.id,)):
        first, second = await mika.slash("avatar"), await mika.slash("avatar")
        await report(ren, first, "*rude*")
        message = await notice(0)
        assert f"https://faces.example.org/a/{avatar_id(first)}" in message.content
        assert "\\*rude\\*" in message.content
        assert message.attachments[0].filename.startswith("SPOILER_")
        refused = await mika.click(message, label="Hide picture")
        assert refused.ephemeral
        assert (await studio.avatars.get(avatar_id(first), viewer=None)).id == avatar_id(first)

        await operator.click(message, label="Hide picture")
        assert (await studio.avatars.get(avatar_id(first), None, moderator=True)).hidden
        assert message.buttons == []
        await report(ren, second)
        message = await notice(1)
        await operator.click(message, label="Dismiss reports")
        assert not (await studio.avatars.get(avatar_id(second), viewer=None)).hidden
    assert await studio.reports.open() == []


async def test_moderators_of_a_server_decide_in_the_channel_of_their_server(
    run: Run, discord: DiscordServer, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    channel = discord.channel("moderators")
    admin = discord.member("Aki", permissions=MANAGE_GUILD)
    moderator = discord.member("Momo", permissions=MANAGE_MESSAGES)
    elsewhere = discord.guild("Elsewhere")
    mika_there, ren_there = (discord.member(name, elsewhere) for name in ("Mika", "Ren"))
    async with run(studio):
        text = (await admin.slash("limits reports", where=channel)).text
        assert f"<#{channel.id}>" in text
        await report(ren_there, await mika_there.slash("avatar"))
        await report(ren, await mika.slash("avatar"), "rude")
        second = await mika.slash("avatar")
        await report(ren, second)
        await discord.wait_until(lambda: len(moderator.messages(channel)) == 2, "no reports")
        [kept, hidden] = moderator.messages(channel)
        assert "rude" in kept.content
        assert (await ren.click(kept, label="Hide picture")).ephemeral, "is no moderator"
        await moderator.click(kept, label="Dismiss reports")
        await moderator.click(hidden, label="Hide picture")
        assert (await studio.avatars.get(avatar_id(second), None, moderator=True)).hidden
        assert "operators only" in (await admin.slash("limits reports")).text
        await report(ren, await mika.slash("avatar"))
    assert len(moderator.messages(channel)) == 2


async def test_help_links_the_pages(
    run: Run, engine: Engine, store: Store, studio: Studio, mika: UserClient
) -> None:
    async with run(studio):
        assert "/terms" not in (await mika.slash("help")).text
    async with run(Studio(engine, store, page_url="https://faces.example.org/")):
        text = (await mika.slash("help")).text
    assert "<https://faces.example.org/privacy>" in text
    assert "<https://faces.example.org/terms>" in text
