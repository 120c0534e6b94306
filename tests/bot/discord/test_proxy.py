"""Discord behind an HTTP proxy: its host name is known to the proxy only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from discord_server import DiscordServer

from bot.discord.client import run_discord
from bot.discord.proxy import proxy_of
from bot.settings import DiscordSettings
from bot.studio import Studio


class Proxy:
    """Passes every connection on to one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.heads: list[bytes] = []  # first lines and headers of connections

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
            inner_writer.write(head)
            await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def proxy(discord: DiscordServer) -> AsyncIterator[Proxy]:
    port = urlsplit(discord.api_url).port
    assert port is not None
    proxy = Proxy(port)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("by_environment", [False, True])
async def test_members_are_served_through_the_proxy(
    by_environment: bool,
    discord: DiscordServer,
    proxy: Proxy,
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"http://me:secret@127.0.0.1:{await proxy.open()}"
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    if by_environment:
        monkeypatch.setenv("http_proxy", url)
    settings = DiscordSettings(
        api_url=discord.api_url.replace("127.0.0.1", "discord.invalid"),
        gateway_url=discord.gateway_url.replace("127.0.0.1", "discord.invalid"),
        proxy="" if by_environment else url,
    )
    task = asyncio.create_task(run_discord(studio, settings, discord.token))
    try:
        await discord.wait_connected()
        reply = await discord.member("Ada").slash("avatar", hair="pink")
        assert reply.pictures
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await discord.wait_disconnected()
    assert all(b"Proxy-Authorization: Basic" in head for head in proxy.heads)
    # the gateway's own URL, which Discord's API returned, names this machine
    assert any(head.startswith(b"GET http://discord.invalid") for head in proxy.heads)
    assert any(head.startswith(b"GET ws://") for head in proxy.heads)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "localhost,.discord.com"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "socks5://proxy:1080"}, None),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({}, None),
    ],
)
def test_the_proxy_of_the_environment(
    environment: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (
        "https_proxy",
        "HTTPS_PROXY",
        "http_proxy",
        "HTTP_PROXY",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert proxy_of(DiscordSettings()) == expected
    own = DiscordSettings(proxy="http://own:8080")
    assert proxy_of(own) == "http://own:8080"
