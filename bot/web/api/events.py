"""Streams new public pictures to open pages as they are painted (server-sent events)."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot.errors import Busy, TooSoon
from bot.studio import Studio
from bot.web.api import schemas
from bot.web.api.openapi import Answer, describe
from bot.web.api.responses import avatar_body
from bot.web.keys import SETTINGS
from bot.web.rate_limits import client_address
from bot.web.requests import read_query
from db.records import Avatar, GalleryQuery

MAX_LISTENERS = 200
MAX_PER_ADDRESS = 20
BACKLOG = 32  # unsent pictures after which a slow listener's stream ends
HEARTBEAT = 20  # seconds; proxies close idle connections
MAX_MISSED = 24  # pictures that are sent to a listener that reconnects
RETRY_MS = 3000  # after which a browser reconnects
WRITE_SECONDS = 10  # in which a listener must read what was sent, if it fills the buffers

routes = web.RouteTableDef()


class EventStreams:
    """The open streams, until `close`. URLs in events begin with `base`."""

    def __init__(self, studio: Studio, base: str) -> None:
        self._studio = studio
        self._base = base
        self._queues: dict[asyncio.Queue[Avatar | None], str] = {}  # and addresses of listeners
        self._unsubscribe: Callable[[], None] | None = None

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Streams until either side ends it. Raises BadRequest, Busy at MAX_LISTENERS, and TooSoon
        at MAX_PER_ADDRESS.

        `Last-Event-ID` is the last picture that the page has: newer ones are sent first.
        """
        read_query(request.query, schemas.EmptyQuery)
        address = client_address(request, request.app[SETTINGS].trusted_proxies)
        self._check_limits(address)
        queue: asyncio.Queue[Avatar | None] = asyncio.Queue(BACKLOG + 1)
        # before the query for missed pictures, so that none is lost
        self._queues[queue] = address
        if self._unsubscribe is None:
            self._unsubscribe = self._studio.painting.subscribe(self._publish)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # keeps nginx from buffering the events
            }
        )
        try:
            last = request.headers.get("Last-Event-ID")
            missed = await self._painted_since(last) if last else []
            await response.prepare(request)
            await _write(response, f"retry: {RETRY_MS}\n\n".encode())
            for avatar in missed:
                await _write(response, self._format_event(avatar))
            sent = {avatar.id for avatar in missed}
            while True:
                try:
                    painted = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    await _write(response, b":\n\n")
                    continue
                if painted is None:
                    return response
                if painted.id not in sent:
                    await _write(response, self._format_event(painted))
        except ConnectionError:  # the page was closed, or does not read
            if request.transport is not None:
                request.transport.abort()
            return response
        except asyncio.CancelledError:
            if request.transport is not None:
                raise
            return response  # the page was closed
        finally:
            del self._queues[queue]
            if not self._queues:
                self._end_subscription()

    async def close(self, app: web.Application) -> None:
        """Ends all streams, which would keep the server from stopping."""
        self._end_subscription()
        for queue in tuple(self._queues):
            _end(queue)

    def _end_subscription(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _publish(self, avatar: Avatar | None) -> None:
        for queue in tuple(self._queues):
            if avatar is not None and queue.qsize() < BACKLOG:
                queue.put_nowait(avatar)
            else:  # its page reconnects and gets the missed pictures
                _end(queue)

    def _check_limits(self, address: str) -> None:
        """Raises Busy, TooSoon."""
        if len(self._queues) >= MAX_LISTENERS:
            raise Busy(RETRY_MS / 1000, "web-streams-full")
        if list(self._queues.values()).count(address) >= MAX_PER_ADDRESS:
            retry_at = datetime.now(UTC) + timedelta(milliseconds=RETRY_MS)
            raise TooSoon("web-too-many-streams", retry_at=retry_at)

    async def _painted_since(self, last: str) -> list[Avatar]:
        """Pictures newer than the one with this id, oldest first; at most MAX_MISSED."""
        query = GalleryQuery("everyone", None, None, {}, limit=MAX_MISSED)
        newest = (await self._studio.gallery.page(query)).avatars
        ids = [avatar.id for avatar in newest]
        return newest[: ids.index(last) if last in ids else None][::-1]

    def _format_event(self, avatar: Avatar) -> bytes:
        data = json.dumps(avatar_body(avatar, self._base).model_dump(mode="json"))
        return f"id: {avatar.id}\nevent: avatar\ndata: {data}\n\n".encode()


def _end(queue: asyncio.Queue[Avatar | None]) -> None:
    """Ends the stream after the events in its queue; a full queue has its end already."""
    if not queue.full():
        queue.put_nowait(None)


async def _write(response: web.StreamResponse, data: bytes) -> None:
    """Raises ConnectionError if the listener is gone, or does not read."""
    try:
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write(data)
    except TimeoutError:
        raise ConnectionAbortedError from None


STREAMS = web.AppKey("streams", EventStreams)


@routes.get("/api/events")
@describe(
    {200: Answer("An endless stream.", "text/event-stream")},
    errors=(400, 429, 503),
    header=("Last-Event-ID", "The last known picture: up to 24 newer ones are sent first."),
)
async def events(request: web.Request) -> web.StreamResponse:
    """Stream new public pictures as they are painted.

    Server-sent events named `avatar`: the data is an Avatar, the event id is its id.
    """
    return await request.app[STREAMS].stream(request)
