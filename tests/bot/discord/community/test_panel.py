"""`/settings server`: everything that a server can turn on."""

import pytest
from discord_server import (
    MANAGE_GUILD,
    READ_MESSAGE_HISTORY,
    Channel,
    DiscordServer,
    Reply,
    UserClient,
)

from bot.discord.community.sections import POSTING, SECTIONS
from bot.i18n.messages import LANGUAGES, say
from bot.studio import Studio
from db.records import CommunitySettings, GuildLimits, RoleLimits

from .conftest import Community


async def show(admin: UserClient, panel: Reply, section: str) -> Reply:
    return await admin.select(panel, "irodori:server:section", [section])


@pytest.mark.usefixtures("bot")
async def test_the_overview_lists_what_posts_by_itself_and_all_of_it_is_off(
    discord: DiscordServer, studio: Studio, guild: str
) -> None:
    for language in LANGUAGES:
        admin = discord.member(f"Admin {language}", permissions=MANAGE_GUILD, locale=language)
        panel = await admin.slash("settings", server=True)
        assert panel.ephemeral
        for section in POSTING:
            name, off = say(f"server-section-{section}", language), say("server-off", language)
            assert f"**{name}**: {off}" in panel.text
        assert "🟢" not in panel.text
        for section in SECTIONS:
            if section not in ("overview", "bot"):
                await show(admin, panel, section)
                assert say(f"server-about-{section}", language) in panel.text
    assert await studio.community.settings(guild) == CommunitySettings()


@pytest.mark.usefixtures("bot")
async def test_many_roles_and_channels_fit_into_the_panel(
    admin: UserClient, studio: Studio, guild: str
) -> None:
    ids = tuple(str(10**18 + i) for i in range(200))
    await studio.quotas.save_limits(
        guild, GuildLimits(role_limits=dict.fromkeys(ids, RoleLimits()))
    )
    await studio.community.change(guild, spoilers=ids[:25], retract=ids[:25])
    panel = await admin.slash("settings", server=True)
    assert f"<@&{ids[9]}> and 190 more" in panel.text
    assert f"<#{ids[9]}> and 15 more" in panel.text
    await show(admin, panel, "roles")
    assert "194 more roles have their own limits" in panel.text


@pytest.mark.usefixtures("bot")
async def test_the_channel_for_reports_is_the_one_of_the_limits(
    admin: UserClient, studio: Studio, guild: str, news: Channel
) -> None:
    panel = await admin.slash("settings", server=True)
    await show(admin, panel, "reports")
    await admin.choose(panel, "irodori:server:channel:reports", [news])
    assert await studio.guilds.limits(guild) == GuildLimits(reports_channel=str(news.id))
    await show(admin, panel, "overview")
    assert f"🟢 🚩 **Reports of pictures**: <#{news.id}>" in panel.text


@pytest.mark.usefixtures("bot")
async def test_only_admins_of_a_server_see_and_change_its_settings(
    discord: DiscordServer, admin: UserClient, mika: UserClient, studio: Studio, guild: str
) -> None:
    assert say("server-not-allowed") in (await mika.slash("settings", server=True)).text
    panel = await admin.slash("settings", server=True)
    await show(admin, panel, "guess")
    discord.default_guild.members[admin.id] &= ~MANAGE_GUILD
    reply = await admin.click(panel, label="Turn on")
    assert say("server-not-allowed") in reply.text
    assert not (await studio.community.settings(guild)).guess


@pytest.mark.usefixtures("bot")
async def test_in_direct_messages_there_are_no_settings_of_a_server(admin: UserClient) -> None:
    reply = await admin.slash("settings", channel=admin.dm, server=True)
    assert say("server-not-allowed") in reply.text


async def test_changes_are_saved_and_shown_also_by_a_panel_from_before_a_restart(
    community: Community,
    discord: DiscordServer,
    studio: Studio,
    admin: UserClient,
    guild: str,
    news: Channel,
) -> None:
    async with community.run():
        panel = await admin.slash("settings", server=True)
        await show(admin, panel, "showcase")
        await admin.choose(panel, "irodori:server:channel:showcase", [news])
    async with community.run():
        await admin.select(panel, "irodori:server:number:hearts", ["5"])
        assert await studio.community.settings(guild) == CommunitySettings(
            showcase=str(news.id), hearts=5
        )
        [select] = [s for s in panel.selects if s.custom_id.endswith("channel:showcase")]
        assert select.default_values == [str(news.id)]
        await show(admin, panel, "replies")
        general = discord.general
        await admin.choose(panel, "irodori:server:channel:spoilers", [news, general])
        await admin.choose(panel, "irodori:server:channel:retract", [general])
        await admin.select(panel, "irodori:server:number:retract_minutes", ["30"])
        await admin.click(panel, label="Turn on")
        await show(admin, panel, "overview")
        assert f"Showcase**: <#{news.id}>" in panel.text
        await show(admin, panel, "showcase")
        await admin.choose(panel, "irodori:server:channel:showcase", [])
    assert await studio.community.settings(guild) == CommunitySettings(
        hearts=5,
        spoilers=(str(news.id), str(general.id)),
        retract=(str(general.id),),
        retract_minutes=30,
        links=True,
    )


