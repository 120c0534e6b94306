"""The web face on loopback, on top of the tiny model."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.engine import Engine
from bot.settings import WebSettings
from bot.studio import Studio
from bot.web.app import create_app

Serve = Callable[..., Awaitable[TestClient]]


@pytest.fixture
async def serve(studio: Studio, engine: Engine) -> AsyncIterator[Serve]:
    """Serves the page with the settings given; a client that keeps cookies."""
    clients = []

    async def start(**settings: object) -> TestClient:
        app = create_app(studio, engine, WebSettings(**settings))
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def client(serve: Serve) -> TestClient:
    return await serve()


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine")
