import pytest
from discord_server import Channel, DiscordServer, UserClient

from bot.studio import Studio

from .conftest import Clock, Community


@pytest.mark.usefixtures("clock")
async def test_a_loved_picture_is_posted_once_with_credit_also_after_a_restart(
    community: Community, studio: Studio, mika: UserClient
) -> None:
    loved, _ = await community.paint(mika, 2)
    await community.change(showcase=community.channel, hearts=2)
    async with community.run():
        await community.love(loved, 2)
        [post] = await community.posts(1)
        assert f"<@{mika.id}>" in post.text
        assert "2 ♥" in post.text
        assert loved.id in post.pictures[0].filename
        assert post.message.mentions == []
        await mika.click(post, label="2")  # the button ♥️, another favorite
        assert (await studio.avatars.get(loved.id, None)).favorites == 3
    async with community.run():
        [other] = await community.paint(mika)
        await community.love(other, 2)
        assert len(await community.posts(2)) == 2


@pytest.mark.usefixtures("clock")
async def test_private_pictures_and_those_loved_before_are_not_posted(
    community: Community, studio: Studio, mika: UserClient
) -> None:
    before, later = await community.paint(mika, 2)
    [private] = await community.paint(mika, private=True)
    await community.love(before, 3)
    await studio.avatars.toggle_favorite(private.id, private.owner)
    await community.change(showcase=community.channel, hearts=1)
    async with community.run():
        await community.love(later, 1)
        [post] = await community.posts(1)
        assert later.id in post.pictures[0].filename


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("how", ["deleted", "hidden", "forgotten"])
async def test_the_post_is_deleted_together_with_its_picture(
    community: Community, studio: Studio, mika: UserClient, how: str
) -> None:
    [avatar] = await community.paint(mika)
    await community.change(showcase=community.channel, hearts=1)
    async with community.run():
        await community.love(avatar, 1)
        await community.posts(1)
        if how == "deleted":
            await studio.avatars.delete(avatar.id, avatar.owner)
        elif how == "hidden":
            await studio.avatars.set_hidden(avatar.id, True)
        else:
            await studio.members.delete_everything(avatar.owner)
        await community.posts(0)


async def test_a_post_whose_confirmation_was_lost_is_not_repeated(
    community: Community, discord: DiscordServer, mika: UserClient, news: Channel, clock: Clock
) -> None:
    """The process is stopped between sending and storing; Discord has forgotten the nonce."""
    [avatar] = await community.paint(mika)
    await community.change(showcase=community.channel, hearts=1)
    messages = rf"/channels/{news.id}/messages$"
    discord.inject_fault(messages, 502, method="POST", processed=True, times=5)
    async with community.run():
        await community.love(avatar, 1)
        [post] = await community.posts(1)
    discord.rest.faults.clear()
    post.message.nonce = None
    clock.advance(hours=1)
    async with community.run():
        looked = ("GET", f"/channels/{news.id}/messages")
        await discord.wait_until(
            lambda: looked in [(call.method, call.path) for call in discord.calls],
            "the bot did not look for its message",
        )
        [other] = await community.paint(mika)
        await community.love(other, 1)
        await community.posts(2)


@pytest.mark.usefixtures("clock")
async def test_a_channel_without_permission_does_not_stop_others(
    community: Community, discord: DiscordServer, mika: UserClient
) -> None:
    closed = discord.channel("closed", only=[mika])
    [first, second] = await community.paint(mika, 2)
    await community.change(showcase=str(closed.id), hearts=1)
    async with community.run():
        await community.love(first, 1)
        await discord.wait_until(lambda: discord.violations, "nothing was posted")
        assert [violation.code for violation in discord.violations] == [50001]
        discord.violations.clear()
        await community.change(showcase=community.channel)
        await community.love(second, 1)
        await community.posts(1)
