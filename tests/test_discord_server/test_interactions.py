"""Slash commands, and the rules of answering interactions."""

import asyncio
from typing import Any

import discord as discord_py
import pytest
from discord_server import (
    MANAGE_MESSAGES,
    BotError,
    DiscordServer,
    ImpossibleActionError,
    UserClient,
)

from .conftest import ScriptedBot, gallery, picture, say_hello

Interaction = discord_py.Interaction


# Slash commands


async def test_options_are_passed_unchanged(
    discord: DiscordServer, bot: ScriptedBot, mio: UserClient, ren: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        options = interaction.namespace
        await interaction.response.send_message(
            f"{options.word} {options.times} {options.user.name}"
        )

    bot.handler = handler
    reply = await mio.slash("do", word="pink", times=9, user=ren)
    assert reply.content == "pink 9 ren"
    assert discord.violations == []


@pytest.mark.parametrize(
    "options", [{"times": 10}, {"times": "one"}, {"color": "pink"}, {"user": "ren"}]
)
async def test_the_client_rejects_invalid_options(
    bot: ScriptedBot, mio: UserClient, options: dict[str, Any]
) -> None:
    with pytest.raises(ImpossibleActionError):
        await mio.slash("do", **options)


async def test_commands_require_their_permissions(
    discord: DiscordServer, bot: ScriptedBot, mio: UserClient
) -> None:
    bot.handler = say_hello
    with pytest.raises(BotError, match="default_member_permissions"):
        await mio.slash("moderate")
    moderator = discord.member("Aoi", permissions=MANAGE_MESSAGES)
    assert (await moderator.slash("moderate")).content == "hello"


async def test_a_picture_is_attached_and_described(bot: ScriptedBot, mio: UserClient) -> None:
    async def handler(interaction: Interaction) -> None:
        await interaction.response.defer()
        file = discord_py.File(picture("red"), "a.png", description="a red square")
        await interaction.followup.send(view=gallery("a.png"), file=file)

    bot.handler = handler
    reply = await mio.slash("do")
    assert reply.text == "hello"
    assert reply.alt_texts == ["a red square"]
    assert reply.pictures[0].data == picture("red").getvalue()
    assert await reply.fetch(reply.pictures[0]) == picture("red").getvalue()


async def test_file_urls_expire(discord: DiscordServer, bot: ScriptedBot, mio: UserClient) -> None:
    async def handler(interaction: Interaction) -> None:
        await interaction.response.send_message(file=discord_py.File(picture(), "a.png"))

    bot.handler = handler
    reply = await mio.slash("do")
    discord.advance_clock(25 * 3600)
    with pytest.raises(BotError, match="answers 404"):
        await reply.fetch(reply.pictures[0])


# The rules of answering


async def test_a_missing_answer_fails_the_interaction(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    never = asyncio.Event()
    discord.deadline = 0.2

    async def handler(interaction: Interaction) -> None:
        await never.wait()
        await say_hello(interaction)

    bot.handler = handler
    with pytest.raises(BotError, match="did not respond"):
        await mio.slash("do")
    never.set()
    await bot.handled.wait()
    assert isinstance(bot.error, discord_py.NotFound)
    assert bot.error.code == 10062
    assert [violation.code for violation in discord.violations] == [10062]
    assert mio.messages() == []


async def test_an_answer_after_3_seconds_is_rejected(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        discord.advance_clock(3.1)
        await say_hello(interaction)

    bot.handler = handler
    with pytest.raises(BotError):
        await mio.slash("do")
    await bot.handled.wait()
    assert isinstance(bot.error, discord_py.NotFound)
    assert bot.error.code == 10062


async def test_a_second_answer_is_rejected(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        await say_hello(interaction)
        await bot.send_callback(interaction, 4, {"content": "once more"})

    bot.handler = handler
    assert (await mio.slash("do")).content == "hello"
    await bot.handled.wait()
    assert isinstance(bot.error, discord_py.HTTPException)
    assert bot.error.code == 40060
    assert [reply.content for reply in mio.messages()] == ["hello"]


async def test_tokens_expire_after_15_minutes(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        await say_hello(interaction)
        discord.advance_clock(14 * 60)
        await interaction.followup.send("in time")
        discord.advance_clock(2 * 60)
        await interaction.followup.send("too late")

    bot.handler = handler
    await mio.slash("do")
    await bot.handled.wait()
    assert isinstance(bot.error, discord_py.HTTPException)
    assert bot.error.code == 50027
    assert [reply.content for reply in mio.messages()] == ["hello", "in time"]


async def test_callback_types_must_fit_the_interaction(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    bot.handler = bot.callback_handler(7, {"content": "x"})
    with pytest.raises(BotError, match="Value must be one of"):
        await mio.slash("do")


async def test_a_deferred_interaction_must_be_finished(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    discord.timeout = 0.2
    bot.handler = lambda interaction: interaction.response.defer()
    with pytest.raises(BotError, match="only deferred"):
        await mio.slash("do")


async def test_deferring_decides_whether_the_reply_is_ephemeral(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient, ren: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("secret", ephemeral=True)
        await interaction.followup.send("second", ephemeral=True)

    bot.handler = handler
    reply = await mio.slash("do")
    await bot.handled.wait()
    assert not reply.ephemeral
    assert [seen.content for seen in ren.messages()] == ["secret"]
    assert [seen.content for seen in mio.messages()] == ["secret", "second"]


async def test_ephemeral_replies_are_visible_to_one_user(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient, ren: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        await interaction.response.send_message("psst", ephemeral=True)
        message = await interaction.original_response()
        await interaction.client.http.get_message(message.channel.id, message.id)

    bot.handler = handler
    reply = await mio.slash("do")
    await bot.handled.wait()
    assert reply.ephemeral
    assert mio.can_see(reply)
    assert not ren.can_see(reply)
    assert isinstance(bot.error, discord_py.NotFound)
    assert bot.error.code == 10008, "channel routes do not reach it"


async def test_the_original_reply_is_fetched_edited_and_deleted(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        await say_hello(interaction)
        message = await interaction.edit_original_response(content="good day")
        again = await interaction.followup.send("more", wait=True)
        await again.edit(content="even more")
        assert (await interaction.original_response()).id == message.id
        assert (await interaction.followup.fetch_message(again.id)).content == "even more"
        await message.delete()
        await again.delete()
        await interaction.followup.fetch_message(again.id)

    bot.handler = handler
    reply = await mio.slash("do")
    await bot.handled.wait()
    assert reply.content == "good day"
    assert reply.deleted
    assert isinstance(bot.error, discord_py.NotFound)
    assert bot.error.code == 10008
