"""Endpoints that read the gallery, and that change favorites and a visitor's own pictures."""

from aiohttp import web

from bot.web import visitors
from bot.web.api import schemas
from bot.web.api.openapi import JSON_ERRORS, Answer, describe
from bot.web.api.responses import avatar_bodies, base_url, cell_body, family_body, json_response
from bot.web.keys import STUDIO
from bot.web.matrix import choose_axes
from bot.web.requests import completed, read_body, read_query
from db.records import GalleryQuery

routes = web.RouteTableDef()


@routes.get("/api/avatars")
@describe({200: Answer("The page.", schemas.Page)}, query=schemas.PageQuery, errors=(400, 503))
async def gallery(request: web.Request) -> web.Response:
    """List the public pictures, page by page."""
    query = read_query(request.query, schemas.PageQuery)
    studio, base = request.app[STUDIO], base_url(request)
    page = await studio.gallery.page(
        GalleryQuery(
            scope="everyone",
            viewer=None,
            guild=None,
            values=query.values,
            limit=query.limit,
            cursor=query.cursor,
            sort=query.sort,
        )
    )
    return json_response(
        schemas.Page(
            avatars=avatar_bodies(page.avatars, base),
            older=page.older,
            newer=page.newer,
            count=await studio.gallery.count(query.values),
        )
    )


@routes.get("/api/mine")
@describe({200: Answer("The page.", schemas.MinePage)}, query=schemas.MineQuery, errors=(400, 503))
async def mine(request: web.Request) -> web.Response:
    """List the visitor's own pictures or favorites, page by page, the newest first."""
    page = await visitors.own_page(request, read_query(request.query, schemas.MineQuery))
    body = schemas.MinePage(
        avatars=avatar_bodies(page.avatars, base_url(request)), older=page.older, newer=page.newer
    )
    return json_response(body, headers={"Cache-Control": "private, no-cache"})


@routes.get("/api/avatars/{id}")
@describe({200: Answer("The picture.", schemas.AvatarWithFamily)}, errors=(400, 404, 503))
async def avatar(request: web.Request) -> web.Response:
    """Get a picture and its family."""
    read_query(request.query, schemas.EmptyQuery)
    studio = request.app[STUDIO]
    found = await studio.avatars.get(request.match_info["id"], viewer=None)
    family = await studio.avatars.family(found)
    body = family_body(
        found,
        base_url(request),
        await visitors.relation(request, found),
        parents=family.parents,
        children=family.children,
        siblings=family.siblings,
    )
    return json_response(body, headers={"Cache-Control": "private, no-cache"})


@routes.get("/api/facets")
@describe(
    {200: Answer("Counts by attribute and value.", schemas.Facets)},
    query=schemas.FilterQuery,
    errors=(400, 503),
)
async def facets(request: web.Request) -> web.Response:
    """Count the public pictures with each value.

    The values of an attribute are counted under the filters of the other attributes.
    """
    query = read_query(request.query, schemas.FilterQuery)
    return web.json_response(await request.app[STUDIO].gallery.facets(query.values))


@routes.get("/api/matrix")
@describe(
    {200: Answer("The matrix.", schemas.Matrix)}, query=schemas.MatrixQuery, errors=(400, 503)
)
async def matrix(request: web.Request) -> web.Response:
    """Count the public pictures with each pair of values of two attributes."""
    query = read_query(request.query, schemas.MatrixQuery)
    studio, base = request.app[STUDIO], base_url(request)
    rows, columns = choose_axes(studio.attributes, query.rows, query.columns)
    cells = await studio.gallery.matrix(rows, columns)
    return json_response(
        schemas.Matrix(
            rows=rows,
            columns=columns,
            cells={
                row: {column: cell_body(cell, base) for column, cell in across.items()}
                for row, across in cells.items()
            },
        )
    )


@routes.get("/api/wish")
@describe({200: Answer("The wish.", schemas.Prompt)}, query=schemas.PromptQuery, errors=(400,))
async def wish(request: web.Request) -> web.Response:
    """Parse a prompt without painting it."""
    query = read_query(request.query, schemas.PromptQuery)
    reading = request.app[STUDIO].painting.explain(query.prompt)
    return json_response(
        schemas.Prompt(
            wish=dict(reading.wish),
            shape=dict(reading.shape),
            prompt=reading.used,
            unused=list(reading.unused),
        )
    )


@routes.post("/api/avatars/{id}/favourite")
@describe(
    {200: Answer("The new state.", schemas.Favorite)}, errors=(*JSON_ERRORS, 403, 404, 429, 503)
)
@completed
async def favourite(request: web.Request) -> web.Response:
    """Add a picture to the visitor's favorites, or remove it from them. It counts as painting a
    picture in the rate limit.
    """
    visitors.require_same_origin(request)
    await read_body(request, schemas.EmptyRequest)
    await visitors.charge(request, 1)  # without a cookie, every request is another visitor
    token = visitors.token_of(request) or visitors.new_token()
    studio = request.app[STUDIO]
    found = await studio.avatars.get(request.match_info["id"], viewer=None)
    state, count = await studio.avatars.toggle_favorite(found.id, visitors.owner_of(token))
    response = json_response(schemas.Favorite(favourite=state, favourites=count))
    visitors.remember(request, response, token)
    return response


@routes.post("/api/avatars/{id}/report")
@describe(
    {204: Answer("It is reported.")},
    body=schemas.ReportRequest,
    errors=(*JSON_ERRORS, 403, 404, 429, 503),
)
@completed
async def report(request: web.Request) -> web.Response:
    """Report a picture to the operator of the bot. It counts as painting a picture in the rate
    limit.
    """
    visitors.require_same_origin(request)
    given = await read_body(request, schemas.ReportRequest)
    await visitors.charge(request, 1)
    token = visitors.token_of(request) or visitors.new_token()
    id, owner = request.match_info["id"], visitors.owner_of(token)
    await request.app[STUDIO].reports.report(id, owner, given.reason)
    response = web.Response(status=204)
    visitors.remember(request, response, token)
    return response


@routes.delete("/api/avatars/{id}")
@describe({204: Answer("It is deleted permanently.")}, errors=(*JSON_ERRORS, 403, 404, 503))
@completed
async def delete(request: web.Request) -> web.Response:
    """Delete one of the visitor's own pictures."""
    visitors.require_same_origin(request)
    await read_body(request, schemas.EmptyRequest)
    found = await request.app[STUDIO].avatars.get(request.match_info["id"], viewer=None)
    await request.app[STUDIO].avatars.delete(found.id, visitors.current_owner(request))
    return web.Response(status=204)
