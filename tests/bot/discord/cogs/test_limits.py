from dataclasses import replace

import pytest
from discord_server import MANAGE_GUILD, BotError, DiscordServer, UserClient

from bot.studio import Studio
from bot.studio.quotas import MAX_COOLDOWN, MAX_DAILY
from db.records import GuildLimits, RoleLimits

pytestmark = pytest.mark.usefixtures("bot")


@pytest.fixture
def admin(discord: DiscordServer) -> UserClient:
    return discord.member("Aki", permissions=MANAGE_GUILD)


async def test_there_are_no_limits_by_default(admin: UserClient) -> None:
    reply = await admin.slash("limits show")
    assert reply.ephemeral
    for text in ("no cooldown", "no daily limit", "every channel", "gallery is open", "nobody"):
        assert text in reply.text


async def test_a_cooldown_applies_except_to_exempt_roles(
    discord: DiscordServer, admin: UserClient, mika: UserClient, ren: UserClient
) -> None:
    assert "600 seconds" in (await admin.slash("limits set", cooldown=600)).text
    artists = discord.role("artists", ren)
    assert f"<@&{artists.id}>" in (await admin.slash("limits role", role=artists)).text
    for client in (mika, ren):
        assert (await client.slash("avatar", hair="pink")).pictures
    rejected = await mika.slash("avatar", hair="pink")
    assert rejected.ephemeral
    assert "<t:" in rejected.text, "a timestamp in the member's time zone"
    assert (await ren.slash("avatar", hair="pink")).pictures
    assert (
        "no role is exempt" in (await admin.slash("limits role", role=artists, exempt=False)).text
    )
    assert not (await ren.slash("avatar", hair="pink")).pictures


async def test_everyone_can_be_exempt(
    discord: DiscordServer, admin: UserClient, mika: UserClient
) -> None:
    await admin.slash("limits set", cooldown=600)
    everyone = discord.default_guild.everyone
    assert f"<@&{everyone.id}>" in (await admin.slash("limits role", role=everyone)).text
    for _ in range(2):
        assert (await mika.slash("avatar", hair="pink")).pictures


async def test_a_daily_limit_is_enforced(admin: UserClient, mika: UserClient) -> None:
    assert "3 pictures per member" in (await admin.slash("limits set", daily=3)).text
    refusal = await mika.slash("avatar", hair="pink", count=4)
    assert "the daily limit of this server is 3" in refusal.text
    assert len((await mika.slash("avatar", hair="pink", count=2)).pictures) == 2
    assert "<t:" in (await mika.slash("avatar", hair="pink", count=2)).text
    assert len((await mika.slash("avatar", hair="pink")).pictures) == 1


async def test_commands_work_only_in_allowed_channels(
    discord: DiscordServer, admin: UserClient, mika: UserClient
) -> None:
    art = discord.channel("art")
    assert f"<#{art.id}>" in (await admin.slash("limits channel", where=art)).text
    assert f"<#{art.id}>" in (await mika.slash("avatar", hair="pink")).text
    assert (await mika.slash("avatar", hair="pink", channel=art)).pictures
    await admin.slash("limits channel", where=art, answer=False)
    assert (await mika.slash("avatar", hair="pink")).pictures


async def test_threads_of_an_allowed_channel_are_allowed(
    discord: DiscordServer, admin: UserClient, mika: UserClient
) -> None:
    art = discord.channel("art")
    inside, outside = discord.thread("faces", art), discord.thread("chat", discord.general)
    await admin.slash("limits channel", where=art)
    assert (await mika.slash("avatar", hair="pink", channel=inside)).pictures
    assert f"<#{art.id}>" in (await mika.slash("avatar", hair="pink", channel=outside)).text
    await admin.slash("limits channel", where=outside)
    assert (await mika.slash("avatar", hair="pink", channel=outside)).pictures
    assert f"<#{art.id}>" in (await mika.slash("avatar", hair="pink")).text


async def test_limits_command_opens_and_closes_the_server_gallery(
    admin: UserClient, mika: UserClient
) -> None:
    assert "closed" in (await admin.slash("limits set", gallery=False)).text
    rejected = await mika.slash("gallery", scope="server")
    assert rejected.pictures == []
    assert (await mika.slash("gallery", scope="mine")).text