@pytest.mark.usefixtures("bot")
async def test_the_panel_says_that_welcomes_need_the_intent_for_members(admin: UserClient) -> None:
    panel = await admin.slash("settings", server=True)
    await show(admin, panel, "welcome")
    assert say("server-no-intent") in panel.text


@pytest.mark.usefixtures("bot")
async def test_a_role_gets_its_own_limits_and_loses_them(
    discord: DiscordServer, admin: UserClient, studio: Studio, guild: str, mika: UserClient
) -> None:
    artists = discord.role("artists", mika)
    await studio.quotas.save_limits(guild, GuildLimits(daily=1))
    panel = await admin.slash("settings", server=True)
    await show(admin, panel, "roles")
    await admin.choose(panel, "irodori:server:role", [artists])
    await admin.select(panel, f"irodori:server:limit:daily:{artists.id}", ["5"])
    limits = await studio.guilds.limits(guild)
    assert limits.role_limits == {str(artists.id): RoleLimits(daily=5)}
    assert f"<@&{artists.id}>: ⏳ no cooldown, 📅 5 pictures" in panel.text
    await mika.slash("avatar", count=2)
    mine = await mika.slash("settings")
    assert "3 of 5 pictures" in mine.text
    await admin.click(panel, label="Like the server")
    assert (await studio.guilds.limits(guild)).role_limits == {}
    with_limit = await mika.slash("avatar")
    assert "daily limit of 1 picture" in with_limit.text


@pytest.mark.usefixtures("bot")
async def test_exact_limits_of_a_role_are_set_by_a_command(
    discord: DiscordServer, admin: UserClient, studio: Studio, guild: str
) -> None:
    role = discord.role("artists")
    shown = await admin.slash("limits role", role=role, cooldown=7)
    assert f"<@&{role.id}>: ⏳ 7 seconds" in shown.text
    limits = await studio.guilds.limits(guild)
    assert (limits.role_limits, limits.exempt_roles) == ({str(role.id): RoleLimits(7)}, ())
    await admin.slash("limits role", role=role)
    limits = await studio.guilds.limits(guild)
    assert (limits.role_limits, limits.exempt_roles) == ({}, (str(role.id),))


@pytest.mark.usefixtures("bot")
async def test_only_operators_turn_on_the_status_which_shows_the_model_in_use(
    discord: DiscordServer, admin: UserClient
) -> None:
    panel = await admin.slash("settings", server=True)
    [sections] = panel.selects
    assert "bot" not in [option["value"] for option in sections.options]
    assert discord.activities == []
    theirs = await discord.operator.slash("settings", server=True)
    await show(discord.operator, theirs, "bot")
    await discord.operator.click(theirs, label="Turn on")
    await discord.wait_until(lambda: discord.activities, "the status shows no model")
    assert discord.activities[0]["state"] == "🎨 tiny"
    await discord.operator.click(theirs, label="Turn off")
    await discord.wait_until(lambda: not discord.activities, "the status still shows a model")


async def test_the_panel_says_that_a_channel_was_deleted(
    community: Community, discord: DiscordServer, admin: UserClient, news: Channel
) -> None:
    await community.change(bracket=str(news.id), spoilers=(str(news.id),))
    discord.default_guild.channels.remove(news)
    async with community.run():
        panel = await admin.slash("settings", server=True)
        await show(admin, panel, "replies")
        await show(admin, panel, "bracket")
        assert say("server-no-channel") in panel.text
        assert [select.default_values for select in panel.selects] == [[], []]


async def test_the_panel_says_that_a_permission_is_missing_in_a_channel(
    community: Community, discord: DiscordServer, admin: UserClient, news: Channel
) -> None:
    closed = discord.channel("no history", denied=READ_MESSAGE_HISTORY)
    await community.change(bracket=str(closed.id), portrait=str(news.id))
    async with community.run():
        panel = await admin.slash("settings", server=True)
        await show(admin, panel, "bracket")
        assert say("server-no-permission") in panel.text
        await show(admin, panel, "portrait")
        assert say("server-no-permission") not in panel.text
