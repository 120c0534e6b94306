"""How much one address may ask for: a token bucket for each, in pictures a minute, or in logins."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot.errors import TooSoon

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REMEMBERED = 10_000  # addresses; who has asked for nothing in a minute has a full bucket anyway


class Rates:
    """`per_minute` is both what a full bucket holds and what it gains in a minute; 0: no limit.
    `refusal` is the key of the message to who has none left.
    """

    def __init__(self, per_minute: int, refusal: str) -> None:
        self._per_minute = per_minute
        self._refusal = refusal
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left, and when

    def take(self, address: str, count: int) -> None:
        """Raises TooSoon, and then nothing is taken."""
        if not self._per_minute:
            return
        now = time.monotonic()
        left, since = self._buckets.pop(address, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - since) * self._per_minute / 60)
        # more than a bucket holds is allowed to a full one: else it never would be
        missing = min(count, self._per_minute) - left
        self._buckets[address] = (left if missing > 0 else left - count, now)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        if missing > 0:
            wait = timedelta(seconds=missing * 60 / self._per_minute)
            raise TooSoon(self._refusal, retry_at=datetime.now(UTC) + wait)


def address_of(request: web.Request, trusted: Sequence[Network]) -> str:
    """Whom the request comes from: the last address that no trusted proxy has. Of IPv6 the /64,
    which is one household's."""
    chain = [
        hop.strip()
        for header in request.headers.getall("X-Forwarded-For", [])
        for hop in header.split(",")
    ]
    address = _parsed(request.remote or "")
    while chain and address is not None and any(address in network for network in trusted):
        before = _parsed(chain.pop())
        if before is None:  # not written by a proxy of ours
            break
        address = before
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
