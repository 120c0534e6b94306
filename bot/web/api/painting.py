"""Endpoints that paint; all but the animations answer 201 with a list, one entry per picture."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.studio import Request, Studio
from bot.web import visitors
from bot.web.api import schemas
from bot.web.api.openapi import PAINTING_ERRORS, Answer, describe
from bot.web.api.responses import avatar_bodies, base_url, has_cached, json_response
from bot.web.keys import STUDIO
from bot.web.requests import read_body, read_query
from db.records import Avatar, Owner
from db.tasks import VARIATIONS

ANIMATION_COST = 9  # pictures that an animation uses of the rate limit

PAINTED = {
    201: Answer(
        "The pictures, in the order of their seeds.",
        list[schemas.Avatar],
        {
            "Set-Cookie": {
                "description": "A token that lets the visitor delete these pictures.",
                "schema": {"type": "string"},
            }
        },
    )
}
ETAG = {"ETag": {"schema": {"type": "string"}}, "Cache-Control": {"schema": {"type": "string"}}}

routes = web.RouteTableDef()


@routes.post("/api/avatars")
@describe(PAINTED, body=schemas.PaintRequest, errors=PAINTING_ERRORS)
async def create(request: web.Request) -> web.Response:
    """Paint pictures."""
    visitors.require_painter(request)
    body = await read_body(request, schemas.PaintRequest)
    return await paint_avatars(
        request,
        body.count,
        lambda studio, owner: studio.painting.create(
            body.prompt, Request(owner), count=body.count, seed=body.seed, size=body.size
        ),
    )


@routes.get("/api/queue")
@describe({200: Answer("The position.", schemas.Queue)}, query=schemas.EmptyQuery, errors=(400,))
async def queue(request: web.Request) -> web.Response:
    """Show how many pictures are painted before the visitor's next one."""
    read_query(request.query, schemas.EmptyQuery)
    owner = visitors.current_owner(request)
    before = request.app[STUDIO].painting.queue_position(owner)
    return json_response(schemas.Queue(before=before), headers={"Cache-Control": "no-store"})


@routes.post("/api/avatars/{id}/again")
@describe(PAINTED, body=schemas.SeedRequest, errors=(*PAINTING_ERRORS, 404))
async def again(request: web.Request) -> web.Response:
    """Paint the same wish with another seed."""
    visitors.require_painter(request)
    id, body = request.match_info["id"], await read_body(request, schemas.SeedRequest)
    return await paint_avatars(
        request, 1, lambda studio, owner: studio.painting.again(id, Request(owner), seed=body.seed)
    )


@routes.post("/api/avatars/{id}/recolour")
@describe(PAINTED, body=schemas.RecolorRequest, errors=(*PAINTING_ERRORS, 404))
async def recolour(request: web.Request) -> web.Response:
    """Paint the same face with other values."""
    visitors.require_painter(request)
    id, body = request.match_info["id"], await read_body(request, schemas.RecolorRequest)
    return await paint_avatars(
        request, 1, lambda studio, owner: studio.family.recolor(id, body.wish, Request(owner))
    )


@routes.get("/api/avatars/{id}/shape")
@describe({200: Answer("The shape.", schemas.Directions)}, errors=(404, 503))
async def shape_of(request: web.Request) -> web.Response:
    """Show where a face is on the latent directions of its model."""
    studio = request.app[STUDIO]
    avatar = await studio.avatars.get(request.match_info["id"], viewer=None)
    return json_response(schemas.Directions(shape=await studio.shaping.positions(avatar)))


@routes.post("/api/avatars/{id}/shape")
@describe(PAINTED, body=schemas.ShapeRequest, errors=(*PAINTING_ERRORS, 404))
async def shape(request: web.Request) -> web.Response:
    """Paint the same face moved along latent directions."""
    visitors.require_painter(request)
    id, body = request.match_info["id"], await read_body(request, schemas.ShapeRequest)
    return await paint_avatars(
        request, 1, lambda studio, owner: studio.shaping.shape(id, body.shape, Request(owner))
    )


@routes.post("/api/avatars/{id}/shape/preview")
@describe(
    {200: Answer("The picture, at most 128 pixels. It is not stored.", "image/webp")},
    body=schemas.ShapeRequest,
    errors=(*PAINTING_ERRORS, 404),
)
async def shape_preview(request: web.Request) -> web.Response:
    """Paint a small preview of a shape.

    Counts as one picture.
    """
    visitors.require_painter(request)
    id, body = request.match_info["id"], await read_body(request, schemas.ShapeRequest)
    studio = request.app[STUDIO]
    await studio.avatars.get(id, viewer=None)
    await visitors.charge(request, 1)
    data = await studio.shaping.preview(id, body.shape, Request(visitors.current_owner(request)))
    return web.Response(body=data, content_type="image/webp", headers={"Cache-Control": "no-store"})