async def test_a_blocked_member_cannot_paint_until_unblocked(
    admin: UserClient, mika: UserClient, ren: UserClient
) -> None:
    assert f"<@{mika.id}>" in (await admin.slash("limits block", member=mika)).text
    assert "blocked" in (await mika.slash("avatar", hair="pink")).text
    assert (await ren.slash("avatar", hair="pink")).pictures
    await admin.slash("limits block", member=mika, blocked=False)
    assert (await mika.slash("avatar", hair="pink")).pictures


async def test_a_blocked_member_can_only_read_and_delete_own_data(
    discord: DiscordServer, admin: UserClient, mika: UserClient, ren: UserClient
) -> None:
    mine = await mika.slash("avatar", hair="pink")
    reply = await ren.slash("avatar", hair="red", count=2)
    id = str(reply.buttons[0].custom_id).rpartition(":")[2]
    page = await mika.slash("gallery", scope="everyone")
    await admin.slash("limits block", member=mika)
    for label in ("🎲", "🎨", "✨", "♥️", "🧬", "ℹ️"):
        rejected = await mika.click(reply, label=label)
        assert rejected.ephemeral
        assert "blocked" in rejected.text, label
    assert [button.label for button in reply.buttons if button.emoji == "♥️"] == [""]
    for rejected in (
        await mika.slash("show", id=id),
        await mika.slash("gallery", scope="mine"),
        await mika.slash("me"),
        await mika.slash("mix", a=id, b=id),
        await mika.select(reply, None, [reply.selects[0].options[1]["value"]]),
        await mika.select(page, "irodori:open", [id]),
        await mika.select(page, "irodori:look:", ["mine:new"]),
        await mika.mention_bot(""),
    ):
        assert "blocked" in rejected.text
    for command in ("settings", "privacy", "help"):
        assert "blocked you" not in (await mika.slash(command)).text
    await mika.click(mine, label="🗑️")
    assert mine.deleted
    assert (await mika.slash("show", id=id, channel=mika.dm)).pictures, (
        "blocked in this server only"
    )


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN", "ja"])
async def test_long_lists_fit_into_a_message(
    discord: DiscordServer, studio: Studio, locale: str
) -> None:
    admin = discord.member("Aki", permissions=MANAGE_GUILD, locale=locale)
    ids = tuple(str(10**18 + i) for i in range(40))
    roles = {id: RoleLimits(MAX_COOLDOWN, MAX_DAILY) for id in ids}
    limits = GuildLimits(MAX_COOLDOWN, MAX_DAILY, ids, ids, reports_channel=ids[0])
    guild = str(discord.default_guild.id)
    await studio.quotas.save_limits(guild, replace(limits, role_limits=roles))
    for id in ids:
        await studio.guilds.block(guild, id)
    reply = await admin.slash("limits show")
    assert f"<#{ids[9]}>" in reply.text
    assert f"<@&{ids[5]}>" in reply.text
    assert reply.text.count("30") == 3, "of each list, 30 are left out"
    assert "34" in reply.text, "roles that are left out"
    assert reply.text.endswith(f"<#{ids[0]}>")


async def test_gallery_is_not_shown_in_other_channels(
    discord: DiscordServer, admin: UserClient, mika: UserClient
) -> None:
    art = discord.channel("art")
    await admin.slash("limits channel", where=art)
    reply = await mika.slash("avatar", hair="pink", channel=art)
    id = str(reply.buttons[0].custom_id).rpartition(":")[2]
    rejected = await mika.slash("show", id=id)
    assert rejected.ephemeral
    assert f"<#{art.id}>" in rejected.text
    assert (await mika.slash("show", id=id, channel=art)).pictures


async def test_limits_command_requires_the_manage_server_permission(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    with pytest.raises(BotError, match="does not see 'limits'"):
        await mika.slash("limits show")
    with pytest.raises(BotError, match="does not see 'limits'"):
        await discord.operator.slash("limits show", channel=discord.operator.dm)
