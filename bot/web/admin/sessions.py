"""Admin sessions: signed cookies that are issued for the password."""

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import time

from aiohttp import web

from bot.errors import Busy
from bot.passwords import PasswordHash
from bot.studio import Studio
from bot.web.rate_limits import RateLimiter

COOKIE = "irodori_admin"
PATH = "/admin"
HOURS = 12  # lifetime of a session
LOGINS_PER_MINUTE = 5  # per address
MAX_WAITING = 8  # logins that wait for a check; one check at a time, since it uses a whole core
SECRET_NOTE = "admin-sessions"  # name of the secret in the database
LOGOUTS_NOTE = "admin-logouts"  # sessions that were logged out before their expiry


class Sessions:
    """A session is `<expiry>.<number>.<signature>`. It is valid as long as the password is.

    The key of the signature is derived from a secret in the database and the password's hash:
    neither alone is enough to forge a session, and a new password ends all sessions.
    """

    def __init__(self, password: PasswordHash, studio: Studio) -> None:
        self.login_rate = RateLimiter(
            "login", LOGINS_PER_MINUTE, "web-too-many-logins", studio.processes
        )
        self._password = password
        self._studio = studio
        self._key = b""
        self._checking = asyncio.Lock()
        self._waiting = 0
        self._logging_out = asyncio.Lock()

    async def check_password(self, typed: str) -> bool:
        """Whether it is the password. Raises Busy while too many logins wait."""
        if self._waiting >= MAX_WAITING:
            raise Busy(MAX_WAITING, "web-logins-busy")
        self._waiting += 1
        try:
            async with self._checking:
                return await asyncio.to_thread(self._password.matches, typed)
        finally:
            self._waiting -= 1

    async def open(self, response: web.StreamResponse, secure: bool) -> None:
        """Sets the cookie of a new session."""
        expiry = int(time.time()) + HOURS * 3600
        claim = f"{expiry}.{secrets.token_urlsafe(12)}"
        response.set_cookie(
            COOKIE,
            f"{claim}.{await self._sign(claim)}",
            max_age=HOURS * 3600,
            path=PATH,
            httponly=True,
            samesite="Strict",
            secure=secure,
        )

    async def is_valid(self, request: web.Request) -> bool:
        """Whether the request has a session that is neither expired nor logged out."""
        return await self._read(request) is not None

    async def close(self, request: web.Request, response: web.StreamResponse) -> None:
        """Ends the session, also in other browsers that have its cookie, and after a restart."""
        session = await self._read(request)
        if session is not None:
            number, expiry = session
            async with self._logging_out:
                logouts = await self._logouts()
                valid = {n: until for n, until in logouts.items() if until > time.time()}
                text = json.dumps({**valid, number: expiry})
                await self._studio.notes.set(LOGOUTS_NOTE, text)
        response.del_cookie(COOKIE, path=PATH, httponly=True, samesite="Strict")

    async def _read(self, request: web.Request) -> tuple[str, int] | None:
        """Number and expiry of the request's session."""
        cookie = request.cookies.get(COOKIE, "")
        match = re.fullmatch(r"((\d{1,12})\.([\w-]{16}))\.([0-9a-f]{64})", cookie, re.ASCII)
        if match is None:
            return None
        claim, expiry, number, signature = match.groups()
        if not hmac.compare_digest(signature, await self._sign(claim)):
            return None
        # One that ends later was opened while the clock was wrong.
        if not 0 < int(expiry) - time.time() <= HOURS * 3600 or number in await self._logouts():
            return None
        return number, int(expiry)

    async def _logouts(self) -> dict[str, int]:
        """Numbers of the sessions that were logged out, and their expiries. Always read from the
        database, because another process may have written them.
        """
        text = await self._studio.notes.get(LOGOUTS_NOTE)
        return json.loads(text) if text else {}

    async def _sign(self, claim: str) -> str:
        if not self._key:
            secret = await self._studio.notes.get(SECRET_NOTE)
            if secret is None:
                await self._studio.notes.set(SECRET_NOTE, secrets.token_hex(32))
                secret = await self._studio.notes.get(SECRET_NOTE)  # another process may have won
            material = f"{secret} {self._password}".encode()
            self._key = hashlib.sha256(b"irodori admin session " + material).digest()
        return hmac.new(self._key, claim.encode(), "sha256").hexdigest()


SESSIONS = web.AppKey("sessions", Sessions)
