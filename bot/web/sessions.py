"""Who may use /admin: the password, and the sessions that it opens."""

import asyncio
import hashlib
import hmac
import re
import secrets
import time

from aiohttp import web

from bot.errors import Busy
from bot.passwords import PasswordHash
from bot.studio import Studio
from bot.web.rates import Rates

COOKIE = "irodori_admin"
PATH = "/admin"
HOURS = 12  # that a session lasts
LOGINS_PER_MINUTE = 5  # of one address
WAITING = 8  # logins that wait for the one that is checked; each takes a core for a moment
NOTE = "admin-sessions"  # where the database keeps the secret


class Sessions:
    """A session is `<expiry>.<number>.<signature>`, and lasts as long as the password.

    The key of the signature is made of a secret in the database and of the password's hash: none
    of the two alone is enough to make a session, and another password ends all of them.
    """

    def __init__(self, password: PasswordHash, studio: Studio) -> None:
        self.rates = Rates(LOGINS_PER_MINUTE, "web-too-many-logins")
        self._password = password
        self._studio = studio
        self._key = b""
        self._checking = asyncio.Lock()
        self._waiting = 0
        self._ended: dict[str, int] = {}  # numbers of sessions that were logged out, their expiries

    async def is_password(self, typed: str) -> bool:
        """Raises Busy where too many want to know."""
        if self._waiting >= WAITING:
            raise Busy(WAITING)
        self._waiting += 1
        try:
            async with self._checking:
                return await asyncio.to_thread(self._password.is_of, typed)
        finally:
            self._waiting -= 1

    async def open(self, response: web.StreamResponse, secure: bool) -> None:
        """Gives the browser a session."""
        expiry = int(time.time()) + HOURS * 3600
        claim = f"{expiry}.{secrets.token_urlsafe(12)}"
        response.set_cookie(
            COOKIE,
            f"{claim}.{await self._signature(claim)}",
            max_age=HOURS * 3600,
            path=PATH,
            httponly=True,
            samesite="Strict",
            secure=secure,
        )

    async def knows(self, request: web.Request) -> bool:
        """Whether the request comes with a session that is neither over nor logged out."""
        return await self._read(request) is not None

    async def close(self, request: web.Request, response: web.StreamResponse) -> None:
        """Logs the request's session out, in this browser and wherever else its cookie is."""
        session = await self._read(request)
        now = int(time.time())
        self._ended = {number: expiry for number, expiry in self._ended.items() if expiry > now}
        if session is not None:
            number, expiry = session
            self._ended[number] = expiry
        response.del_cookie(COOKIE, path=PATH, httponly=True, samesite="Strict")

    async def _read(self, request: web.Request) -> tuple[str, int] | None:
        """Number and expiry of the request's session."""
        cookie = request.cookies.get(COOKIE, "")
        match = re.fullmatch(r"((\d{1,12})\.([\w-]{16}))\.([0-9a-f]{64})", cookie, re.ASCII)
        if match is None:
            return None
        claim, expiry, number, signature = match.groups()
        if not hmac.compare_digest(signature, await self._signature(claim)):
            return None
        if int(expiry) <= time.time() or number in self._ended:
            return None
        return number, int(expiry)

    async def _signature(self, claim: str) -> str:
        if not self._key:
            secret = await self._studio.note(NOTE)
            if secret is None:
                await self._studio.save_note(NOTE, secrets.token_hex(32))
                secret = await self._studio.note(NOTE)  # of whoever saved it last
            material = f"{secret} {self._password}".encode()
            self._key = hashlib.sha256(b"irodori admin session " + material).digest()
        return hmac.new(self._key, claim.encode(), "sha256").hexdigest()
