"""The pages that show pictures: the gallery, the visitor's own pictures, the matrix, and one
picture with its family.
"""

from datetime import UTC, datetime
from urllib.parse import urlencode

from aiohttp import web

from bot.prompts.wish import check_wish
from bot.studio.downloads import CROPS
from bot.studio.enlarging import LARGE
from bot.studio.reports import MAX_REASON
from bot.web import visitors
from bot.web.api.schemas import (
    IMAGE_SIZES,
    PAGE_SIZE,
    WISH_PREFIX,
    MatrixQuery,
    MineQuery,
    PageQuery,
)
from bot.web.keys import STUDIO
from bot.web.matrix import choose_axes
from bot.web.pages.link import link_panel
from bot.web.pages.render import gallery_url, render
from bot.web.requests import known_keys, read_query
from db.records import GalleryQuery

routes = web.RouteTableDef()


@routes.get("/gallery")
async def gallery_page(request: web.Request) -> web.Response:
    """`?<attribute>=<value>…&sort=…&cursor=…`"""
    studio = request.app[STUDIO]
    attributes = [a.name for a in studio.attributes]
    known = {*PageQuery.model_fields, *attributes, *(f"{WISH_PREFIX}{name}" for name in attributes)}
    query = read_query(known_keys(request.query, known), PageQuery)
    filters = check_wish(query.values, studio.attributes)
    page = await studio.gallery.page(
        GalleryQuery(
            scope="everyone",
            viewer=None,
            guild=None,
            values=filters,
            limit=PAGE_SIZE,
            cursor=query.cursor,
            sort=query.sort,
        )
    )
    return render(
        request,
        "gallery.html",
        attributes=studio.attributes,
        filters=filters,
        sort=query.sort,
        avatars=page.avatars,
        banner=await studio.community.bracket.banner(datetime.now(UTC)),
        count=await studio.gallery.count(filters),
        facets=await studio.gallery.facets(filters),
        older=page.older and gallery_url(filters, query.sort, page.older),
        newer=page.newer and gallery_url(filters, query.sort, page.newer),
    )


@routes.get("/mine")
async def mine_page(request: web.Request) -> web.Response:
    """The visitor's own pictures, or with `?scope=favourites` the favorites."""
    query = read_query(known_keys(request.query, MineQuery.model_fields), MineQuery)
    page = await visitors.own_page(request, query)
    base = {"scope": query.scope} if query.scope != "mine" else {}
    links = {
        name: cursor and f"/mine?{urlencode({**base, 'cursor': cursor})}"
        for name, cursor in (("older", page.older), ("newer", page.newer))
    }
    return render(
        request,
        "mine.html",
        scope=query.scope,
        avatars=page.avatars,
        older=links["older"],
        newer=links["newer"],
        link=await link_panel(request),
    )


@routes.get("/matrix")
async def matrix_page(request: web.Request) -> web.Response:
    """`?rows=<attribute>&columns=<attribute>`"""
    query = read_query(known_keys(request.query, MatrixQuery.model_fields), MatrixQuery)
    studio = request.app[STUDIO]
    rows, columns = choose_axes(studio.attributes, query.rows, query.columns)
    cells = await studio.gallery.matrix(rows, columns)
    by_name = {attribute.name: attribute for attribute in studio.attributes}
    return render(
        request,
        "matrix.html",
        attributes=studio.attributes,
        rows=by_name[rows],
        columns=by_name[columns],
        cells=cells,
    )


@routes.get("/a/{id}")
async def avatar_page(request: web.Request) -> web.Response:
    studio = request.app[STUDIO]
    avatar = await studio.avatars.get(request.match_info["id"], viewer=None)
    favorite, own = await visitors.relation(request, avatar)
    # Links with values that the model in use does not have would lead to an error.
    values_in_use = {attribute.name: attribute.values for attribute in studio.attributes}
    in_use = {n: v for n, v in avatar.conditions.items() if v in values_in_use.get(n, ())}
    return render(
        request,
        "avatar.html",
        avatar=avatar,
        image_sizes=IMAGE_SIZES,
        large=LARGE,
        crops=CROPS,
        max_reason=MAX_REASON,
        in_use=in_use,
        wish={name: value for name, value in avatar.wish.items() if name in in_use},
        model_in_use=studio.painting.is_model_in_use(avatar),
        repeatable=studio.painting.is_repeatable(avatar),
        family=await studio.avatars.family(avatar),
        favorite=favorite,
        own=own,
    )
