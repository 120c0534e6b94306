"""New public pictures, told to open pages as they are painted (server-sent events)."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.errors import Busy
from bot.studio import Studio
from bot.web.reading import read_query
from db.store import Avatar, GalleryQuery

MAX_LISTENERS = 200
WAITING = 32  # pictures that a slow listener may be behind; it then starts anew
HEARTBEAT = 20  # seconds; proxies end connections on which nothing is said
MISSED = 24  # pictures that are told afterwards at most
RETRY_MS = 3000  # after which a browser connects again


class Events:
    """Everybody who listens, until `close`."""

    def __init__(self, studio: Studio, tell: Callable[[Avatar], dict[str, Any]]) -> None:
        self._studio = studio
        self._json = tell
        self._queues: set[asyncio.Queue[Avatar | None]] = set()
        self._leave = studio.listen(self._tell)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answers until either side ends it. Raises BadRequest, and Busy for one listener too many.

        `Last-Event-ID` is the last picture that the page knows of: newer ones come first.
        """
        read_query(request.query)
        if len(self._queues) >= MAX_LISTENERS:
            raise Busy(RETRY_MS / 1000)
        queue: asyncio.Queue[Avatar | None] = asyncio.Queue(WAITING + 1)
        self._queues.add(queue)  # before looking for what was missed: else one could come between
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # nginx would keep the events back
            }
        )
        try:
            last = request.headers.get("Last-Event-ID")
            missed = await self._since(last) if last else []
            await response.prepare(request)
            await response.write(f"retry: {RETRY_MS}\n\n".encode())
            for avatar in missed:
                await response.write(self._event(avatar))
            told = {avatar.id for avatar in missed}
            while True:
                try:
                    news = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    await response.write(b":\n\n")
                    continue
                if news is None:
                    return response
                if news.id not in told:
                    await response.write(self._event(news))
        except ConnectionError:  # the page was closed
            return response
        finally:
            self._queues.discard(queue)

    async def close(self, app: web.Application) -> None:
        """Ends all streams: they would keep the server from stopping."""
        self._leave()
        for queue in tuple(self._queues):
            self._end(queue)

    def _tell(self, avatar: Avatar) -> None:
        for queue in tuple(self._queues):
            if queue.qsize() < WAITING:
                queue.put_nowait(avatar)
            else:  # its page connects again, and is told what it has missed
                self._end(queue)

    def _end(self, queue: asyncio.Queue[Avatar | None]) -> None:
        self._queues.discard(queue)
        queue.put_nowait(None)

    async def _since(self, last: str) -> list[Avatar]:
        """What was painted after the avatar with this id, the oldest first; at most so many."""
        query = GalleryQuery("everyone", None, None, {}, limit=MISSED)
        newest = (await self._studio.gallery(query)).avatars
        ids = [avatar.id for avatar in newest]
        return newest[: ids.index(last) if last in ids else None][::-1]

    def _event(self, avatar: Avatar) -> bytes:
        data = json.dumps(self._json(avatar))
        return f"id: {avatar.id}\nevent: avatar\ndata: {data}\n\n".encode()
