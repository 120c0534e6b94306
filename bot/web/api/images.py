"""Endpoints that serve the pictures' files."""

import asyncio

from aiohttp import web

from bot.studio.images import scaled_png
from bot.web.api import schemas
from bot.web.api.openapi import Answer, describe
from bot.web.api.responses import has_cached
from bot.web.keys import STUDIO
from bot.web.requests import read_query

HEADERS = {"ETag": {"schema": {"type": "string"}}, "Cache-Control": {"schema": {"type": "string"}}}

routes = web.RouteTableDef()


@routes.get("/images/{id}.png")
@describe(
    {
        200: Answer("The picture, which never changes.", "image/png", HEADERS),
        304: Answer("The version in If-None-Match is current."),
    },
    query=schemas.ImageQuery,
    errors=(400, 404, 503),
)
async def image(request: web.Request) -> web.Response:
    """Get a picture's file."""
    size = read_query(request.query, schemas.ImageQuery).size
    studio = request.app[STUDIO]
    avatar = await studio.avatars.get(request.match_info["id"], viewer=None)
    scaled = size is not None and size < avatar.width
    tag = f"{avatar.sha256}-{size}" if scaled else avatar.sha256
    if has_cached(request, tag):
        return web.Response(status=304, headers=_immutable(tag))
    picture = await studio.avatars.picture(avatar.id, viewer=None)
    data, format = picture.data, picture.format
    if scaled and size is not None:
        data, format = await asyncio.to_thread(scaled_png, data, size), "png"
    return web.Response(body=data, content_type=f"image/{format}", headers=_immutable(tag))


@routes.get("/thumbs/{id}.webp")
@describe(
    {
        200: Answer("The thumbnail, which never changes.", "image/webp", HEADERS),
        304: Answer("The version in If-None-Match is current."),
    },
    errors=(400, 404, 503),
)
async def thumbnail(request: web.Request) -> web.Response:
    """Get a picture's thumbnail, 128 pixels or the picture's size if that is smaller."""
    read_query(request.query, schemas.EmptyQuery)
    studio = request.app[STUDIO]
    avatar = await studio.avatars.get(request.match_info["id"], viewer=None)
    tag = f"{avatar.sha256}-thumb"
    if has_cached(request, tag):
        return web.Response(status=304, headers=_immutable(tag))
    data = await studio.avatars.thumbnail(avatar.id, viewer=None)
    return web.Response(body=data, content_type="image/webp", headers=_immutable(tag))


def _immutable(tag: str) -> dict[str, str]:
    """A picture never changes under its id: browsers need not revalidate it."""
    return {"ETag": f'"{tag}"', "Cache-Control": "public, max-age=31536000, immutable"}
