import pytest
from discord_server import DiscordServer, UserClient


@pytest.mark.usefixtures("bot")
async def test_stats_command_shows_counts_and_load(
    discord: DiscordServer, mika: UserClient, ren: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink", eyes="orange", count=2)
    await ren.slash("avatar", private=True)
    await ren.click(reply, custom_id=next(b.custom_id for b in reply.buttons if b.emoji == "♥️"))
    stats = await discord.operator.slash("stats")
    assert stats.ephemeral
    assert "**3** pictures (1 private, 3 in the last 24 hours) · 2 members · ♥ 1" in stats.text
    assert "3 painted since the start" in stats.text
    assert "model **tiny** · 1 servers" in stats.text
    assert "pink hair, orange eyes ♥ 1" in stats.text
