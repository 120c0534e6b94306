import re

import pytest
from discord_server import DiscordServer, UserClient

from bot.i18n.messages import LANGUAGES, say
from bot.studio import Request, Studio
from db.records import MemberSettings, Owner
from db.store import Store

from ..conftest import Run


async def prepare(studio: Studio, mika: UserClient, count: int = 5) -> None:
    """Turns the game on and paints pictures to guess."""
    guild = str(mika.server.default_guild.id)
    await studio.community.change(guild, guess=True)
    request = Request(Owner("discord", str(mika.id), "Mika"), guild=guild)
    await studio.painting.create({}, request, count=count)


def answer_in(text: str) -> str:
    """The right number, which the reply to an answer names first."""
    found = re.search(r"[1-4]", text)
    assert found is not None
    return found[0]


async def test_the_first_answer_of_each_member_counts_also_after_a_restart(
    run: Run, studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    await prepare(studio, mika)
    async with run(studio):
        question = await mika.slash("guess")
        assert not question.ephemeral
        assert say("guess-title") in question.text
        assert len(question.pictures) == 1
        first = await mika.click(question, label="1")
        assert first.ephemeral
    async with run(studio):
        right = answer_in(first.text)
        reply = await ren.click(question, label=right)
        assert reply.text == say("guess-right", number=int(right), right=1, answers=1)
        again = await ren.click(question, label="1")
        assert again.text == say("guess-repeated", number=int(right), right=1, answers=1)
        wrong = next(number for number in "1234" if number != right)
        later = await mika.click(question, label=wrong)
        assert later.text[:8] == again.text[:8]  # the same message, with another score
        for language in LANGUAGES:
            settings = MemberSettings(language=language)
            await studio.members.save_settings(Owner("discord", str(ren.id)), settings)
            next_question = await ren.slash("guess")
            assert say("guess-title", language) in next_question.text
            assert f"<@{ren.id}>" in next_question.text
            assert next_question.message.mentions == []


@pytest.mark.usefixtures("bot")
async def test_it_is_refused_where_it_is_off_or_there_are_too_few_pictures(
    studio: Studio, mika: UserClient
) -> None:
    assert (await mika.slash("guess")).text == say("guess-off")
    await prepare(studio, mika, count=4)
    refused = await mika.slash("guess")
    assert refused.ephemeral
    assert refused.text == say("guess-too-few", count=5)


@pytest.mark.usefixtures("bot")
async def test_forgetting_a_member_deletes_the_score(
    studio: Studio, store: Store, mika: UserClient, ren: UserClient, discord: DiscordServer
) -> None:
    await prepare(studio, mika)
    question = await mika.slash("guess")
    await ren.click(question, label="2")
    guild = str(discord.default_guild.id)
    assert [score.answers for score in await store.puzzles.scores(guild, 9)] == [1]
    assert (await store.community.of_owner(Owner("discord", str(ren.id))))["guesses"]
    await studio.members.delete_everything(Owner("discord", str(ren.id)))
    assert await store.puzzles.scores(guild, 9) == []
