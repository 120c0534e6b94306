"""Endpoints that serve the pictures' files."""

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from bot.studio.downloads import CROPS, pack
from bot.web import visitors
from bot.web.api import schemas
from bot.web.api.openapi import Answer, describe
from bot.web.api.responses import has_cached
from bot.web.keys import STUDIO
from bot.web.requests import BadRequest, read_query

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
    avatars = request.app[STUDIO].avatars
    avatar = await avatars.get(request.match_info["id"], viewer=None)

    async def read() -> tuple[bytes, str]:
        picture = await avatars.picture(avatar.id, viewer=None, size=size)
        return picture.data, f"image/{picture.format}"

    kind = f"{min(size or avatar.width, avatar.width)}-recipe"
    return await _unchanging(request, f"{avatar.sha256}-{kind}", read)


@routes.get("/images/{id}/large.png")
@describe(
    {
        200: Answer("The file, which never changes.", "image/png", HEADERS),
        304: Answer("The version in If-None-Match is current."),
    },
    query=schemas.EmptyQuery,
    errors=(400, 403, 404, 429, 503),
)
async def large(request: web.Request) -> web.Response:
    """Get a picture enlarged to 512 pixels by its model's upscaler; counts as a painted one."""
    read_query(request.query, schemas.EmptyQuery)
    studio = request.app[STUDIO]
    avatar = await studio.avatars.get(request.match_info["id"], viewer=None)

    async def read() -> tuple[bytes, str]:
        visitors.require_painting_allowed(request)
        await visitors.charge(request, 1)
        return await studio.enlarging.enlarge(avatar, viewer=None), "image/png"

    return await _unchanging(request, f"{avatar.sha256}-large", read)


@routes.get("/images/{id}/{crop}.png")
@describe(
    {
        200: Answer("The file, which never changes.", "image/png", HEADERS),
        304: Answer("The version in If-None-Match is current."),
    },
    query=schemas.EmptyQuery,
    errors=(400, 404, 503),
)
async def crop(request: web.Request) -> web.Response:
    """Get a picture as a circle, in its own size or in that of Discord's emoji and stickers."""
    name = request.match_info["crop"]
    if name not in CROPS:
        raise BadRequest("web-crop", name=f"{name[:40]}.png", known=", ".join(CROPS))
    return await _converted(request, name, CROPS[name], "image/png")


@routes.get("/images/{id}/pack.zip")
@describe(
    {
        200: Answer("The zip file, which never changes.", "application/zip", HEADERS),
        304: Answer("The version in If-None-Match is current."),
    },
    query=schemas.EmptyQuery,
    errors=(400, 404, 503),
)
async def pack_of(request: web.Request) -> web.Response:
    """Get a zip file of a picture in nine sizes, as a circle, an emoji and a sticker."""
    name = f"irodori-{request.match_info['id']}"
    response = await _converted(request, "pack", partial(pack, name=name), "application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return response


async def _converted(
    request: web.Request, kind: str, convert: Callable[[bytes], bytes], content_type: str
) -> web.Response:
    """The picture in the path, converted to another file."""
    read_query(request.query, schemas.EmptyQuery)
    studio = request.app[STUDIO]
    avatar = await studio.avatars.get(request.match_info["id"], viewer=None)

    async def read() -> tuple[bytes, str]:
        picture = await studio.avatars.picture(avatar.id, viewer=None)
        return await studio.converter.run(convert, picture.data), content_type

    return await _unchanging(request, f"{avatar.sha256}-{kind}", read)


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
    avatars = request.app[STUDIO].avatars
    avatar = await avatars.get(request.match_info["id"], viewer=None)

    async def read() -> tuple[bytes, str]:
        return await avatars.thumbnail(avatar.id, viewer=None), "image/webp"

    return await _unchanging(request, f"{avatar.sha256}-thumb", read)


async def _unchanging(
    request: web.Request, tag: str, read: Callable[[], Awaitable[tuple[bytes, str]]]
) -> web.Response:
    """A file that never changes under its URL: browsers need not revalidate it. `read` returns its
    content and content type, and is not called if the client has the version of the tag.
    """
    headers = {"ETag": f'"{tag}"', "Cache-Control": "public, max-age=31536000, immutable"}
    if has_cached(request, tag):
        return web.Response(status=304, headers=headers)
    data, content_type = await read()
    return web.Response(body=data, content_type=content_type, headers=headers)
