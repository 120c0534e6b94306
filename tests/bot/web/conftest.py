"""The web front end on localhost with the tiny model."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from browser import DESKTOP, FLAGS, TIMEOUT, Visit
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

from bot.settings import WebSettings
from bot.studio import Studio
from bot.web import browser_runtime as runtime_files
from bot.web.app import create_app, create_runner
from bot.web.connections import CONNECTIONS, Listener
from bot.web.requests import MAX_LINE

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]
Listen = Callable[..., Awaitable["Listening"]]

expect.set_options(timeout=TIMEOUT)

SECONDS = 30  # for what happens soon, on a machine that does other things, too


class Listening(NamedTuple):
    """The web page, served as `python -m bot` serves it."""

    port: int
    app: web.Application
    server: web.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connect(self, source: str = "127.0.0.1") -> "Connection":
        """A connection from an address of this machine."""
        return Connection(
            *await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        )


class Connection(NamedTuple):
    """One TCP connection, for what HTTP clients do not send."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(
        self, method: str, path: str, body: bytes = b"", length: int = 0, **headers: str
    ) -> None:
        """Sends a request, whose body may be shorter than its `length` says."""
        headers = {
            "Host": "localhost",
            "Content-Type": "application/json",
            "Content-Length": str(length or len(body)),
            **headers,
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
        self.writer.write("\r\n".join(lines).encode() + body)
        await self.writer.drain()

    async def status(self) -> int:
        """The status of the next answer; 0 if the connection was closed instead."""
        try:
            async with asyncio.timeout(SECONDS):
                line = await self.reader.readline()
        except ConnectionError:
            return 0
        return int(line.split()[1]) if line else 0

    async def closed(self) -> bool:
        """Waits until the server closes the connection; False if it answers instead."""
        return await self.status() == 0

    def close(self) -> None:
        self.writer.transport.abort()


@pytest.fixture
async def serve(studio: Studio) -> AsyncIterator[Serve]:
    """Starts the web page with settings; returns a client that keeps cookies."""
    clients: list[Client] = []

    async def start(**settings: Any) -> Client:
        app = create_app(studio, WebSettings(**settings))
        server = TestServer(app)
        await server.start_server(max_line_size=MAX_LINE, auto_decompress=False)  # as in the bot
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
def browser_runtime() -> None:
    """Installs ONNX Runtime for browsers if it is missing; needs npm."""
    # one process at a time: the others wait, and find it installed
    with (runtime_files.FOLDER / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not runtime_files.installed():
            runtime_files.install()


@pytest_asyncio.fixture(scope="session")
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    """A headless Chromium for all tests, which takes a second to start."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(client: Client, chromium: Browser) -> AsyncIterator[Visit]:
    """Opens a page; checks that there were no errors and no requests to other sites.

    Each page has a context of its own, without cookies and storage of the others.
    """
    errors: list[str] = []

    async with AsyncExitStack() as stack:

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

            context = await chromium.new_context(viewport=viewport, base_url=home, **options)
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(TIMEOUT)
            page.on("pageerror", lambda error: errors.append(f"error: {error}"))
            page.on("request", check_request)
            page.on("console", check_message)
            await page.goto(home + path)
            return page

        yield open_page
    assert errors == []


@pytest.fixture
async def listen(studio: Studio) -> AsyncIterator[Listen]:
    """Serves the web page with settings, as `python -m bot` does."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Listening:
            app = create_app(studio, WebSettings(**settings))
            runner = create_runner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            assert runner.server is not None
            listener = Listener(runner.server, app[CONNECTIONS])
            await listener.open("127.0.0.1", 0)
            stack.push_async_callback(listener.close)
            return Listening(listener.port, app, runner.server)

        yield start
