"""Connections that send nothing, or little, keep nobody out."""

import asyncio
import errno
import logging
import socket
from typing import Any

import pytest
from paused_engine import PausedEngine, wait_for_queue

from bot.inference.engine import Engine
from bot.web import app, connections

from .conftest import SECONDS, Connection, Listen, Listening

HALF = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


async def answers(page: Listening, source: str = "127.0.0.1") -> int:
    """The status of a request on a new connection; 0 if it was closed."""
    connection = await page.connect(source)
    try:
        await connection.send("GET", "/livez")
        return await connection.status()
    finally:
        connection.close()


@pytest.mark.parametrize("sent", [b"", HALF])
async def test_headers_must_arrive_soon(
    listen: Listen, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "KEEP_ALIVE", 0.05)
    page = await listen()
    connection = await page.connect()
    connection.writer.write(sent)
    assert await connection.closed()


async def test_headers_of_a_later_request_must_arrive_soon(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await listen()
    connection = await page.connect()
    await connection.send("GET", "/livez")
    assert (await connection.reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
    connection.writer.write(HALF)
    (handler,) = page.server.connections
    assert handler.keepalive_timeout == app.KEEP_ALIVE
    connection.close()


async def test_one_address_cannot_take_all_connections(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 8)
    page = await listen()
    visitor = await page.connect("127.0.0.2")
    idle = [await page.connect() for _ in range(20)]
    for connection in idle[:16]:
        assert await connection.closed()
    assert await answers(page) == 200  # also from the same address
    await visitor.send("GET", "/livez")
    assert await visitor.status() == 200
    for connection in (visitor, *idle):
        connection.close()


async def test_half_sent_headers_of_many_addresses_keep_nobody_out(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 8)
    page = await listen()
    slow: list[Connection] = []
    for i in range(40):
        slow.append(await page.connect(f"127.0.1.{i + 1}"))
        slow[-1].writer.write(HALF)
    assert await answers(page) == 200
    assert len(page.server.connections) <= 8
    for connection in slow:
        connection.close()


async def test_a_connection_that_waits_for_pictures_stays_open(
    listen: Listen, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 4)
    paused = PausedEngine(engine, monkeypatch)
    page = await listen()
    painting = [await page.connect() for _ in range(2)]
    await painting[0].send("POST", "/api/avatars", b'{"prompt": ""}')
    await paused.batch_started()
    await painting[1].send("POST", "/api/avatars", b'{"prompt": ""}')
    await wait_for_queue(engine, 1)
    assert await answers(page) == 0  # all connections of this address are in use
    assert await answers(page, "127.0.0.2") == 200
    paused.resume()
    assert [await connection.status() for connection in painting] == [201, 201]
    for connection in painting:
        connection.close()


async def test_a_trusted_proxy_has_no_limit_of_its_own(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 8)
    page = await listen(trusted_proxies=["127.0.0.1"])
    proxied = [await page.connect() for _ in range(7)]
    assert await answers(page) == 200
    for connection in proxied:
        await connection.send("GET", "/livez")
        assert await connection.status() == 200
        connection.close()


async def test_failures_to_accept_are_logged_once(
    listen: Listen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "RETRY_SECONDS", 0)
    loop = asyncio.get_running_loop()
    accept, failures = loop.sock_accept, iter(range(100))

    async def without_descriptors(listening: socket.socket) -> Any:
        if next(failures, None) is not None:
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(listening)

    monkeypatch.setattr(loop, "sock_accept", without_descriptors)
    page = await listen()
    with caplog.at_level(logging.WARNING):
        async with asyncio.timeout(SECONDS):
            assert await answers(page) == 200
    (record,) = caplog.records
    assert "Too many open files" in record.getMessage()
    assert record.exc_info is None