@routes.post("/api/avatars/{id}/variations")
@describe(PAINTED, body=schemas.SeedRequest, errors=(*PAINTING_ERRORS, 404))
async def variations(request: web.Request) -> web.Response:
    """Paint nine faces similar to this one."""
    visitors.require_painter(request)
    id, body = request.match_info["id"], await read_body(request, schemas.SeedRequest)
    return await paint_avatars(
        request,
        VARIATIONS,
        lambda studio, owner: studio.family.variations(id, Request(owner), seed=body.seed),
    )


@routes.post("/api/mix")
@describe(PAINTED, body=schemas.MixRequest, errors=(*PAINTING_ERRORS, 404))
async def mix(request: web.Request) -> web.Response:
    """Paint a child of two pictures."""
    visitors.require_painter(request)
    body = await read_body(request, schemas.MixRequest)
    return await paint_avatars(
        request,
        1,
        lambda studio, owner: studio.family.mix(body.a, body.b, Request(owner), seed=body.seed),
    )


@routes.get("/api/transition")
@describe(
    {
        200: Answer(
            "Square frames, side by side.",
            "image/webp",
            {
                **ETAG,
                "X-Frames": {"required": True, "schema": {"type": "integer"}},
                "X-Frame-Size": {
                    "required": True,
                    "description": "Pixels.",
                    "schema": {"type": "integer"},
                },
            },
        ),
        304: Answer("The version in If-None-Match is current."),
    },
    query=schemas.TransitionQuery,
    errors=(400, 403, 404, 429, 503),
)
async def transition(request: web.Request) -> web.Response:
    """Paint the transition from one face to another, as a strip of frames.

    Counts as nine pictures.
    """
    visitors.require_painter(request)
    query = read_query(request.query, schemas.TransitionQuery)
    studio = request.app[STUDIO]
    faces = [await studio.avatars.get(id, viewer=None) for id in (query.a, query.b)]
    tag = "-".join([*(f.sha256[:20] for f in faces), studio.model_name, str(query.frames)])
    # Private and short-lived, because the faces may be deleted.
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, max-age=3600"}
    if has_cached(request, tag):
        return web.Response(status=304, headers=headers)
    await visitors.charge(request, ANIMATION_COST)
    painted = await studio.animations.transition(
        query.a, query.b, query.frames, Request(visitors.current_owner(request))
    )
    headers |= {"X-Frame-Size": str(painted.size), "X-Frames": str(painted.frames)}
    return web.Response(body=painted.data, content_type="image/webp", headers=headers)


@routes.get("/api/morph.webp")
@describe(
    {200: Answer("An animated WebP.", "image/webp")},
    query=schemas.MorphQuery,
    errors=(400, 403, 404, 429, 503),
)
async def morph(request: web.Request) -> web.Response:
    """Paint a looping animation through two to five faces.

    Counts as nine pictures.
    """
    visitors.require_painter(request)
    ids = read_query(request.query, schemas.MorphQuery).ids
    for id in ids[:ANIMATION_COST]:
        await request.app[STUDIO].avatars.get(id, viewer=None)
    await visitors.charge(request, ANIMATION_COST)
    animation = await request.app[STUDIO].animations.morph(
        ids, Request(visitors.current_owner(request))
    )
    name = "-".join(("irodori", *animation.ids))
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.webp"',
        "Cache-Control": "private, max-age=3600",
    }
    return web.Response(body=animation.data, content_type="image/webp", headers=headers)


async def paint_avatars(
    request: web.Request,
    pictures: int,
    paint: Callable[[Studio, Owner], Awaitable[list[Avatar]]],
) -> web.Response:
    """Charges the rate limit, paints and sets the visitor's cookie.

    Raises TooSoon, and what the studio raises.
    """
    await visitors.charge(request, pictures)
    token = visitors.token_of(request) or visitors.new_token()
    avatars = await paint(request.app[STUDIO], visitors.owner_of(token))
    response = json_response(avatar_bodies(avatars, base_url(request)), status=201)
    visitors.remember(request, response, token)
    return response
