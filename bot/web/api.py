"""The JSON face: avatars, health and figures. `openapi.json` describes all of it."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.errors import BadPrompt
from bot.prompts.parser import format_wish
from bot.showcase import Cell
from bot.studio import MAX_PAGE, VARIATIONS, Studio
from bot.web import visitors
from bot.web.keys import ENGINE, EVENTS, METRICS, SETTINGS, STUDIO
from bot.web.reading import (
    read_frames,
    read_json,
    read_limit,
    read_order,
    read_pair,
    read_query,
    read_seed,
    read_sort,
    read_wish,
    refuse_twice,
)
from db.store import Avatar, GalleryQuery, Owner

PAGE = 24  # pictures
FRAMES = 17  # of a transition, where none are asked for
MANY = 9  # pictures that a transition or an animation counts as: they are painted alike
OPENAPI = Path(__file__).with_name("openapi.json").read_bytes()

log = logging.getLogger(__name__)
routes = web.RouteTableDef()


# Painting: 201 with a list, one entry a picture


@routes.post("/api/avatars")
async def create(request: web.Request) -> web.Response:
    visitors.require_painter(request)
    order = await read_order(request)
    return await _paint(
        request,
        order.count,
        lambda studio, owner: studio.create(
            order.prompt, owner=owner, count=order.count, seed=order.seed, size=order.size
        ),
    )


@routes.post("/api/avatars/{id}/again")
async def again(request: web.Request) -> web.Response:
    """The same wish, another face."""
    visitors.require_painter(request)
    id, seed = request.match_info["id"], read_seed(await read_json(request, "seed"))
    return await _paint(request, 1, lambda studio, owner: studio.again(id, owner=owner, seed=seed))


@routes.post("/api/avatars/{id}/recolour")
async def recolour(request: web.Request) -> web.Response:
    """The same face with other values."""
    visitors.require_painter(request)
    id, wish = request.match_info["id"], read_wish(await read_json(request, "wish"))
    return await _paint(request, 1, lambda studio, owner: studio.recolour(id, wish, owner=owner))


@routes.post("/api/avatars/{id}/variations")
async def variations(request: web.Request) -> web.Response:
    """Faces near this one."""
    visitors.require_painter(request)
    id, seed = request.match_info["id"], read_seed(await read_json(request, "seed"))
    return await _paint(
        request,
        VARIATIONS,
        lambda studio, owner: studio.variations(id, owner=owner, seed=seed),
    )


@routes.post("/api/mix")
async def mix(request: web.Request) -> web.Response:
    """A child of two."""
    visitors.require_painter(request)
    body = await read_json(request, "a", "b", "seed")
    (a, b), seed = read_pair(body), read_seed(body)
    return await _paint(request, 1, lambda studio, owner: studio.mix(a, b, owner=owner, seed=seed))


@routes.get("/api/transition")
async def transition(request: web.Request) -> web.Response:
    """A strip of frames from one face to another."""
    visitors.require_painter(request)
    query = read_query(request.query, "a", "b", "frames")
    (a, b), frames = read_pair(query), read_frames(query, FRAMES)
    studio = request.app[STUDIO]
    faces = [await studio.get(id, viewer=None) for id in (a, b)]
    tag = "-".join([*(face.sha256[:20] for face in faces), studio.model_name, str(frames)])
    # An hour, and for this visitor: it must not outlive its faces by much.
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, max-age=3600"}
    if is_known(request, tag):
        return web.Response(status=304, headers=headers)
    visitors.take(request, MANY)
    painted = await studio.transition(a, b, frames, owner=_asker(request))
    headers |= {"X-Frame-Size": str(painted.size), "X-Frames": str(painted.frames)}
    return web.Response(body=painted.data, content_type="image/webp", headers=headers)


@routes.get("/api/morph.webp")
async def morph(request: web.Request) -> web.Response:
    """A looping animation through several faces, to download."""
    visitors.require_painter(request)
    ids = read_query(request.query, "ids").get("ids", "").split(",")
    for id in ids[:MANY]:
        await request.app[STUDIO].get(id, viewer=None)
    visitors.take(request, MANY)
    animation = await request.app[STUDIO].morph(ids, owner=_asker(request))
    name = "-".join(("irodori", *animation.ids))
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.webp"',
        "Cache-Control": "private, max-age=3600",
    }
    return web.Response(body=animation.data, content_type="image/webp", headers=headers)


# Looking


@routes.get("/api/avatars")
async def gallery(request: web.Request) -> web.Response:
    """A page of the gallery: `?<attribute>=<value>…&sort=…&cursor=…&limit=…`."""
    refuse_twice(request.query)
    values = _without(request.query, ("sort", "cursor", "limit"))
    page = await request.app[STUDIO].gallery(
        GalleryQuery(
            scope="everyone",
            viewer=None,
            guild=None,
            values=values,
            limit=read_limit(request.query, PAGE, MAX_PAGE),
            cursor=request.query.get("cursor"),
            sort=read_sort(request.query),
        )
    )
    return web.json_response(
        {
            "avatars": _all_as_json(request, page.avatars),
            "older": page.older,
            "newer": page.newer,
            "count": await request.app[STUDIO].count(values),
        }
    )


@routes.get("/api/avatars/{id}")
async def avatar(request: web.Request) -> web.Response:
    """One avatar with its family, and what it is to the visitor."""
    read_query(request.query)
    studio = request.app[STUDIO]
    found = await studio.get(request.match_info["id"], viewer=None)
    family = await studio.family(found)
    favourite, own = await visitors.relation(request, found)
    return web.json_response(
        {
            **as_json(found, base_of(request)),
            "parents": _all_as_json(request, family.parents),
            "children": _all_as_json(request, family.children),
            "siblings": _all_as_json(request, family.siblings),
            "favourite": favourite,
            "own": own,
        },
        headers={"Cache-Control": "private, no-cache"},
    )


@routes.get("/api/facets")
async def facets(request: web.Request) -> web.Response:
    """How many there are of each value, `?<attribute>=<value>…` considered."""
    refuse_twice(request.query)
    return web.json_response(await request.app[STUDIO].facets(request.query))


@routes.get("/api/matrix")
async def matrix(request: web.Request) -> web.Response:
    """Two attributes' values against each other, the first two where none are named."""
    query = read_query(request.query, "rows", "columns")
    studio = request.app[STUDIO]
    rows, columns = matrix_axes(studio, query)
    cells = await studio.matrix(rows, columns)
    base = base_of(request)
    return web.json_response(
        {
            "rows": rows,
            "columns": columns,
            "cells": {
                row: {column: _cell_as_json(cell, base) for column, cell in across.items()}
                for row, across in cells.items()
            },
        }
    )


