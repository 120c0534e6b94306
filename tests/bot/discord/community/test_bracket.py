from aiohttp.test_utils import TestClient, TestServer
from discord_server import UserClient

from bot.i18n.messages import say
from bot.settings import WebSettings
from bot.studio import Studio
from bot.web.app import create_app

from .conftest import Clock, Community

THURSDAY = 3


async def test_votes_decide_a_bracket_whose_winner_becomes_the_banner_of_the_gallery(
    community: Community, studio: Studio, mika: UserClient, ren: UserClient, clock: Clock
) -> None:
    a, b, c, d = await community.paint(mika, 4)
    for avatar, count in ((a, 4), (b, 3), (c, 2), (d, 1)):
        await community.love(avatar, count)
    await community.change(bracket=community.channel)
    async with community.run():
        [first] = await community.posts(1)
        assert first.text.startswith(f"**{say('bracket-title', count=4)}**")
        assert [button.label for button in first.buttons] == ["1", "2", "3", "4"]
        assert first.message.mentions == []
        answer = await mika.click(first, label="1")
        assert answer.ephemeral
        await mika.click(first, label="2")  # instead of 1: d instead of a
        await ren.click(first, label="2")
    async with community.run():
        await ren.click(first, label="3")  # b, not c
        clock.advance(days=2)
        final = (await community.posts(2))[1]
        assert final.text.startswith(f"**{say('bracket-final')}**")
        assert say("bracket-over") in (await ren.click(first, label="1")).text
        await ren.click(final, label="1")  # d, not b
        clock.advance(days=2)
        winner = (await community.posts(3))[2]
        assert d.id in winner.pictures[0].filename
        assert f"<@{mika.id}>" in winner.text
    async with TestClient(TestServer(create_app(studio, WebSettings()))) as client:
        page = await (await client.get("/gallery")).text()
        assert say("gallery-banner") in page
        assert f"/a/{d.id}" in page[page.index(say("gallery-banner")) - 300 :]
        await studio.avatars.delete(d.id, d.owner)
        assert say("gallery-banner") not in await (await client.get("/gallery")).text()


async def test_without_votes_the_more_loved_pictures_win_and_each_week_has_one_bracket(
    community: Community, mika: UserClient, clock: Clock
) -> None:
    clock.advance(days=-((clock.now().weekday() - THURSDAY) % 7))
    _, more = await community.paint(mika, 2)
    await community.love(more, 1)
    await community.change(bracket=community.channel)
    async with community.run():
        await community.posts(1)
        clock.advance(days=2)
        _, winner = await community.posts(2)
        assert more.id in winner.pictures[0].filename
        assert winner.text.startswith("🏆")
        clock.advance(days=2)  # Monday
        *_, next_week = await community.posts(3)
        assert next_week.text.startswith(f"**{say('bracket-final')}**")


async def test_a_round_with_a_deleted_picture_is_posted_anew_without_it(
    community: Community, studio: Studio, mika: UserClient, clock: Clock
) -> None:
    pictures = await community.paint(mika, 4)
    await community.change(bracket=community.channel)
    async with community.run():
        [first] = await community.posts(1)
        await studio.avatars.delete(pictures[0].id, pictures[0].owner)
        await mika.server.wait_until(lambda: first.deleted, "the old message stays")
        [again] = await community.posts(1)
        assert len(again.buttons) == 3
        clock.advance(days=2)
        *_, final = await community.posts(2)
        assert len(final.buttons) == 2
