"""The web front end on localhost with the tiny model."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from browser import DESKTOP, FLAGS, TIMEOUT, Visit
from playwright.async_api import (
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

from bot.settings import WebSettings
from bot.studio import Studio
from bot.web.app import create_app
from bot.web.requests import MAX_LINE

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]

expect.set_options(timeout=TIMEOUT)


@pytest.fixture
async def serve(studio: Studio) -> AsyncIterator[Serve]:
    """Starts the web page with settings; returns a client that keeps cookies."""
    clients: list[Client] = []

    async def start(**settings: Any) -> Client:
        app = create_app(studio, WebSettings(**settings))
        server = TestServer(app)
        await server.start_server(max_line_size=MAX_LINE)  # as in the bot
        client: Client = TestClient(server)
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def client(serve: Serve) -> Client:
    return await serve()


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine")


@pytest.fixture
async def visit(client: Client, chromium: str) -> AsyncIterator[Visit]:
    """Opens a page; checks that there were no errors and no requests to other sites."""
    errors: list[str] = []

    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        stack.push_async_callback(browser.close)

        async def open_page(
            width: int = DESKTOP, path: str = "", at: Client = client, **options: Any
        ) -> Page:
            home = str(at.make_url("/"))
            viewport = ViewportSize(width=width, height=740)

            def check_request(request: Request) -> None:
                if not request.url.startswith(home):
                    errors.append(f"request to {request.url}")

            def check_message(message: ConsoleMessage) -> None:
                if "Content Security Policy" in message.text:
                    errors.append(message.text)

            context = await browser.new_context(viewport=viewport, base_url=home, **options)
            page = await context.new_page()
            page.set_default_timeout(TIMEOUT)
            page.on("pageerror", lambda error: errors.append(f"error: {error}"))
            page.on("request", check_request)
            page.on("console", check_message)
            await page.goto(home + path)
            return page

        yield open_page
    assert errors == []
