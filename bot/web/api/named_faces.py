"""Endpoints that serve the faces of names, for pages of other sites. Nothing is stored."""

from typing import cast, get_args

from aiohttp import web

from bot.studio.named_faces import FaceFile, Format
from bot.web import visitors
from bot.web.api import schemas
from bot.web.api.openapi import Answer, describe
from bot.web.api.responses import has_cached
from bot.web.keys import STUDIO
from bot.web.requests import BadRequest, read_query

PREFIX = "/avatar/"
FOREVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600, must-revalidate"
OTHER_SITES = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

routes = web.RouteTableDef()

_described = describe(
    {
        200: Answer(
            "The face.",
            "image/png, image/webp",
            {
                "ETag": {"schema": {"type": "string"}, "required": True},
                "Cache-Control": {"schema": {"type": "string"}, "required": True},
            },
        ),
        304: Answer("The version in If-None-Match is current."),
    },
    query=schemas.NamedFaceQuery,
    errors=(400, 403, 404, 429, 503),
)


@routes.get("/avatar/{name:[^/]+}.{format}")
@_described
async def named_face(request: web.Request) -> web.Response:
    """Get the face of a name.

    A name always has the same face, as long as the same model is in use. Pages of other sites may
    read it, too.
    """
    return await _answer(request)


@routes.get("/avatar/{values}/{name:[^/]+}.{format}")
@_described
async def named_face_with_values(request: web.Request) -> web.Response:
    """Get the face of a name with these values."""
    return await _answer(request)


@routes.get("/avatar/v/{model}/{name:[^/]+}.{format}")
@_described
async def named_face_by_model(request: web.Request) -> web.Response:
    """Get the face of a name by this model: it never changes."""
    return await _answer(request)


@routes.get("/avatar/v/{model}/{values}/{name:[^/]+}.{format}")
@_described
async def named_face_by_model_with_values(request: web.Request) -> web.Response:
    """Get the face of a name by this model, with these values: it never changes."""
    return await _answer(request)


async def allow_other_sites(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: pages of other sites may read faces by name, and their errors."""
    if request.path.startswith(PREFIX):
        response.headers.update(OTHER_SITES)


async def _answer(request: web.Request) -> web.Response:
    part = request.match_info.get
    format = part("format", "").lower()
    if format not in get_args(Format):
        raise BadRequest("web-format", format=f".{format[:40]}")
    size = read_query(request.query, schemas.NamedFaceQuery).size
    faces = request.app[STUDIO].named_faces
    face = faces.identify(part("name", ""), part("values", ""), part("model"))
    face = face.in_file(cast(Format, format), size)
    file = faces.cached(face)
    if file is None:
        visitors.require_painting_allowed(request)
        await visitors.charge_named_faces(request, faces.cost(face))
        file = await faces.paint(face, user=f"name:{visitors.address_of(request)}")
    headers = _headers(file, pinned="model" in request.match_info)
    if has_cached(request, file.tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=file.data, content_type=f"image/{format}", headers=headers)


def _headers(file: FaceFile, pinned: bool) -> dict[str, str]:
    return {"ETag": f'"{file.tag}"', "Cache-Control": FOREVER if pinned else FOR_AN_HOUR}
