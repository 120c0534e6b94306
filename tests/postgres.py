"""Databases on the PostgreSQL server of TEST_POSTGRES_URL, for tests.

The variable has the URL `postgresql+asyncpg://…` of a server, with a user who can create databases.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

SERVER = os.environ.get("TEST_POSTGRES_URL")


@asynccontextmanager
async def create_database(template: str = "template1") -> AsyncIterator[str]:
    """Creates a PostgreSQL database, and drops it at the end; returns its name."""
    assert SERVER
    server = create_async_engine(SERVER, isolation_level="AUTOCOMMIT")
    name = f"irodori_test_{uuid.uuid4().hex}"
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield name
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


def url_of(name: str) -> str:
    """The URL of a PostgreSQL database."""
    assert SERVER
    return make_url(SERVER).set(database=name).render_as_string(hide_password=False)
