"""Deletion of old pictures, and of what SQLite's log still contains."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db.records import Owner
from db.store import Store

from .conftest import ANN, MakeAvatar, condition_counts

BEN = Owner("web", "1", "Ben")


async def test_old_pictures_are_deleted_unless_somebody_loves_them(
    store: Store, new_avatar: MakeAvatar
) -> None:
    old = await store.avatars.add([new_avatar(private=i == 0) for i in range(250)])
    await store.favorites.toggle(old[7].id, BEN)
    between = datetime.now(UTC)
    [young] = await store.avatars.add([new_avatar(parents=(old[1].id,))])
    assert await store.retention.delete_before(between - timedelta(days=1)) == 0
    assert await store.retention.delete_before(between) == 249
    assert await store.avatars.count() == 2
    for avatar in (old[7], young):
        assert await store.avatars.picture(avatar.id) is not None
    [counted] = await condition_counts(store)
    assert (counted.count, counted.newest) == (2, young.id)
    assert await store.retention.delete_before(between) == 0


async def test_deleted_pictures_leave_the_files_of_sqlite(
    sqlite_url: str, tmp_path: Path, new_avatar: MakeAvatar
) -> None:
    store = await Store.open(sqlite_url)
    picture, prompt = os.urandom(5000), "a prompt that nobody else writes"
    await store.avatars.add([new_avatar(picture=picture, prompt=prompt)])

    def left() -> list[str]:
        return [
            file.name
            for file in (tmp_path / "data").iterdir()
            if picture[:200] in file.read_bytes() or prompt.encode() in file.read_bytes()
        ]

    assert left()
    await store.members.delete_everything(ANN)
    assert await store.retention.empty_log()
    assert left() == []
    await store.close()
