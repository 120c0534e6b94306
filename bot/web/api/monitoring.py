"""Endpoints for monitoring, and the description of the API."""

from aiohttp import web

from bot.web.api import schemas
from bot.web.api.openapi import RETRY_AFTER, Answer, describe
from bot.web.api.responses import json_response
from bot.web.keys import METRICS, OPENAPI, SETTINGS, STUDIO

NO_STORE = {"Cache-Control": "no-store"}
READINESS = {
    200: Answer("Pictures can be painted and stored.", schemas.Health),
    503: Answer("They cannot; `error` says why.", schemas.Health, RETRY_AFTER),
}
RETRY_SECONDS = 5

routes = web.RouteTableDef()


@routes.get("/api/openapi.json")
@describe({200: Answer("OpenAPI 3.1.", dict)})
async def openapi(request: web.Request) -> web.Response:
    """Get this description."""
    return web.json_response(request.app[OPENAPI])


@routes.get("/livez")
@describe({200: Answer("The process answers.", schemas.Liveness)})
async def live(request: web.Request) -> web.Response:
    """Check whether the process answers requests.

    It says nothing about the model and the database: a restart would not help them.
    """
    return json_response(schemas.Liveness(ok=True), headers=NO_STORE)


@routes.get("/readyz")
@describe(READINESS)
async def ready(request: web.Request) -> web.Response:
    """Check whether pictures can be painted and stored.

    Paints a picture and writes to the database; the result is cached for some seconds.
    """
    return await _readiness(request)


@routes.get("/healthz")
@describe(READINESS)
async def health(request: web.Request) -> web.Response:
    """Check whether pictures can be painted and stored.

    The same as /readyz.
    """
    return await _readiness(request)


@routes.get("/metrics")
@describe({200: Answer("Prometheus text format 0.0.4.", "text/plain")})
async def metrics(request: web.Request) -> web.Response:
    """Get metrics for Prometheus."""
    if request.app[SETTINGS].metrics_port is not None:
        raise web.HTTPNotFound
    body, content_type = request.app[METRICS].render()
    return web.Response(body=body, headers={"Content-Type": content_type})


async def _readiness(request: web.Request) -> web.Response:
    studio = request.app[STUDIO]
    problem = await studio.check_ready()
    if problem is None:
        return json_response(schemas.Health(ok=True, model=studio.model_name), headers=NO_STORE)
    body = schemas.Health(ok=False, model=studio.model_name, error=problem)
    return json_response(body, 503, {**NO_STORE, "Retry-After": str(RETRY_SECONDS)})
