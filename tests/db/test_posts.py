"""Posts: each is posted once, and deleted with what it shows."""

import asyncio
from datetime import timedelta

from db.posts import LEASE
from db.records import CommunitySettings, MessageLink
from db.store import Store

from .conftest import ANN, NOON, MakeAvatar

WINDOW = timedelta(minutes=10)


async def plan(store: Store, *subjects: str) -> None:
    for subject in subjects:
        await store.posts.plan("showcase", "100", subject, "200", NOON)


async def take(store: Store, span: timedelta = timedelta()) -> list[str]:
    return [post.subject for post in await store.posts.take(["100"], NOON + span, 9)]


async def test_a_post_is_taken_by_one_process_until_its_attempt_has_failed(
    url: str, store: Store
) -> None:
    other = await Store.open(url)
    await plan(store, "a", "b", "a")
    taken = await asyncio.gather(*(take(each) for each in (store, other, store, other)))
    assert sorted(subject for some in taken for subject in some) == ["a", "b"]
    assert await take(other, LEASE / 2) == []
    again = await other.posts.take(["100"], NOON + 2 * LEASE, 9)
    assert [(post.subject, post.attempted) for post in again] == [("a", True), ("b", True)]
    for post in again:
        await store.posts.finish(post, NOON, "300")
    await plan(store, "a")
    assert await take(store, 9 * LEASE) == []
    await other.close()


async def test_posts_of_other_guilds_are_not_taken(store: Store) -> None:
    await plan(store, "a")
    assert await store.posts.take(["101"], NOON, 9) == []


async def test_a_post_is_due_when_its_picture_is_deleted_also_while_it_is_being_sent(
    store: Store, new_avatar: MakeAvatar
) -> None:
    sent, being_sent, kept = await store.avatars.add([new_avatar() for _ in range(3)])
    await plan(store, sent.id, being_sent.id, kept.id)
    first, second, third = await store.posts.take(["100"], NOON, 9)
    await store.posts.finish(first, NOON, "300", avatars=[sent.id, kept.id])
    await store.avatars.delete(sent.id)
    await store.avatars.delete(being_sent.id)
    await store.posts.finish(second, NOON, "301", avatars=[being_sent.id])
    await store.posts.finish(third, NOON, "302", avatars=[kept.id])
    due = await store.posts.due(["100"], NOON + timedelta(days=365 * 50), 9)
    assert {post.message for post in due} == {"300", "301"}
    for post in due:
        await store.posts.delete(post)
    assert await store.posts.due(["100"], NOON + timedelta(days=365 * 50), 9) == []
    assert await store.posts.get("showcase", "100", kept.id) is not None


async def test_only_the_replies_of_a_flood_are_due(store: Store) -> None:
    async def reply(number: int, minutes: float, channel: str = "200") -> None:
        link = MessageLink("100", channel, str(number))
        await store.posts.add_reply(link, NOON + timedelta(minutes=minutes), WINDOW, 2)

    async def due(minutes: float) -> list[str | None]:
        moment = NOON + timedelta(minutes=minutes)
        return [post.message for post in await store.posts.due(["100"], moment, 9)]

    for number, minutes in ((1, 0), (2, 1), (3, 12), (4, 13)):
        await reply(number, minutes)
    await reply(5, 13, "201")
    assert await due(60) == []
    await reply(6, 14)
    assert await due(21) == []
    assert await due(23) == ["3", "4"]
    assert await due(24) == ["3", "4", "6"]


async def test_loved_pictures_are_public_of_the_guild_and_not_posted_yet(
    store: Store, new_avatar: MakeAvatar
) -> None:
    loved, other, private, elsewhere = await store.avatars.add(
        [new_avatar(), new_avatar(), new_avatar(private=True), new_avatar(guild="101")]
    )
    for avatar in (loved, private, elsewhere):
        await store.favorites.toggle(avatar.id, ANN)
    assert [a.id for a in await store.posts.find_loved("100", 1, 9)] == [loved.id]
    await plan(store, loved.id)
    assert await store.posts.find_loved("100", 1, 9) == []
    await store.favorites.toggle(other.id, ANN)
    await store.posts.skip_loved("100", 1, "200", NOON)
    assert await store.posts.find_loved("100", 1, 9) == []
    assert await take(store) == [loved.id]


async def test_settings_are_kept_for_each_guild(store: Store) -> None:
    settings = CommunitySettings(welcome="1", retract=("2", "3"), retract_minutes=30)
    await store.community.save_settings("100", settings)
    assert await store.community.settings("100") == settings
    assert await store.community.settings("101") == CommunitySettings()
