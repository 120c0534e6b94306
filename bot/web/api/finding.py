"""Endpoints of searches for a face by choosing. A search is in the query; nothing is stored."""

import asyncio
from urllib.parse import urlencode

from aiohttp import web

from bot.studio import Request
from bot.studio.finding import prompt_of, read_choices, read_path
from bot.studio.images import strip
from bot.studio.search import FACES, ROUNDS, Search, format_choices
from bot.web import visitors
from bot.web.api import schemas
from bot.web.api.openapi import PAINTING_ERRORS, Answer, describe
from bot.web.api.painting import PAINTED, paint_avatars
from bot.web.api.responses import json_response
from bot.web.keys import STUDIO
from bot.web.requests import read_body, read_query

routes = web.RouteTableDef()


@routes.get("/api/find")
@describe(
    {200: Answer("The faces of a sheet, which is not painted.", schemas.Sheet)},
    query=schemas.FindQuery,
    errors=(400, 403, 404, 429, 503),
)
async def sheet(request: web.Request) -> web.Response:
    """Search for a face: nine faces, or nine that are nearer to the chosen ones."""
    visitors.require_painter(request)
    search = await _read_search(request)
    faces = await request.app[STUDIO].finding.describe(search)
    prompt, choices = prompt_of(search), format_choices(search.choices)
    query = {"prompt": prompt, "seed": search.seed, "choices": choices, "model": search.model}
    return json_response(
        schemas.Sheet(
            prompt=prompt,
            wish=dict(search.wish),
            seed=search.seed,
            model=search.model,
            choices=choices,
            round=search.round,
            rounds=ROUNDS,
            faces=[schemas.Face(conditions=dict(conditions)) for conditions in faces],
            image_url=f"/api/find.webp?{urlencode(query)}",
        )
    )


@routes.get("/api/find.webp")
@describe(
    {200: Answer("Nine square faces, side by side.", "image/webp")},
    query=schemas.FindQuery,
    errors=(400, 403, 404, 429, 503),
)
async def sheet_image(request: web.Request) -> web.Response:
    """Paint the faces of a sheet, as a strip.

    Counts as nine pictures.
    """
    visitors.require_painter(request)
    search = await _read_search(request)
    await visitors.charge(request, FACES)
    owner = visitors.current_owner(request)
    painted = await request.app[STUDIO].finding.paint(search, Request(owner))
    return web.Response(
        body=await asyncio.to_thread(strip, painted.images),
        content_type="image/webp",
        headers={"Cache-Control": "private, max-age=3600"},  # so that undo paints nothing
    )


@routes.post("/api/find")
@describe(PAINTED, body=schemas.AdoptRequest, errors=(*PAINTING_ERRORS, 404))
async def adopt(request: web.Request) -> web.Response:
    """Store one face of a sheet as a picture of the visitor."""
    visitors.require_painter(request)
    body = await read_body(request, schemas.AdoptRequest)
    before, number = read_path(body.choices)
    search = await request.app[STUDIO].finding.open(
        body.prompt, body.seed, choices=before, model=body.model
    )
    return await paint_avatars(
        request,
        1,
        lambda studio, owner: studio.finding.adopt(search, number, Request(owner), size=body.size),
    )


async def _read_search(request: web.Request) -> Search:
    """Raises BadPrompt, TooSoon, NotFound, ModelUnavailable."""
    query = read_query(request.query, schemas.FindQuery)
    studio = request.app[STUDIO]
    if query.model not in ("", studio.model_name):
        await visitors.charge(request, 1)  # the model may have to be loaded
    return await studio.finding.open(
        query.prompt,
        query.seed,
        choices=read_choices(query.choices),
        model=query.model or None,
    )
