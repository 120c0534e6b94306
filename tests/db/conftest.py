"""Stores for tests: SQLite, and PostgreSQL if TEST_POSTGRES_URL is set."""

import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from postgres import SERVER, create_database, url_of
from sqlalchemy import make_url, select

from db.records import Avatar, NewAvatar, Owner, PendingReply, Picture
from db.schema import AvatarRow, ConditionCountRow
from db.store import Store
from db.tasks import CreateTask

ANN = Owner("discord", "1", "Ann")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

MakeAvatar = Callable[..., NewAvatar]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/data/irodori.db"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_database() -> AsyncIterator[str]:
    """The name of an empty PostgreSQL database with the newest schema, as a template."""
    if SERVER is None:
        yield ""
        return
    async with create_database() as name:
        await (await Store.open(url_of(name))).close()
        yield name


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
async def url(
    request: pytest.FixtureRequest, sqlite_url: str, migrated_file: Path, migrated_database: str
) -> AsyncIterator[str]:
    """The URL of an empty database; for tests with `store` it has the newest schema."""
    migrated = "store" in request.fixturenames
    if request.param == "postgresql":
        async with create_database(migrated_database if migrated else "template1") as name:
            yield url_of(name)
        return
    if migrated:
        file = Path(str(make_url(sqlite_url).database))
        file.parent.mkdir()
        shutil.copy(migrated_file, file)
    yield sqlite_url


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url)
    yield store
    await store.close()


@pytest.fixture
def new_avatar() -> MakeAvatar:
    """Creates an avatar to store; arguments replace its default fields."""

    def make(**fields: Any) -> NewAvatar:
        default = {
            "owner": ANN,
            "guild": "100",
            "channel": "200",
            "private": False,
            "model": "faces-1000",
            "seed": 7,
            "prompt": "pink hair",
            "wish": {"hair": "pink"},
            "conditions": {"hair": "pink", "eyes": "orange"},
            "latent": np.random.standard_normal(8).astype(np.float32),
            "condition": np.eye(5, dtype=np.float32)[1],
            "parents": (),
            "picture": os.urandom(500),
            "format": "png",
            "width": 64,
            "height": 64,
        }
        return NewAvatar(**{**default, **fields})

    return make


async def get_avatar(store: Store, id: str) -> Avatar:
    avatar = await store.avatars.get(id)
    assert avatar is not None
    return avatar


@dataclass(frozen=True)
class ConditionCount:
    """Number of public avatars with exactly these conditions; `newest` is the newest one's id."""

    conditions: dict[str, str]
    count: int
    newest: str


async def condition_counts(store: Store) -> list[ConditionCount]:
    """The stored counts, the most recently painted conditions first."""
    c, a = ConditionCountRow, AvatarRow
    rows = select(c.conditions, c.count, a.public_id).join(a, a.id == c.newest)
    async with store._database.reading() as session:
        found = await session.execute(rows.order_by(c.newest.desc()))
        return [ConditionCount(json.loads(text), count, newest) for text, count, newest in found]


async def get_picture(store: Store, id: str) -> Picture:
    picture = await store.avatars.picture(id)
    assert picture is not None
    return picture


def pending_reply(id: str = "900", **fields: Any) -> PendingReply:
    default: dict[str, Any] = {
        "application": "42",
        "token": "aW50ZXJhY3Rpb24" * 12,
        "task": CreateTask(wish={"hair": "pink"}, count=9, seed=2**32 - 1),
        "owner": ANN,
        "guild": "100",
        "channel": "200",
        "language": "zh-CN",
        "private": True,
        "names_requester": False,
        "created": NOON,
    }
    return PendingReply(id=id, **default | fields)
