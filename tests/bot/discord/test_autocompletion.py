import asyncio
import time
from typing import Any

import pytest
from discord_server import DiscordServer, UserClient

from bot.discord import autocompletion
from bot.discord.options import suggest
from bot.errors import BadPrompt
from bot.prompts.vocabulary import vocabulary
from bot.prompts.wish import check_wish
from bot.studio import Request, Studio
from db.records import Owner

LONGEST = 6000  # characters that Discord accepts in an option being typed
TEXT = "pnik haïr " * (LONGEST // 10)


@pytest.mark.usefixtures("bot")
async def test_long_texts_do_not_delay_other_requests(mika: UserClient, ren: UserClient) -> None:
    typed = [mika.autocomplete("avatar", hair=TEXT) for _ in range(autocompletion.MAX_OPEN)]
    found, reply = await asyncio.gather(asyncio.gather(*typed), ren.slash("help"))
    assert all(found)
    assert reply.text


def test_the_time_to_match_a_text_grows_at_most_with_its_length(studio: Studio) -> None:
    attributes = studio.attributes

    def seconds(text: str) -> float:
        started = time.thread_time()  # other threads and processes do not count
        suggest(attributes[0], text)
        assert not vocabulary(attributes).is_typo(text)
        vocabulary(attributes).nearest({attributes[0].name: text})
        with pytest.raises(BadPrompt):
            check_wish({attributes[0].name: text}, attributes)
        return time.thread_time() - started

    parts = 20
    short, long = (
        min(seconds(text) for _ in range(5)) for text in (TEXT[: LONGEST // parts], TEXT)
    )
    assert long < parts * short


@pytest.mark.usefixtures("bot")
async def test_a_member_has_a_limited_number_of_open_autocompletions(
    discord: DiscordServer,
    studio: Studio,
    mika: UserClient,
    ren: UserClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, finished, searches = studio.gallery.page, asyncio.Event(), 0

    async def slow(query: Any) -> Any:
        nonlocal searches
        searches += 1
        await finished.wait()
        return await page(query)

    for client in (mika, ren):
        await studio.painting.create({"hair": "pink"}, Request(Owner("discord", str(client.id))))
    monkeypatch.setattr(studio.gallery, "page", slow)
    most = autocompletion.MAX_OPEN
    discord.deadline = discord.timeout
    typed = [asyncio.create_task(mika.autocomplete("show", id="pink")) for _ in range(most)]
    await discord.wait_until(lambda: searches == most, "not all searches have started")
    assert await mika.autocomplete("show", id="pink") == []
    other = asyncio.create_task(ren.autocomplete("show", id="pink"))
    await discord.wait_until(lambda: searches == most + 1, "another member cannot search")
    finished.set()
    assert all(await asyncio.gather(*typed, other))
    assert await mika.autocomplete("show", id="pink"), "there is a place again"
