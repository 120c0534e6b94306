"""Endpoints for monitoring, and the description of the API."""

import logging

from aiohttp import web

from bot.web.api import schemas
from bot.web.api.openapi import Answer, describe
from bot.web.api.responses import json_response
from bot.web.keys import METRICS, OPENAPI, STUDIO
from db.records import GalleryQuery

log = logging.getLogger(__name__)
routes = web.RouteTableDef()


@routes.get("/api/openapi.json")
@describe({200: Answer("OpenAPI 3.1.", dict)})
async def openapi(request: web.Request) -> web.Response:
    """Get this description."""
    return web.json_response(request.app[OPENAPI])


@routes.get("/healthz")
@describe(
    {
        200: Answer("Pictures can be painted and stored.", schemas.Health),
        503: Answer("The database does not answer.", schemas.Health),
    }
)
async def health(request: web.Request) -> web.Response:
    """Check whether pictures can be painted and stored."""
    studio = request.app[STUDIO]
    query = GalleryQuery(scope="everyone", viewer=None, guild=None, values={}, limit=1)
    try:
        await studio.gallery.page(query)
    except Exception:
        log.exception("the database does not answer")
        body = schemas.Health(
            ok=False, model=studio.model_name, error="the database does not answer"
        )
        return json_response(body, status=503)
    return json_response(schemas.Health(ok=True, model=studio.model_name))


@routes.get("/metrics")
@describe({200: Answer("Prometheus text format 0.0.4.", "text/plain")})
async def metrics(request: web.Request) -> web.Response:
    """Get metrics for Prometheus."""
    body, content_type = request.app[METRICS].render()
    return web.Response(body=body, headers={"Content-Type": content_type})
