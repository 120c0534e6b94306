"""The web face: its application, what every answer carries, and how errors are told."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.errors import Refusal
from bot.inference.engine import Engine
from bot.passwords import PasswordHash
from bot.settings import WebSettings
from bot.studio import Studio
from bot.web import admin, api, pages, sessions
from bot.web.assets import Assets
from bot.web.events import Events
from bot.web.keys import (
    ENGINE,
    EVENTS,
    LOAD,
    METRICS,
    RATES,
    SESSIONS,
    SETTINGS,
    STUDIO,
    TEMPLATES,
)
from bot.web.load import Load
from bot.web.metrics import Metrics
from bot.web.rates import Rates
from bot.web.reading import MAX_BODY, MAX_LINE
from bot.web.sessions import Sessions
from bot.web.status import headers_of, status_of

HERE = Path(__file__).parent
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
JSON_PATHS = ("/api/", "/images/", "/thumbs/", "/healthz", "/metrics", "/static/")
PACKED = ("text/html", "application/json")  # what is packed for the way, from so many bytes on:
PACK_FROM = 1000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


def create_app(studio: Studio, engine: Engine, settings: WebSettings) -> web.Application:
    """The page and the API of the studio. It opens and closes neither studio nor engine."""
    middlewares = [_count, _pack, _tell_errors, admin.guard]
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY)
    app[STUDIO] = studio
    app[ENGINE] = engine
    app[SETTINGS] = settings
    app[METRICS] = Metrics()
    app[RATES] = Rates(settings.paint_per_minute, "web-too-many")
    app[EVENTS] = Events(studio, partial(api.as_json, base=settings.public_url.rstrip("/")))
    app.on_shutdown.append(app[EVENTS].close)
    assets = Assets(HERE / "static")
    app[TEMPLATES] = _templates(assets)
    app.add_routes(api.routes)
    app.add_routes(pages.routes)
    if settings.admin_password_hash:
        app[SESSIONS] = Sessions(PasswordHash.parse(settings.admin_password_hash), studio)
        app[LOAD] = Load(engine, app[METRICS])
        app.cleanup_ctx.append(app[LOAD].follow)
        app.add_routes(admin.routes)
    app.router.add_get("/static/{version}/{name:.+}", assets.answer)
    app.on_response_prepare.append(_secure)
    return app


def create_runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=10,
        max_line_size=MAX_LINE,
        logger=_Log(logging.getLogger("aiohttp.server")),
    )


class _Log(logging.LoggerAdapter[logging.Logger]):
    """aiohttp's log, but that what is no HTTP is told in a line: it is the sender's mistake."""

    def process(self, msg: str, kwargs: MutableMapping[str, Any]) -> tuple[str, Any]:
        error = kwargs.get("exc_info")
        if isinstance(error, HttpProcessingError):
            kwargs["exc_info"] = None
            msg += f": {type(error).__name__}"
        return msg, kwargs


def _templates(assets: Assets) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(pages.GLOBALS)
    environment.filters.update(admin.FILTERS)
    environment.globals["static"] = assets.urls
    return environment


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SECURITY)


@web.middleware
async def _count(request: web.Request, handler: Handler) -> web.StreamResponse:
    start = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "unmatched"
    seconds = time.perf_counter() - start
    # Anybody can send any word as a method: those of no route must not become labels for ever.
    method = request.method if resource else "any"
    request.app[METRICS].count(method, route, response.status, seconds)
    # A stream lasts as long as its page is open; who looks at the figures must not change them.
    if isinstance(response, web.Response) and not route.startswith(sessions.PATH):
        request.app[METRICS].wait(seconds)
    return response


@web.middleware
async def _pack(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Compresses text where the browser can read it."""
    response = await handler(request)
    body = response.body if isinstance(response, web.Response) else None
    if response.content_type in PACKED and isinstance(body, bytes) and len(body) >= PACK_FROM:
        response.enable_compression()
        response.headers["Vary"] = "Accept-Encoding"
    return response


@web.middleware
async def _tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Where every error ends: JSON for programs, a page for people."""
    headers: dict[str, str] = {}
    try:
        return await handler(request)
    except Refusal as error:
        status, text = status_of(error), str(error)
        headers |= headers_of(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        status, text = error.status, _http_text(request, error)
        if "Allow" in error.headers:
            headers["Allow"] = error.headers["Allow"]
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        status, text = 500, "something went wrong here; it is written down in the bot's log"
    if _wants_page(request):
        response: web.Response = pages.render(request, "error.html", status, message=text)
    else:
        response = web.json_response({"error": text}, status=status)
    response.headers.update(headers)
    return response


def _http_text(request: web.Request, error: web.HTTPException) -> str:
    match error.status:
        case 404:
            return f"there is nothing at {request.path}"
        case 405:
            allowed = error.headers["Allow"]
            return f"{request.method} does not go with {request.path}; allowed: {allowed}"
        case 413:
            return f"the body is larger than {MAX_BODY // 1024} KiB"
        case _:
            return error.text or error.reason


def _wants_page(request: web.Request) -> bool:
    return not request.path.startswith(JSON_PATHS) and "text/html" in request.headers.get(
        "Accept", ""
    )
