"""Stores to test with: SQLite always, PostgreSQL as well where TEST_POSTGRES_URL names a server
(`postgresql+asyncpg://…`, a user who may create databases).
"""

import os
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from db.records import NewAvatar, Owner
from db.store import Store

SERVER = os.environ.get("TEST_POSTGRES_URL")
ANN = Owner("discord", "1", "Ann")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/data/irodori.db"


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
async def url(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[str]:
    """Of an empty database."""
    if request.param == "sqlite":
        yield sqlite_url
        return
    server = create_async_engine(SERVER, isolation_level="AUTOCOMMIT")
    name = f"irodori_test_{uuid.uuid4().hex}"
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url)
    yield store
    await store.close()


@pytest.fixture
def new() -> Callable[..., NewAvatar]:
    """Makes an avatar to store; every field can be given."""

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
