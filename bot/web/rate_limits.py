"""Rate limits per address, as token buckets: pictures or logins per minute."""

import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot.errors import TooSoon
from bot.studio import StoreUnavailable
from bot.studio.processes import ProcessService

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WITH_PORT = re.compile(r'"?(?:\[([^\[\]]+)\](?::\d+)?|([\d.]+)(?::\d+)?)"?')
MAX_ADDRESSES = 10_000  # that have a bucket; after an unused minute a bucket is full anyway


class RateLimiter:
    """`per_minute` is both the size of a bucket and its refill in a minute; 0 means no limit.
    `refusal` is the key of the message when a bucket is empty.

    Buckets are in memory, which is fast. While other processes serve on the same database, the
    buckets of this `kind` are there, and shared.
    """

    def __init__(self, kind: str, per_minute: int, refusal: str, processes: ProcessService) -> None:
        self._kind = kind
        self._per_minute = per_minute
        self._refusal = refusal
        self._processes = processes
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # level, time

    async def charge(self, address: str, count: int) -> None:
        """Takes `count` tokens. Raises TooSoon, and then takes none."""
        if not self._per_minute:
            return
        missing = await self._take(address, count)
        if missing > 0:
            wait = timedelta(seconds=missing * 60 / self._per_minute)
            raise TooSoon(self._refusal, retry_at=datetime.now(UTC) + wait)

    async def _take(self, address: str, count: int) -> float:
        """How many tokens are missing; see RateBucketRepository.take."""
        if not self._processes.alone:
            with suppress(StoreUnavailable):
                return await self._processes.take_from_bucket(
                    self._kind, address, count, self._per_minute
                )
        now = time.monotonic()
        level, since = self._buckets.pop(address, (float(self._per_minute), now))
        level = min(self._per_minute, level + (now - since) * self._per_minute / 60)
        # a full bucket allows requests larger than itself, which would otherwise never be possible
        missing = min(count, self._per_minute) - level
        self._buckets[address] = (level if missing > 0 else level - count, now)
        while len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return missing


def client_address(request: web.Request, trusted: Sequence[Network]) -> str:
    """The last address before the trusted proxies; for IPv6 its /64 network."""
    chain = [
        hop.strip()
        for header in request.headers.getall("X-Forwarded-For", [])
        for hop in header.split(",")
    ]
    host = request.remote or ""
    while chain and is_trusted(host, trusted):
        previous = _without_port(chain.pop())
        if _parsed(previous) is None:  # not written by a trusted proxy
            break
        host = previous
    return network_of(host)


def _without_port(hop: str) -> str:
    """The address of `192.0.2.1:4711`, `[2001:db8::1]:4711` or `"[2001:db8::1]"`, as some proxies
    write it; other texts as they are.
    """
    match = WITH_PORT.fullmatch(hop)
    return next(filter(None, match.groups())) if match else hop


def network_of(host: str) -> str:
    """What limits count as one address: the host's address, for IPv6 its /64 network."""
    address = _parsed(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def is_trusted(host: str, trusted: Sequence[Network]) -> bool:
    """Whether the host is a trusted proxy."""
    address = _parsed(host)
    return address is not None and any(address in network for network in trusted)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
