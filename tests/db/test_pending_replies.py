"""Pending replies."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from db.store import Store

from .conftest import NOON, pending_reply


async def test_pending_replies_are_listed_until_resolved_or_expired(store: Store) -> None:
    minutes = {id: NOON + timedelta(minutes=m) for id, m in (("a", 0), ("b", 10), ("c", 5))}
    for id, moment in minutes.items():
        await store.pending_replies.save(pending_reply(id, created=moment))
    await store.pending_replies.save(pending_reply("b", created=minutes["b"], token="renewed"))
    assert [(o.id, o.token[:7]) for o in await store.pending_replies.since(NOON)] == [
        ("a", "aW50ZXJ"),
        ("c", "aW50ZXJ"),
        ("b", "renewed"),
    ]
    await store.pending_replies.resolve(["c", "no such order"])
    assert [o.id for o in await store.pending_replies.since(NOON + timedelta(minutes=1))] == ["b"]
    # expired replies were deleted
    assert [o.id for o in await store.pending_replies.since(NOON)] == ["b"]


def test_repr_hides_the_token() -> None:
    assert "aW50" not in repr(pending_reply())


async def test_the_task_of_a_pending_reply_is_none_if_invalid(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer version or a damaged database can contain unknown tasks."""
    await store.pending_replies.save(pending_reply("a"))
    await store.pending_replies.save(pending_reply("b"))
    async with store._database.writing() as session:
        await session.execute(text("UPDATE owed SET work = 'delete_everything' WHERE id = 'a'"))
    assert [(p.id, p.task is None) for p in await store.pending_replies.since(NOON)] == [
        ("a", True),
        ("b", False),
    ]
    assert "delete_everything" in caplog.text
