import pytest
from discord_server import Channel, DiscordServer, UserClient

from bot.studio import Studio

from ..conftest import Run
from .conftest import Clock, Love, Paint, Posts


@pytest.mark.usefixtures("clock")
async def test_a_loved_picture_is_posted_once_with_credit_also_after_a_restart(
    run: Run,
    studio: Studio,
    mika: UserClient,
    guild: str,
    news: Channel,
    paint: Paint,
    love: Love,
    posts: Posts,
) -> None:
    loved, _ = await paint(mika, 2)
    await studio.community.change(guild, showcase=str(news.id), hearts=2)
    async with run(studio):
        await love(loved, 2)
        [post] = await posts(1)
        assert f"<@{mika.id}>" in post.text
        assert "2 ♥" in post.text
        assert loved.id in post.pictures[0].filename
        assert post.message.mentions == []
        await mika.click(post, label="2")  # the button ♥️, another favorite
        assert (await studio.avatars.get(loved.id, None)).favorites == 3
    async with run(studio):
        [other] = await paint(mika)
        await love(other, 2)
        assert len(await posts(2)) == 2


@pytest.mark.usefixtures("clock")
async def test_private_pictures_and_those_loved_before_are_not_posted(
    run: Run,
    studio: Studio,
    mika: UserClient,
    guild: str,
    news: Channel,
    paint: Paint,
    love: Love,
    posts: Posts,
) -> None:
    before, later = await paint(mika, 2)
    [private] = await paint(mika, private=True)
    await love(before, 3)
    await studio.avatars.toggle_favorite(private.id, private.owner)
    await studio.community.change(guild, showcase=str(news.id), hearts=1)
    async with run(studio):
        await love(later, 1)
        [post] = await posts(1)
        assert later.id in post.pictures[0].filename


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("how", ["deleted", "hidden", "forgotten"])
async def test_the_post_is_deleted_together_with_its_picture(
    run: Run,
    studio: Studio,
    mika: UserClient,
    guild: str,
    news: Channel,
    paint: Paint,
    love: Love,
    posts: Posts,
    how: str,
) -> None:
    [avatar] = await paint(mika)
    await studio.community.change(guild, showcase=str(news.id), hearts=1)
    async with run(studio):
        await love(avatar, 1)
        await posts(1)
        if how == "deleted":
            await studio.avatars.delete(avatar.id, avatar.owner)
        elif how == "hidden":
            await studio.avatars.set_hidden(avatar.id, True)
        else:
            await studio.members.delete_everything(avatar.owner)
        await posts(0)


async def test_a_post_whose_confirmation_was_lost_is_not_repeated(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    mika: UserClient,
    guild: str,
    news: Channel,
    paint: Paint,
    love: Love,
    posts: Posts,
    clock: Clock,
) -> None:
    """The process is stopped between sending and storing; Discord has forgotten the nonce."""
    [avatar] = await paint(mika)
    await studio.community.change(guild, showcase=str(news.id), hearts=1)
    messages = rf"/channels/{news.id}/messages$"
    discord.inject_fault(messages, 502, method="POST", processed=True, times=5)
    async with run(studio):
        await love(avatar, 1)
        [post] = await posts(1)
    discord.rest.faults.clear()
    post.message.nonce = None
    clock.advance(hours=1)
    async with run(studio):
        looked = ("GET", f"/channels/{news.id}/messages")
        await discord.wait_until(
            lambda: looked in [(call.method, call.path) for call in discord.calls],
            "the bot did not look for its message",
        )
        [other] = await paint(mika)
        await love(other, 1)
        await posts(2)


@pytest.mark.usefixtures("clock")
async def test_a_channel_without_permission_does_not_stop_others(
    discord: DiscordServer,
    run: Run,
    studio: Studio,
    mika: UserClient,
    guild: str,
    news: Channel,
    paint: Paint,
    love: Love,
    posts: Posts,
) -> None:
    closed = discord.channel("closed", only=[mika])
    [first, second] = await paint(mika, 2)
    await studio.community.change(guild, showcase=str(closed.id), hearts=1)
    async with run(studio):
        await love(first, 1)
        await discord.wait_until(lambda: discord.violations, "nothing was posted")
        assert [violation.code for violation in discord.violations] == [50001]
        discord.violations.clear()
        await studio.community.change(guild, showcase=str(news.id))
        await love(second, 1)
        await posts(1)
