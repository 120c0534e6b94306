import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientResponse

from bot.studio import Request, Studio
from bot.web.api import events
from db.records import Owner

from ..conftest import Client, Serve


class Listener:
    """Reads an event stream."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> dict[str, str]:
        """The fields of the next event with data; comments and retry times are skipped."""
        while True:
            fields = {}
            while line := (await self.answer.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                fields[name] = value
            if "data" in fields:
                return fields
            if self.answer.content.at_eof():
                raise EOFError


@asynccontextmanager
async def listening(client: Client, **headers: str) -> AsyncIterator[Listener]:
    async with client.get("/api/events", headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        yield Listener(answer)


async def test_new_public_pictures_are_streamed(
    client: Client, studio: Studio, owner: Owner
) -> None:
    async with listening(client) as one, listening(client) as other:
        await studio.painting.create({}, Request(owner, private=True))
        (avatar,) = await studio.painting.create("hair:pink", Request(owner), prompt="pink\nhair")
        for listener in (one, other):
            event = await listener.next()
            assert (event["event"], event["id"]) == ("avatar", avatar.id)
            body = json.loads(event["data"])
            async with client.get("/api/avatars") as answer:
                assert (await answer.json())["avatars"] == [body]
        (last,) = await studio.family.recolor(avatar.id, {"hair": "blue"}, Request(owner))
        assert (await one.next())["id"] == last.id


async def test_a_reconnecting_listener_gets_missed_pictures(
    client: Client, studio: Studio, owner: Owner
) -> None:
    first, *missed = await studio.painting.create({}, Request(owner), count=4)
    await studio.avatars.delete(missed[1].id, owner)
    async with listening(client, **{"Last-Event-ID": first.id}) as listener:
        assert [(await listener.next())["id"] for _ in range(2)] == [missed[0].id, missed[2].id]
        (new,) = await studio.painting.create({}, Request(owner))
        assert (await listener.next())["id"] == new.id


async def test_an_idle_stream_gets_heartbeats(
    client: Client, studio: Studio, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.01)
    async with listening(client) as listener:
        seen = [await listener.answer.content.readline() for _ in range(6)]
        assert seen.count(b":\n") >= 2


async def test_the_number_of_listeners_is_limited(
    client: Client, studio: Studio, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_LISTENERS", 1)
    async with listening(client), client.get("/api/events") as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
    async with asyncio.timeout(30):  # the server notices the closed connection when it writes
        while True:
            await studio.painting.create({}, Request(owner))
            async with client.get("/api/events") as answer:
                if answer.status == 200:
                    return


async def test_a_listener_that_lags_behind_is_disconnected(
    client: Client, studio: Studio, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "BACKLOG", 2)
    async with listening(client) as listener:
        await studio.painting.create(
            {}, Request(owner), count=9
        )  # sent immediately, before any event
        assert [await listener.next() for _ in range(2)]
        with pytest.raises(EOFError):
            await listener.next()


async def test_streams_end_with_the_server(serve: Serve) -> None:
    client = await serve()
    async with listening(client) as listener:
        closing = asyncio.create_task(client.server.close())
        with pytest.raises(EOFError):
            await asyncio.wait_for(listener.next(), 30)
        await closing


async def test_invalid_event_queries_are_rejected(client: Client) -> None:
    async with client.get("/api/events?since=1") as answer:
        assert answer.status == 400
        assert "since" in (await answer.json())["error"]


async def test_event_streams_are_limited_per_address(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_PER_ADDRESS", 2)
    client = await serve(trusted_proxies=["127.0.0.1"])
    one, other = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
    async with listening(client, **one), listening(client, **one):
        async with client.get("/api/events", headers=one) as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) > 0
            assert "Too many event streams" in (await answer.json())["error"]
        async with listening(client, **other):
            monkeypatch.setattr(events, "MAX_LISTENERS", 3)
            async with client.get("/api/events", headers=other) as answer:
                assert answer.status == 503
                assert "Too many event streams" in (await answer.json())["error"]