@routes.get("/api/events")
async def events(request: web.Request) -> web.StreamResponse:
    """New public pictures as they are painted, as server-sent events."""
    return await request.app[EVENTS].stream(request)


@routes.get("/api/wish")
async def wish(request: web.Request) -> web.Response:
    """How a prompt is read, for pages that show it while it is typed."""
    prompt = read_query(request.query, "prompt").get("prompt", "")
    read = request.app[STUDIO].read(prompt)
    return web.json_response({"wish": read, "prompt": format_wish(read)})


# Changing


@routes.post("/api/avatars/{id}/favourite")
async def favourite(request: web.Request) -> web.Response:
    """Turns it over."""
    visitors.require_same_origin(request)
    await read_json(request)
    token = visitors.token_of(request) or visitors.new_token()
    studio = request.app[STUDIO]
    found = await studio.get(request.match_info["id"], viewer=None)
    state, count = await studio.favourite(found.id, visitors.owner_of(token))
    response = web.json_response({"favourite": state, "favourites": count})
    visitors.remember(request, response, token)
    return response


@routes.delete("/api/avatars/{id}")
async def delete(request: web.Request) -> web.Response:
    """One's own; 204."""
    visitors.require_same_origin(request)
    await read_json(request)
    found = await request.app[STUDIO].get(request.match_info["id"], viewer=None)
    await request.app[STUDIO].delete(found.id, _asker(request))
    return web.Response(status=204)


# About the bot


@routes.get("/api/openapi.json")
async def openapi(request: web.Request) -> web.Response:
    return web.Response(body=OPENAPI, content_type="application/json")


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


def as_json(avatar: Avatar, base: str) -> dict[str, Any]:
    """What the API tells of an avatar; its addresses begin with `base`."""
    return {
        "id": avatar.id,
        "prompt": avatar.prompt,
        "wish": dict(avatar.wish),
        "conditions": dict(avatar.conditions),
        "seed": avatar.seed,
        "model": avatar.model,
        "url": f"{base}/a/{avatar.id}",
        "image_url": f"{base}/images/{avatar.id}.png",
        "thumb_url": f"{base}/thumbs/{avatar.id}.webp",
        "width": avatar.width,
        "height": avatar.height,
        "created": avatar.created.isoformat(),
        "favourites": avatar.favourites,
        "parents": list(avatar.parents),
    }


def base_of(request: web.Request) -> str:
    """What addresses begin with: they are whole where `web.public_url` is set."""
    return request.app[SETTINGS].public_url.rstrip("/")


def matrix_axes(studio: Studio, query: Mapping[str, str]) -> tuple[str, str]:
    """The attributes of the rows and of the columns: as asked, or the first ones that there are.

    Raises BadPrompt for a model that has less than two.
    """
    names = [attribute.name for attribute in studio.attributes]
    if len(names) < 2:
        raise BadPrompt("matrix-none")
    rows = query.get("rows") or next(name for name in names if name != query.get("columns"))
    columns = query.get("columns") or next(name for name in names if name != rows)
    return rows, columns


def is_known(request: web.Request, tag: str) -> bool:
    """Whether the browser has what this ETag stands for already."""
    return any(known.value in (tag, "*") for known in request.if_none_match or ())


async def _paint(
    request: web.Request,
    pictures: int,
    paint: Callable[[Studio, Owner], Awaitable[list[Avatar]]],
) -> web.Response:
    """Raises TooSoon, and what the studio does. The visitor is known from then on."""
    visitors.take(request, pictures)
    token = visitors.token_of(request) or visitors.new_token()
    avatars = await paint(request.app[STUDIO], visitors.owner_of(token))
    response = web.json_response(_all_as_json(request, avatars), status=201)
    visitors.remember(request, response, token)
    return response


def _asker(request: web.Request) -> Owner:
    """The visitor, or somebody nobody knows."""
    return visitors.owner_of(visitors.token_of(request) or visitors.new_token())


def _all_as_json(request: web.Request, avatars: Iterable[Avatar]) -> list[dict[str, Any]]:
    base = base_of(request)
    return [as_json(avatar, base) for avatar in avatars]


def _cell_as_json(cell: Cell, base: str) -> dict[str, Any]:
    return {
        "count": cell.count,
        "id": cell.newest,
        "url": f"{base}/a/{cell.newest}",
        "thumb_url": f"{base}/thumbs/{cell.newest}.webp",
    }


def _without(query: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    return {key: value for key, value in query.items() if key not in keys}
