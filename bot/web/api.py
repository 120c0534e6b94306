"""The JSON face: avatars, health and figures."""

import logging
from typing import Any

from aiohttp import web

from bot.prompt import format_wish
from bot.studio import MAX_PAGE
from bot.web import visitors
from bot.web.keys import ENGINE, METRICS, SETTINGS, STUDIO
from bot.web.reading import BadRequest, read_limit, read_order, refuse_twice
from db.store import Avatar, GalleryQuery

PAGE = 24  # pictures

log = logging.getLogger(__name__)
routes = web.RouteTableDef()


@routes.post("/api/avatars")
async def create(request: web.Request) -> web.Response:
    """Paint; 201 with a list, one entry a picture."""
    visitors.require_painter(request)
    order = await read_order(request)
    token = visitors.token_of(request) or visitors.new_token()
    avatars = await request.app[STUDIO].create(
        order.prompt, owner=visitors.owner_of(token), count=order.count, seed=order.seed
    )
    response = web.json_response([as_json(request, avatar) for avatar in avatars], status=201)
    visitors.remember(request, response, token)
    return response


@routes.get("/api/avatars")
async def gallery(request: web.Request) -> web.Response:
    """A page of the gallery, newest first: `?<attribute>=<value>…&cursor=…&limit=…`."""
    refuse_twice(request.query)
    values = {key: value for key, value in request.query.items() if key not in ("cursor", "limit")}
    page = await request.app[STUDIO].gallery(
        GalleryQuery(
            scope="everyone",
            viewer=None,
            guild=None,
            values=values,
            limit=read_limit(request.query, PAGE, MAX_PAGE),
            cursor=request.query.get("cursor"),
        )
    )
    return web.json_response(
        {
            "avatars": [as_json(request, avatar) for avatar in page.avatars],
            "older": page.older,
            "newer": page.newer,
        }
    )


@routes.get("/api/wish")
async def wish(request: web.Request) -> web.Response:
    """How a prompt is read, for pages that show it while it is typed."""
    refuse_twice(request.query)
    if unknown := [key for key in request.query if key != "prompt"]:
        raise BadRequest(f"unknown key {unknown[0][:40]!r}; known: prompt")
    read = request.app[STUDIO].read(request.query.get("prompt", ""))
    return web.json_response({"wish": read, "prompt": format_wish(read)})


@routes.get("/healthz")
async def health(request: web.Request) -> web.Response:
    """200 while pictures can be painted and kept."""
    studio = request.app[STUDIO]
    query = GalleryQuery(scope="everyone", viewer=None, guild=None, values={}, limit=1)
    try:
        await studio.gallery(query)
    except Exception:
        log.exception("the database does not answer")
        answer = {"ok": False, "model": studio.model_name, "error": "the database does not answer"}
        return web.json_response(answer, status=503)
    return web.json_response({"ok": True, "model": studio.model_name})


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    engine = request.app[ENGINE]
    text = request.app[METRICS].text(engine.model.name, engine.stats)
    return web.Response(
        body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )


def as_json(request: web.Request, avatar: Avatar) -> dict[str, Any]:
    """What the API tells of an avatar. Addresses are whole where `web.public_url` is set."""
    base = request.app[SETTINGS].public_url.rstrip("/")
    return {
        "id": avatar.id,
        "prompt": avatar.prompt,
        "wish": dict(avatar.wish),
        "conditions": dict(avatar.conditions),
        "seed": avatar.seed,
        "model": avatar.model,
        "url": f"{base}/a/{avatar.id}",
        "image_url": f"{base}/images/{avatar.id}.png",
    }
