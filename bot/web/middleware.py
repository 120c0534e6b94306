"""Middleware of every request: metrics, compression, error responses and security headers."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.errors import Refusal
from bot.i18n.messages import say
from bot.outages import Outage
from bot.studio import StoreUnavailable
from bot.web import languages
from bot.web.admin.sessions import PATH as ADMIN_PATH
from bot.web.connections import CONNECTIONS
from bot.web.errors import headers_of, status_of
from bot.web.keys import METRICS
from bot.web.pages.render import render
from bot.web.requests import MAX_BODY

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        # 'wasm-unsafe-eval' allows WebAssembly, with which browsers paint; no script from text
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
        "img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
JSON_PATHS = (
    "/api/",
    "/images/",
    "/thumbs/",
    "/avatar/",
    "/static/",
    "/livez",
    "/readyz",
    "/healthz",
    "/metrics",
)
COMPRESSED_TYPES = ("text/html", "application/json")
COMPRESS_FROM = 1000  # bytes
CLIENT_LEFT = 499  # the status in the metrics, as nginx has it
STORE_RETRY_SECONDS = 5

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)

STORE_OUTAGE = web.AppKey("store_outage", Outage)


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`."""
    response.headers.update(SECURITY_HEADERS)


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts the request in the metrics."""
    start = time.perf_counter()
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "unmatched"
    # Clients can send any word as a method; words without a route must not become labels.
    method = request.method if resource else "any"
    metrics = request.app[METRICS]
    with request.app[CONNECTIONS].answering(request):
        try:
            response = await handler(request)
        except asyncio.CancelledError:
            metrics.observe(method, route, CLIENT_LEFT, time.perf_counter() - start)
            raise
    seconds = time.perf_counter() - start
    metrics.observe(method, route, response.status, seconds)
    # Streams last as long as their page is open, and admin pages must not change their own figures.
    if isinstance(response, web.Response) and not route.startswith(ADMIN_PATH):
        metrics.observe_visitor(seconds)
    return response


@web.middleware
async def compress(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Compresses text for browsers that accept it."""
    response = await handler(request)
    body = response.body if isinstance(response, web.Response) else None
    compressible = response.content_type in COMPRESSED_TYPES
    if compressible and isinstance(body, bytes) and len(body) >= COMPRESS_FROM:
        response.enable_compression()
        vary = (response.headers.get("Vary"), "Accept-Encoding")
        response.headers["Vary"] = ", ".join(filter(None, vary))
    return response


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Responds to every error, with JSON for programs and a page for browsers."""
    headers = {"Vary": languages.VARY}
    language = languages.language_of(request)
    try:
        return await handler(request)
    except Refusal as error:
        status, text = status_of(error), error.text(language)
        headers |= headers_of(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        status, text = error.status, _http_message(request, error, language)
        if "Allow" in error.headers:
            headers["Allow"] = error.headers["Allow"]
    except StoreUnavailable as error:
        request.app[STORE_OUTAGE].report("the database cannot be used: %s", error)
        status, text = 503, say("web-database", language)
        headers["Retry-After"] = str(STORE_RETRY_SECONDS)
    except Exception as error:
        if isinstance(error, ConnectionError) and request.transport is None:
            return web.Response(status=CLIENT_LEFT)  # nobody reads it, but it is counted
        # The decoded path may contain line breaks.
        log.exception("%s %r failed", request.method, request.path)
        status, text = 500, say("web-failure", language)
    if _wants_page(request):
        response = render(request, "error.html", status, message=text)
    else:
        response = web.json_response({"error": text}, status=status)
    response.headers.update(headers)
    return response


def _http_message(request: web.Request, error: web.HTTPException, language: str) -> str:
    match error.status:
        case 404:
            return say("web-nothing", language, path=request.path)
        case 405:
            facts = {"path": request.path, "method": request.method}
            return say("web-method", language, allowed=error.headers["Allow"], **facts)
        case 413:
            return say("web-large-body", language, most=MAX_BODY // 1024)
        case _:
            return error.text or error.reason


def _wants_page(request: web.Request) -> bool:
    return not request.path.startswith(JSON_PATHS) and "text/html" in request.headers.get(
        "Accept", ""
    )
