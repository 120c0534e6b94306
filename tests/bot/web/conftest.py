"""The web front end on loopback, on top of the tiny model."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp.test_utils import TestClient, TestServer
from browser import DESK, FLAGS, TIMEOUT, Visit
from playwright.async_api import Page, async_playwright, expect

from bot.settings import WebSettings
from bot.studio import Studio
from bot.web.app import create_app
from bot.web.requests import MAX_LINE

Serve = Callable[..., Awaitable[TestClient]]

expect.set_options(timeout=TIMEOUT)


@pytest.fixture
async def serve(studio: Studio) -> AsyncIterator[Serve]:
    """Serves the page with the settings given; a client that keeps cookies."""
    clients = []

    async def start(**settings: object) -> TestClient:
        app = create_app(studio, WebSettings(**settings))
        server = TestServer(app)
        await server.start_server(max_line_size=MAX_LINE)  # as the bot's own
        client = TestClient(server)
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


@pytest.fixture
async def visit(client: TestClient, chromium: str) -> AsyncIterator[Visit]:
    """Opens a page; at the end nothing was rejected, broken or fetched from elsewhere."""
    wrong: list[str] = []

    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        stack.push_async_callback(browser.close)

        async def open_page(
            width: int = DESK, path: str = "", at: TestClient = client, **options: object
        ) -> Page:
            home = str(at.make_url("/"))
            viewport = {"width": width, "height": 740}
            context = await browser.new_context(viewport=viewport, base_url=home, **options)
            page = await context.new_page()
            page.set_default_timeout(TIMEOUT)
            page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
            page.on("request", lambda r: r.url.startswith(home) or wrong.append(f"to {r.url}"))
            page.on(
                "console",
                lambda m: "Content Security Policy" in m.text and wrong.append(m.text),
            )
            await page.goto(home + path)
            return page

        yield open_page
    assert wrong == []
