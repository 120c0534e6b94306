"""Admin page of the pictures: hide them from everybody but their owners, or show them again."""

import logging

from aiohttp import web

from bot.web.admin.sessions import PATH
from bot.web.api.responses import has_cached
from bot.web.api.schemas import EmptyRequest, Schema
from bot.web.keys import STUDIO
from bot.web.pages.render import render
from bot.web.requests import completed, read_body, read_query
from db.records import GalleryQuery, Page, Scope

NEWEST = 24  # pictures per list

log = logging.getLogger(__name__)
routes = web.RouteTableDef()


class ListsQuery(Schema):
    """The pages of the two lists."""

    cursor: str = ""
    """A cursor of the public pictures."""
    hidden: str = ""
    """A cursor of the hidden pictures."""


@routes.get(f"{PATH}/pictures")
async def pictures_page(request: web.Request) -> web.Response:
    query = read_query(request.query, ListsQuery)

    async def page(scope: Scope, cursor: str) -> Page:
        return await request.app[STUDIO].gallery.page(
            GalleryQuery(scope, None, None, {}, limit=NEWEST, cursor=cursor or None)
        )

    return render(
        request,
        "admin/pictures.html",
        public=await page("everyone", query.cursor),
        hidden=await page("hidden", query.hidden),
    )


@routes.get(f"{PATH}/thumbs/{{id}}.webp")
async def admin_thumbnail(request: web.Request) -> web.Response:
    """A thumbnail, also of a hidden picture."""
    studio = request.app[STUDIO]
    avatar = await studio.avatars.get(request.match_info["id"], viewer=None, moderator=True)
    tag = f"{avatar.sha256}-thumb"
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    if has_cached(request, tag):
        return web.Response(status=304, headers=headers)
    data = await studio.avatars.thumbnail(avatar.id, viewer=None, moderator=True)
    return web.Response(body=data, content_type="image/webp", headers=headers)


@routes.post(f"{PATH}/pictures/{{id}}/hide")
@completed
async def hide(request: web.Request) -> web.Response:
    return await _set_hidden(request, True)


@routes.post(f"{PATH}/pictures/{{id}}/show")
@completed
async def show(request: web.Request) -> web.Response:
    return await _set_hidden(request, False)


async def _set_hidden(request: web.Request, hidden: bool) -> web.Response:
    await read_body(request, EmptyRequest)
    avatar = await request.app[STUDIO].avatars.set_hidden(request.match_info["id"], hidden)
    log.info("picture %s is %s", avatar.id, "hidden" if hidden else "public again")
    return web.json_response({"id": avatar.id, "hidden": avatar.hidden})
