"""Clients that leave before they have their answer."""

import asyncio
import logging
import re

import pytest
from aiohttp import ClientSession
from paused_engine import PausedEngine, wait_for_queue

from bot.inference.engine import Engine
from bot.studio import Request, Studio
from bot.web import requests
from bot.web.api import events
from db.favorites import FavoriteRepository
from db.records import Avatar, Owner

from .conftest import SECONDS, Listen, Listening


async def counted(page: Listening, method: str, route: str) -> dict[str, int]:
    """Answers to requests of a route by status, from the metrics."""
    async with ClientSession() as session, session.get(f"{page.url}/metrics") as answer:
        text = await answer.text()
    labels = f'method="{method}",route="{route}",status="(\\d+)"'
    found = re.findall(rf"^irodori_http_requests_total{{{labels}}} (.+)$", text, re.MULTILINE)
    return {status: int(float(count)) for status, count in found}


async def until_disconnected(page: Listening, connections: int = 0) -> None:
    """Waits until only so many connections are open."""
    async with asyncio.timeout(SECONDS):
        while len(page.server.connections) > connections:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0)


async def test_a_client_that_leaves_in_mid_body_is_not_an_error(
    listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    page = await listen()
    with caplog.at_level(logging.WARNING):
        connection = await page.connect()
        await connection.send("POST", "/api/avatars", length=100, Expect="100-continue")
        assert await connection.status() == 100
        connection.writer.write(b'{"prompt"')
        await connection.writer.drain()
        connection.close()
        await until_disconnected(page)
    assert caplog.records == []
    assert await counted(page, "POST", "/api/avatars") == {"499": 1}


async def test_pictures_of_clients_that_left_are_not_painted(
    listen: Listen, engine: Engine, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[Avatar | None] = []
    studio.painting.subscribe(published.append)
    paused = PausedEngine(engine, monkeypatch)
    page = await listen()
    stays = await page.connect()
    await stays.send("POST", "/api/avatars", b'{"prompt": ""}')
    await paused.batch_started()
    leaving = [await page.connect() for _ in range(5)]
    for connection in leaving:
        await connection.send("POST", "/api/avatars", b'{"prompt": "", "count": 9}')
    await wait_for_queue(engine, 45)
    for connection in leaving:
        connection.close()
    await wait_for_queue(engine, 0)
    paused.resume()
    assert await stays.status() == 201
    stays.close()
    assert len(published) == 1
    assert await studio.gallery.count({}) == 1
    assert engine.stats.pictures == 1
    assert await counted(page, "POST", "/api/avatars") == {"201": 1, "499": 5}


async def test_a_favorite_is_stored_although_the_visitor_has_left(
    listen: Listen, studio: Studio, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    (avatar,) = await studio.painting.create({}, Request(owner))
    started, finish = asyncio.Event(), asyncio.Event()
    finished = asyncio.Event()
    toggle = FavoriteRepository.toggle

    async def slow(self: FavoriteRepository, id: str, by: Owner) -> tuple[bool, int] | None:
        started.set()
        await finish.wait()
        result = await toggle(self, id, by)
        finished.set()
        return result

    monkeypatch.setattr(FavoriteRepository, "toggle", slow)
    page = await listen()
    connection = await page.connect()
    await connection.send("POST", f"/api/avatars/{avatar.id}/favourite", b"{}")
    async with asyncio.timeout(SECONDS):
        await started.wait()
        connection.close()
        await until_disconnected(page)
        finish.set()
        await finished.wait()
    assert (await studio.avatars.get(avatar.id, owner)).favorites == 1


async def test_a_closed_event_stream_makes_room_at_once(
    listen: Listen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a picture or a heartbeat, which could not be sent."""
    monkeypatch.setattr(events, "MAX_LISTENERS", 1)
    page = await listen()
    for _ in range(3):
        listener = await page.connect()
        await listener.send("GET", "/api/events")
        assert await listener.status() == 200
        listener.close()
        await until_disconnected(page)
    assert await counted(page, "GET", "/api/events") == {"200": 3}
    assert caplog.records == []


async def test_an_event_stream_that_is_not_read_ends(
    listen: Listen, studio: Studio, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "WRITE_SECONDS", 0.05)
    monkeypatch.setattr(
        events.EventStreams, "_format_event", lambda self, avatar: b":" + b" " * 2**24 + b"\n\n"
    )
    page = await listen()
    listener = await page.connect()
    await listener.send("GET", "/api/events")
    assert await listener.status() == 200
    await studio.painting.create({}, Request(owner))
    await until_disconnected(page)
    listener.close()


async def test_a_body_must_arrive_soon(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.05)
    page = await listen()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path, headers in (("/api/avatars", {}), ("/paint", form)):
        connection = await page.connect()
        await connection.send("POST", path, b"{", length=100, **headers)
        assert await connection.status() == 408
        connection.close()
