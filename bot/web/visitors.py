"""Who a visitor is, and whether he may paint, and how much."""

import hashlib
import ipaddress
import re
import secrets
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

from bot.errors import NotAllowed
from bot.web.keys import RATES, SETTINGS, STUDIO
from bot.web.rates import address_of
from db.store import Avatar, Owner

COOKIE = "irodori_visitor"
A_YEAR = 365 * 24 * 3600  # seconds
# What a reverse proxy adds: behind one, every visitor seems to come from this machine.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def token_of(request: web.Request) -> str | None:
    """The visitor's token if the request carries one of ours."""
    token = request.cookies.get(COOKIE, "")
    return token if re.fullmatch(r"[A-Za-z0-9_-]{43}", token) else None


def owner_of(token: str) -> Owner:
    """The database knows visitors by the hash alone: it is no key to anybody's pictures."""
    return Owner("web", hashlib.sha256(token.encode()).hexdigest())


def new_token() -> str:
    return secrets.token_urlsafe(32)


def remember(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Give the visitor his token for a year."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=A_YEAR,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=is_secure(request),
    )


def is_secure(request: web.Request) -> bool:
    """Whether the visitor comes over HTTPS, as far as we know."""
    return request.secure or request.app[SETTINGS].public_url.startswith("https://")


def may_paint(request: web.Request) -> bool:
    return _obstacle(request) is None


def require_painter(request: web.Request) -> None:
    """Raises NotAllowed where painting is off, or for local visitors only and this is none, or
    when the request was made by another site's page in the visitor's browser."""
    obstacle = _obstacle(request)
    if obstacle:
        raise NotAllowed(obstacle)
    require_same_origin(request)


def take(request: web.Request, pictures: int) -> None:
    """Counts them for the visitor's address. Raises TooSoon where these are too many."""
    address = address_of(request, request.app[SETTINGS].trusted_proxies)
    request.app[RATES].take(address, pictures)


def require_same_origin(request: web.Request) -> None:
    """Raises NotAllowed when the request was made by another site's page in the browser."""
    if not _same_origin(request):
        raise NotAllowed("web-other-site")


async def relation(request: web.Request, avatar: Avatar) -> tuple[bool, bool]:
    """Whether the avatar is one of the visitor's favourites, and his own."""
    token = token_of(request)
    if token is None:
        return False, False
    owner = owner_of(token)
    return await request.app[STUDIO].is_favourite(avatar, owner), avatar.owner == owner


def _obstacle(request: web.Request) -> str | None:
    paint = request.app[SETTINGS].paint
    if paint == "off":
        return "web-paint-off"
    if paint == "local" and not _is_local(request):
        return "web-paint-local"
    return None


def _is_local(request: web.Request) -> bool:
    # The Host, too: a page of another site whose name was made to point here (DNS rebinding)
    # reaches this machine through the visitor's own browser.
    return (
        not any(header in request.headers for header in FORWARDED)
        and _is_loopback(request.remote or "")
        and _is_loopback(_split(f"//{request.host}").hostname or "")
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _same_origin(request: web.Request) -> bool:
    """True for our own page and for clients that are no browser."""
    # Browsers send the first one to secure origins only, the second one with every POST.
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    ours = {request.host, _split(request.app[SETTINGS].public_url).netloc} - {""}
    return _split(origin).netloc in ours


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # such as "//[": nobody's address
        return urlsplit("")
