"""Guilds."""

from db.store import Store


async def test_blocked_members_are_stored_per_guild(store: Store) -> None:
    for member in ("7", "8", "7"):
        await store.guilds.block("100", member)
    assert await store.guilds.blocked("100") == ["7", "8"]
    assert await store.guilds.is_blocked("100", "7")
    assert not await store.guilds.is_blocked("101", "7")
    await store.guilds.unblock("100", "7")
    await store.guilds.unblock("100", "nobody")
    assert await store.guilds.blocked("100") == ["8"]
    assert not await store.guilds.is_blocked("100", "7")
