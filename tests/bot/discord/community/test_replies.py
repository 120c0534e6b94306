"""Spoilers, replies that are deleted in a flood, and links from children to their parents."""

from datetime import timedelta

import pytest
from discord_server import DiscordServer, UserClient

from bot.i18n.messages import LANGUAGES, say
from bot.studio import Studio
from db.records import MemberSettings, Owner

from ..conftest import avatar_id
from .conftest import Clock, Community

HOUR = timedelta(hours=1)


async def test_pictures_in_chosen_channels_and_their_threads_are_spoilers(
    community: Community, discord: DiscordServer, mika: UserClient
) -> None:
    await community.change(spoilers=(community.channel,))
    thread = discord.thread("ideas", community.news)
    async with community.run():
        hidden = await mika.slash("avatar", channel=community.news, count=2)
        ids = [option["value"] for option in hidden.selects[0].options]
        for reply in (
            hidden,
            await mika.slash("avatar", channel=thread),
            await mika.slash("morph", channel=community.news, a=ids[0], b=ids[1]),
            await mika.slash("find", channel=community.news),
            await mika.slash("show", channel=community.news, id=ids[0]),
        ):
            assert all(file.filename.startswith("SPOILER_") for file in reply.pictures)
        name = hidden.pictures[0].filename
        shown = await mika.slash("show", id=name)
        assert shown.pictures[0].filename == name.removeprefix("SPOILER_")


async def test_replies_of_a_flood_are_deleted_after_some_minutes_and_pictures_stay(
    community: Community, discord: DiscordServer, studio: Studio, mika: UserClient, clock: Clock
) -> None:
    await community.change(retract=(community.channel,), retract_minutes=5)
    async with community.run():
        few = [await mika.slash("avatar", channel=community.news) for _ in range(5)]
        elsewhere = [await mika.slash("avatar") for _ in range(6)]
        clock.advance(minutes=6)
        # a step of the schedule, which deletes nothing
        await studio.community.posts.due([community.guild], clock.now(), 9)
        assert not any(reply.deleted for reply in few)
        clock.offset *= 0
        flood = [*few, await mika.slash("avatar", channel=community.news)]
        clock.advance(minutes=4)
        kept = await mika.slash("help", channel=community.news)
        assert not any(reply.deleted for reply in flood)
    clock.advance(minutes=2)
    async with community.run():
        await discord.wait_until(
            lambda: all(reply.deleted for reply in flood), "replies of the flood stay"
        )
        assert not any(reply.deleted for reply in [*elsewhere, kept])
    await studio.avatars.get(avatar_id(flood[0]), Owner("discord", str(mika.id)))


async def test_replies_stay_once_an_admin_has_turned_their_deletion_off(
    community: Community, studio: Studio, mika: UserClient, clock: Clock
) -> None:
    await community.change(retract=(community.channel,), retract_minutes=5)
    async with community.run():
        for _ in range(6):
            await mika.slash("avatar", channel=community.news)
    assert len(await studio.community.posts.due([community.guild], clock.now() + HOUR, 9)) == 6
    await community.change(retract=())
    assert await studio.community.posts.due([community.guild], clock.now() + HOUR, 9) == []


@pytest.mark.usefixtures("bot")
async def test_a_child_has_a_link_to_the_message_of_its_parent(
    community: Community, discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    me = Owner("discord", str(mika.id))
    before = await mika.slash("avatar")
    await community.change(links=True)
    parent = await mika.slash("avatar", hair="pink")
    id, general = avatar_id(parent), discord.general
    link = f"[`{id}`](https://discord.com/channels/{community.guild}/{general.id}/{parent.id})"
    for language in LANGUAGES:
        await studio.members.save_settings(me, MemberSettings(language=language))
        children = await mika.click(parent, label="✨")
        assert say("card-child-of", language, parents=link) in children.text
    await mika.select(children, None, [children.selects[0].options[3]["value"]])
    assert link in children.text
    child = await mika.slash("mix", a=id, b=avatar_id(before))
    assert link in child.text
    assert "discord.com" not in (await mika.click(before, label="🎲")).text
    await studio.avatars.delete(id, me)
    assert "discord.com" not in (await mika.slash("show", id=avatar_id(children))).text
