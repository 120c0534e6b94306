"""Accepts connections: limited in number, per address and in all.

The deadline for a request's headers is the server's `keepalive_timeout`, see `create_runner`.
"""

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.outages import Outage
from bot.web.rate_limits import Network, is_trusted, network_of

MAX_CONNECTIONS = 2000
MAX_PER_ADDRESS = 256
RESERVED = 128  # file descriptors for the database, models, Discord and the log
BACKLOG = 128  # connections that the system keeps until they are accepted
RETRY_SECONDS = 1  # after a connection could not be accepted

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Connection:
    """`address` is None for a trusted proxy, which has no limit of its own; `last` is the time of
    the last request, 0 before the first one.
    """

    address: str | None
    transport: asyncio.Transport | None = None
    last: float = 0.0
    answering: bool = False


class Connections:
    """The open connections of one server.

    A new connection above a limit replaces the one that has waited longest for a request, so that
    idle connections keep nobody out.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self._most = _limit()
        self._most_per_address = min(MAX_PER_ADDRESS, max(1, self._most // 2))
        self._open: dict[web.RequestHandler, _Connection] = {}

    @contextmanager
    def answering(self, request: web.Request) -> Iterator[None]:
        """Keeps the request's connection open: it is not waiting for a request meanwhile."""
        connection = self._open.get(request.protocol)
        if connection is None:  # accepted by another server, in tests
            yield
            return
        connection.answering = True
        try:
            yield
        finally:
            connection.answering = False
            connection.last = time.monotonic()

    def admit(self, host: str) -> bool:
        """Whether a new connection from this host may be opened, after one that waits was closed
        if necessary.
        """
        address = self._address(host)
        if address is not None:
            same = [c for c in self._open.values() if c.address == address]
            if len(same) >= self._most_per_address and not self._close_waiting(same):
                return False
        return len(self._open) < self._most or self._close_waiting(self._open.values())

    def add(self, handler: web.RequestHandler, host: str) -> None:
        self._open[handler] = _Connection(self._address(host))

    def opened(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """To be called once a connection that was added has its transport."""
        if handler in self._open:
            self._open[handler].transport = transport

    def discard(self, handler: web.RequestHandler) -> None:
        self._open.pop(handler, None)

    def forget_closed(self, server: web.Server) -> None:
        still_open = set(server.connections)
        self._open = {
            handler: connection
            for handler, connection in self._open.items()
            if handler in still_open or connection.transport is None
        }

    def close_one(self) -> None:
        """Closes the connection that has waited longest for a request, if there is one."""
        self._close_waiting(self._open.values())

    def _close_waiting(self, connections: Iterable[_Connection]) -> bool:
        waiting = [c for c in connections if not c.answering and c.transport is not None]
        if not waiting:
            return False
        longest = min(waiting, key=lambda connection: connection.last)
        assert longest.transport is not None
        longest.transport.abort()
        self._open = {h: c for h, c in self._open.items() if c is not longest}
        return True

    def _address(self, host: str) -> str | None:
        return None if is_trusted(host, self._trusted) else network_of(host)


CONNECTIONS = web.AppKey("connections", Connections)


class Listener:
    """Accepts connections for a server until `close`."""

    def __init__(self, server: web.Server, connections: Connections) -> None:
        self._server = server
        self._connections = connections
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure = Outage(log)

    @property
    def port(self) -> int:
        return int(self._sockets[0].getsockname()[1])

    async def open(self, host: str, port: int) -> None:
        """Listens on all addresses of the host; a free port for 0. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        try:
            for family, address in dict.fromkeys((f[0], f[4]) for f in found):
                at = (address[0], port or (self.port if self._sockets else 0), *address[2:])
                listening = socket.create_server(at, family=family, backlog=BACKLOG)
                listening.setblocking(False)
                self._sockets.append(listening)
        except OSError:
            await self.close()
            raise
        for listening in self._sockets:
            self._start(self._accept(listening))

    async def close(self) -> None:
        """Accepts no more; open connections stay open."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for listening in self._sockets:
            listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except ConnectionAbortedError:  # the client left before it was accepted
                continue
            except OSError as error:  # mostly: too many open files
                self._failure.report("connections cannot be accepted: %s", error)
                self._connections.forget_closed(self._server)
                self._connections.close_one()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._connections.forget_closed(self._server)
            if self._connections.admit(address[0]):
                handler = self._server()
                self._connections.add(handler, address[0])
                self._start(self._serve(handler, connection))
            else:
                connection.close()
            await asyncio.sleep(0)  # closes what was replaced, before the next one is accepted

    async def _serve(self, handler: web.RequestHandler, connection: socket.socket) -> None:
        """Starts to serve an accepted connection; the event loop does the rest."""
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: handler, connection
            )
        except OSError:  # the client has left
            self._connections.discard(handler)
            connection.close()
        else:
            self._connections.opened(handler, transport)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _limit() -> int:
    """MAX_CONNECTIONS, or fewer if the process may open few files."""
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(files // 2, files - RESERVED))
