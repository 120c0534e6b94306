"""The web front end: assembles the application and its server."""

import logging
from collections.abc import MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.outages import Outage
from bot.passwords import PasswordHash
from bot.settings import WebSettings
from bot.stopping import GRACE_SECONDS
from bot.studio import Studio
from bot.web import browser_runtime, middleware
from bot.web.admin import live, login, models, pictures, reports, runs
from bot.web.admin.filters import FILTERS
from bot.web.admin.load import LOAD, Load
from bot.web.admin.sessions import SESSIONS, Sessions
from bot.web.api import events, finding, gallery, images, monitoring, named_faces, painting, recipes
from bot.web.api.openapi import build_document
from bot.web.assets import Assets
from bot.web.browser_painting import BrowserPainting
from bot.web.connections import CONNECTIONS, Connections
from bot.web.keys import (
    BROWSER_PAINTING,
    LINK_RATE,
    METRICS,
    NAMED_FACE_RATE,
    OPENAPI,
    PAINT_RATE,
    SETTINGS,
    STUDIO,
    TEMPLATES,
)
from bot.web.metrics import Metrics
from bot.web.pages import browser as browser_pages
from bot.web.pages import find as find_pages
from bot.web.pages import gallery as gallery_pages
from bot.web.pages import legal, link, proof, site, wear
from bot.web.pages import studio as studio_pages
from bot.web.pages.render import create_environment
from bot.web.rate_limits import RateLimiter
from bot.web.requests import MAX_BODY, MAX_LINE

KEEP_ALIVE = 15  # seconds, see create_runner
HERE = Path(__file__).parent
API = (
    painting.routes,
    finding.routes,
    gallery.routes,
    events.routes,
    images.routes,
    named_faces.routes,
    recipes.routes,
    monitoring.routes,
)
PAGES = (
    studio_pages.routes,
    browser_pages.routes,
    find_pages.routes,
    gallery_pages.routes,
    link.routes,
    proof.routes,
    wear.routes,
    legal.routes,
    site.routes,
)
ADMIN = (login.routes, models.routes, live.routes, runs.routes, pictures.routes, reports.routes)


def create_app(
    studio: Studio, settings: WebSettings, metrics: Metrics | None = None
) -> web.Application:
    """Pages, API and, with a password, admin pages. The caller opens and closes the studio."""
    app = web.Application(
        middlewares=[
            middleware.measure,
            middleware.compress,
            middleware.answer_errors,
            web.normalize_path_middleware(  # /gallery/ redirects to /gallery
                append_slash=False, remove_slash=True
            ),
            login.guard,
        ],
        client_max_size=MAX_BODY,
    )
    assets = _assets()
    app[STUDIO] = studio
    app[BROWSER_PAINTING] = BrowserPainting(studio, browser_runtime.installed())
    app[SETTINGS] = settings
    app[METRICS] = metrics or Metrics(studio)
    for key, kind, most in (
        (PAINT_RATE, "paint", settings.paint_per_minute),
        (NAMED_FACE_RATE, "named-face", settings.named_faces_per_minute),
        (LINK_RATE, "link", link.TRIES_PER_MINUTE),
    ):
        app[key] = RateLimiter(kind, most, "web-too-many", studio.processes)
    app[middleware.STORE_OUTAGE] = Outage(middleware.log)
    app[CONNECTIONS] = Connections(settings.trusted_proxies)
    app[OPENAPI] = openapi_document()
    app[TEMPLATES] = _templates()
    app[events.STREAMS] = events.EventStreams(studio, settings.public_url.rstrip("/"))
    app.on_shutdown.append(app[events.STREAMS].close)
    app.on_response_prepare.append(middleware.add_security_headers)
    app.on_response_prepare.append(named_faces.allow_other_sites)
    for routes in (*API, *PAGES):
        app.add_routes(routes)
    app.router.add_get("/static/{version}/{name:.+}", assets.answer)
    if settings.admin_password_hash:
        _add_admin(app, PasswordHash.parse(settings.admin_password_hash))
    return app


def create_metrics_app(metrics: Metrics) -> web.Application:
    """Only /metrics, for a port of its own."""

    async def answer(request: web.Request) -> web.Response:
        body, content_type = metrics.render()
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    return app


# Files of this package, and what is derived from them, are the same for every application.


@cache
def _assets() -> Assets:
    return Assets(HERE / "static")


@cache
def _templates() -> jinja2.Environment:
    environment = create_environment(HERE / "templates", _assets().urls)
    environment.filters.update(FILTERS)
    return environment


@cache
def openapi_document() -> dict[str, Any]:
    """The OpenAPI description of all API routes."""
    return build_document(route for routes in API for route in routes)


def create_runner(app: web.Application) -> web.AppRunner:
    """The server of the application. It closes connections on which no request arrives, with all
    its headers, within KEEP_ALIVE seconds; it cancels the request of a client that leaves.
    """
    return web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        keepalive_timeout=KEEP_ALIVE,
        auto_decompress=False,  # aiohttp answers unknown encodings itself, in plain text
        shutdown_timeout=GRACE_SECONDS / 2,  # aiohttp waits twice: before and after it cancels
        max_line_size=MAX_LINE,
        logger=_ServerLog(logging.getLogger("aiohttp.server")),
    )


def _add_admin(app: web.Application, password: PasswordHash) -> None:
    app[SESSIONS] = Sessions(password, app[STUDIO])
    app[LOAD] = Load(app[STUDIO], app[METRICS])
    app.cleanup_ctx.append(app[LOAD].run)
    for routes in ADMIN:
        app.add_routes(routes)


class _ServerLog(logging.LoggerAdapter[logging.Logger]):
    """aiohttp's log, with one line instead of a traceback for what is not HTTP."""

    def process(self, msg: str, kwargs: MutableMapping[str, Any]) -> tuple[str, Any]:
        error = kwargs.get("exc_info")
        if isinstance(error, HttpProcessingError):
            kwargs["exc_info"] = None
            msg += f": {type(error).__name__}"
        return msg, kwargs
