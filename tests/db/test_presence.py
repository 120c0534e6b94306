"""Guilds that the bot has left, and the deletion of their data."""

from datetime import timedelta

from db.records import CommunitySettings, GuildLimits, MessageLink
from db.store import Store

from .conftest import ANN, NOON, MakeAvatar, get_avatar

DAY = timedelta(days=1)


async def test_guilds_that_were_left(store: Store) -> None:
    presence = store.presence
    await presence.save("42", ["100", "101", "102"], NOON)
    assert await presence.left_before(NOON + DAY) == []
    await presence.left("42", "100", NOON)
    await presence.save("42", ["102"], NOON + DAY)  # left 101 while the bot was not running
    assert await presence.left_before(NOON + DAY) == ["100"]
    assert await presence.left_before(NOON + 2 * DAY) == ["100", "101"]
    await presence.save("42", ["102"], NOON + 5 * DAY)
    assert await presence.left_before(NOON + 2 * DAY) == ["100", "101"], "the time stays"
    await presence.joined("42", "100")
    await presence.save("42", ["101", "102", "100"], NOON + 3 * DAY)
    assert await presence.left_before(NOON + 9 * DAY) == []


async def test_a_guild_of_another_application_is_not_left(store: Store) -> None:
    await store.presence.save("42", ["100"], NOON)
    await store.presence.save("43", ["100"], NOON)
    await store.presence.left("42", "100", NOON)
    assert await store.presence.left_before(NOON + DAY) == []
    await store.presence.left("43", "100", NOON + DAY)
    assert await store.presence.left_before(NOON + DAY) == []
    assert await store.presence.left_before(NOON + 2 * DAY) == ["100"]


async def test_guilds_of_earlier_versions_count_from_the_first_connection(store: Store) -> None:
    await store.guilds.save_limits("100", GuildLimits(daily=5))
    await store.guilds.block("101", "7")
    await store.guilds.block("102", "7")
    await store.presence.save("42", ["102"], NOON)
    assert await store.presence.left_before(NOON + DAY) == ["100", "101"]


async def test_the_data_of_a_guild_is_deleted_and_its_pictures_stay(
    store: Store, new_avatar: MakeAvatar
) -> None:
    here, private, elsewhere = await store.avatars.add(
        [new_avatar(), new_avatar(private=True), new_avatar(guild="101")]
    )
    for guild in ("100", "101"):
        await store.guilds.save_limits(guild, GuildLimits(daily=5))
        await store.guilds.block(guild, "7")
        await store.presence.left("42", guild, NOON)
        await store.community.save_settings(guild, CommunitySettings(guess=True))
        await store.community.toggle_portrait(guild, ANN)
        await store.community.show(here.id, MessageLink(guild, "1", "2"))
        await store.posts.plan("showcase", guild, here.id, "1", NOON)
        [post] = await store.posts.take([guild], NOON, 9)
        await store.posts.finish(post, NOON, "3", avatars=[here.id])
        await store.puzzles.save(f"7{guild}", guild, 1)
        await store.puzzles.answer(f"7{guild}", ANN, 1)
        await store.brackets.open(guild, "2026-W09", [here.id, private.id], NOON)
        latest = await store.brackets.latest(guild)
        assert latest is not None
        assert await store.brackets.vote(latest[0], 0, ANN, 1)
    assert await store.presence.delete_data("100") == 2
    assert list(await store.community.all_settings()) == ["101"]
    for guild, left in (("100", False), ("101", True)):
        assert bool(await store.community.portrait(guild)) == left
        assert bool(await store.community.links((here.id,), guild)) == left
        assert bool(await store.posts.get("showcase", guild, here.id)) == left
        assert bool(await store.puzzles.scores(guild, 9)) == left
        assert bool(await store.brackets.latest(guild)) == left
    for avatar in (here, private):
        found = await get_avatar(store, avatar.id)
        assert (found.guild, found.channel, found.owner) == (None, None, avatar.owner)
    assert (await get_avatar(store, elsewhere.id)).guild == "101"
    assert await store.guilds.limits("100") == GuildLimits()
    assert await store.guilds.blocked("100") == []
    assert (await store.guilds.limits("101")).daily == 5
    assert await store.guilds.blocked("101") == ["7"]
    assert await store.presence.left_before(NOON + DAY) == ["101"]
