"""What the bot posts by itself is in the language of the server."""

from functools import partial

import pytest
from discord_server import Channel, DiscordServer, UserClient

from bot.i18n.messages import LANGUAGES, say
from bot.studio import Request, Studio
from db.records import Owner

from ..conftest import Run

LOCALES = {"en": "en-US", "zh-CN": "zh-CN", "ja": "ja"}
MEMBERS = 1 << 1  # the intent


def has_posts(client: UserClient, channel: Channel) -> bool:
    return len(client.messages(channel)) == 4


@pytest.mark.usefixtures("clock")
async def test_posts_are_in_the_language_of_the_server(
    discord: DiscordServer, run: Run, studio: Studio
) -> None:
    discord.granted_intents = MEMBERS
    channels: dict[str, Channel] = {}
    for language in LANGUAGES:
        guild = discord.guild(language)
        guild.locale = LOCALES[language]
        channels[language] = channel = guild.channels[0]
        request = Request(Owner("discord", "1"), guild=str(guild.id))
        loved, _ = await studio.painting.create({}, request, count=2)
        on = dict.fromkeys(("welcome", "showcase", "bracket", "portrait"), str(channel.id))
        await studio.community.change(str(guild.id), **on, hearts=1)
        await studio.avatars.toggle_favorite(loved.id, Owner("discord", "2"))
    async with run(studio, members_intent=True):
        for language, channel in channels.items():
            aki = await discord.join("Aki", channel.guild)
            await discord.wait_until(partial(has_posts, aki, channel), "posts are missing")
            text = "\n".join(message.text for message in aki.messages(channel))
            for expected in (
                say("welcome-text", language, member=f"<@{aki.id}>"),
                say("showcase-text", language, count=1, title="|", member="<@1>").split("|")[0],
                say("bracket-final", language),
                say("portrait-title", language),
            ):
                assert expected in text
