"""The deletion of a member's data reaches what is being painted."""

import asyncio

import pytest
from paused_engine import PausedEngine

from bot.errors import NotFound
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.avatars import AvatarRepository
from db.records import Avatar, NewAvatar, Owner
from db.store import Store

OTHER = Owner("discord", "2", "Ren")


async def test_pictures_in_progress_are_not_stored(
    studio: Studio, engine: Engine, store: Store, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Avatar | None] = []
    studio.painting.subscribe(shown.append)
    paused = PausedEngine(engine, monkeypatch)
    mine = asyncio.create_task(studio.painting.create("", Request(owner), count=3))
    others = asyncio.create_task(studio.painting.create("", Request(OTHER)))
    await paused.batch_started()
    assert await studio.members.delete_everything(owner) == 0
    paused.resume()
    with pytest.raises(NotFound, match="was deleted meanwhile"):
        await mine
    (other,) = await others
    assert shown == [other]
    assert await store.avatars.count() == 1
    (again,) = await studio.painting.create("", Request(owner))
    assert (await studio.avatars.get(again.id, owner)).owner == owner


async def test_pictures_that_are_stored_meanwhile_are_deleted(
    studio: Studio, store: Store, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = AvatarRepository.add

    async def add_after_the_deletion(
        repository: AvatarRepository, avatars: list[NewAvatar], requested: float
    ) -> list[Avatar]:
        await studio.members.delete_everything(owner)
        return await add(repository, avatars, requested)

    monkeypatch.setattr(AvatarRepository, "add", add_after_the_deletion)
    with pytest.raises(NotFound, match="was deleted meanwhile"):
        await studio.painting.create("", Request(owner))
    assert await store.avatars.count() == 0
