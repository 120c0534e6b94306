"""Channels, guilds, direct messages and their messages."""

import asyncio

import discord as discord_py
import pytest
from discord_server import (
    MANAGE_MESSAGES,
    BotError,
    DiscordServer,
    ImpossibleActionError,
    UserClient,
)

from .conftest import ScriptedBot, say_hello

Interaction = discord_py.Interaction


async def test_private_channels_and_other_guilds_are_inaccessible(
    bot: ScriptedBot, discord: DiscordServer, ren: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        where = interaction.context
        owner = "user" if interaction.is_user_integration() else "guild"
        kind = "guild" if where.guild else "bot dm" if where.dm_channel else "private"
        await interaction.response.send_message(f"{kind}, {owner}")

    bot.handler = handler
    aoi = discord.user("Aoi")
    other_guild = discord.guild("Elsewhere", has_bot=False)
    aoi_there = discord.member("Aoi", other_guild)
    assert (await ren.slash("do")).content == "guild, guild"
    assert (await ren.slash("do", channel=ren.dm)).content == "bot dm, guild"
    assert (await aoi.slash("do")).content == "bot dm, user"
    between = discord.dm(aoi.user, ren.user)
    assert (await aoi.slash("do", channel=between)).content == "private, user"
    assert (await aoi_there.slash("do")).content == "guild, user"
    with pytest.raises(BotError, match="does not see"):
        await ren.slash("do", channel=between)
    with pytest.raises(ImpossibleActionError, match="cannot read"):
        await ren.slash("do", channel=aoi.dm)
    assert discord.violations == []


async def test_user_apps_have_five_followups_and_no_channel_access(
    bot: ScriptedBot, discord: DiscordServer
) -> None:
    discord.member("Aoi", discord.guild("Elsewhere", has_bot=False), installed=True)
    aoi = discord.member("Aoi", discord.guilds[-1])

    async def handler(interaction: Interaction) -> None:
        await say_hello(interaction)
        for number in range(5):
            await interaction.followup.send(str(number))
        await interaction.followup.send("6")

    bot.handler = handler
    reply = await aoi.slash("do")
    await bot.handled.wait()
    assert isinstance(bot.error, discord_py.HTTPException)
    assert bot.error.code == 40094
    with pytest.raises(discord_py.Forbidden) as error:
        await bot.http.get_message(reply.channel.id, reply.id)
    assert error.value.code == 50001


async def test_channel_routes_answer(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    sent = await mio.send("hi")
    secret = discord.channel("secret", only=[mio])
    http = bot.http
    for call, code in (
        (http.get_channel(1), 10003),
        (http.get_channel(secret.id), 50001),
        (http.get_message(sent.channel.id, 1), 10008),
        (http.edit_message(sent.channel.id, sent.id, params=params("x")), 50005),
        (http.delete_message(sent.channel.id, sent.id), 50013),
        (http.get_user(1), 10013),
        (http.get_guild(1), 10004),
        (http.get_member(discord.default_guild.id, 1), 10007),
    ):
        with pytest.raises(discord_py.HTTPException) as error:
            await call
        assert error.value.code == code
    assert len(discord.violations) == 8
    dm = await (await bot.fetch_user(mio.id)).send("hello")
    await dm.edit(content="good day")
    assert [reply.content for reply in mio.messages(mio.dm)] == ["good day"]
    await dm.delete()
    assert mio.messages(mio.dm) == []


def params(content: str) -> discord_py.http.MultipartParameters:
    return discord_py.http.handle_message_parameters(content)


async def test_a_mention_is_dispatched_and_answered(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    reply = await mio.mention_bot("pink hair")
    assert reply.content == "hello"
    assert reply.message.reference is not None
    await mio.send("just talking")
    async with asyncio.timeout(discord.timeout):
        mentioned, talked = await bot.received.get(), await bot.received.get()
    assert mentioned.content.endswith("pink hair")
    assert talked.content == "", "the content needs a privileged intent"


async def test_deleting_messages_requires_permission(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient, ren: UserClient
) -> None:
    bot.handler = say_hello
    reply = await mio.slash("do")
    with pytest.raises(ImpossibleActionError, match="may not delete"):
        await ren.delete(reply)
    await discord.member("Aoi", permissions=MANAGE_MESSAGES).delete(reply)
    assert mio.messages() == []
