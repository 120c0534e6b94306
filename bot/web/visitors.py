"""Identifies visitors by a cookie, and checks whether and how much they may paint."""

import hashlib
import ipaddress
import re
import secrets
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

from bot.errors import NotAllowed
from bot.web.api.schemas import MineQuery
from bot.web.keys import NAMED_FACE_RATE, PAINT_RATE, SETTINGS, STUDIO
from bot.web.rate_limits import client_address
from db.records import Avatar, GalleryQuery, Owner, Page

COOKIE = "irodori_visitor"
A_YEAR = 365 * 24 * 3600  # seconds
# Headers of reverse proxies. Behind a proxy every request seems to come from this machine.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def token_of(request: web.Request) -> str | None:
    """The visitor's token, if the request has a valid one."""
    token = request.cookies.get(COOKIE, "")
    return token if re.fullmatch(r"[A-Za-z0-9_-]{43}", token) else None


def owner_of(token: str) -> Owner:
    """The owner of a token. Its key is a hash, so that a copy of the database reveals no tokens."""
    return Owner("web", hashlib.sha256(token.encode()).hexdigest())


def current_owner(request: web.Request) -> Owner:
    """The visitor as an owner; a new one for a visitor without a token."""
    return owner_of(token_of(request) or new_token())


def new_token() -> str:
    return secrets.token_urlsafe(32)


def remember(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Sets the visitor's cookie for a year."""
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
    """Whether the visitor uses HTTPS, directly or through a proxy."""
    return request.secure or request.app[SETTINGS].public_url.startswith("https://")


def may_paint(request: web.Request) -> bool:
    return _denial(request) is None


def require_painter(request: web.Request) -> None:
    """Raises NotAllowed if `web.paint` forbids it, and for requests from another site's page."""
    require_painting_allowed(request)
    require_same_origin(request)


def require_painting_allowed(request: web.Request) -> None:
    """Raises NotAllowed if `web.paint` forbids it."""
    denial = _denial(request)
    if denial:
        raise NotAllowed(denial)


async def charge(request: web.Request, pictures: int) -> None:
    """Charges the pictures to the rate limit of the visitor's address. Raises TooSoon."""
    await request.app[PAINT_RATE].charge(address_of(request), pictures)


async def charge_named_faces(request: web.Request, count: int) -> None:
    """Charges new faces to the rate limit of the visitor's address. Raises TooSoon."""
    await request.app[NAMED_FACE_RATE].charge(address_of(request), count)


def address_of(request: web.Request) -> str:
    """The visitor's address, see `client_address`."""
    return client_address(request, request.app[SETTINGS].trusted_proxies)


def require_same_origin(request: web.Request) -> None:
    """Raises NotAllowed for requests from another site's page in the visitor's browser."""
    if not _same_origin(request):
        raise NotAllowed("web-other-site")


async def own_page(request: web.Request, query: MineQuery) -> Page:
    """The visitor's own pictures or favorites, the newest first; none without a cookie. Private
    pictures are left out: those that operators have hidden, and those of a linked member.

    Raises BadPrompt for a cursor that is not valid.
    """
    token = token_of(request)
    if token is None:
        return Page([], None, None)
    return await request.app[STUDIO].gallery.page(
        GalleryQuery(
            scope=query.scope,
            viewer=owner_of(token),
            guild=None,
            values={},
            limit=query.limit,
            cursor=query.cursor,
            public=True,
        )
    )


async def relation(request: web.Request, avatar: Avatar) -> tuple[bool, bool]:
    """Whether the avatar is one of the visitor's favorites, and whether the visitor owns it."""
    token = token_of(request)
    if token is None:
        return False, False
    owner, avatars = owner_of(token), request.app[STUDIO].avatars
    return await avatars.is_favorite(avatar, owner), await avatars.owns(owner, avatar)


def _denial(request: web.Request) -> str | None:
    paint = request.app[SETTINGS].paint
    if paint == "off":
        return "web-paint-off"
    if paint == "local" and not _is_local(request):
        return "web-paint-local"
    return None


def _is_local(request: web.Request) -> bool:
    # The Host header counts too: with DNS rebinding, another site's page can send requests to this
    # machine through the visitor's browser.
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
    """True for this site's pages and for clients that are not browsers."""
    # Browsers send Sec-Fetch-Site to secure origins only, and Origin with every POST.
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    own = {request.host, _split(request.app[SETTINGS].public_url).netloc} - {""}
    return _split(origin).netloc in own


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # for example "//["
        return urlsplit("")
