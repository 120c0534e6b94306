"""The pages that people see, the pictures on them, and the form that works without JavaScript."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.errors import BadPrompt, Refusal
from bot.i18n.messages import describe
from bot.pictures import scaled_png
from bot.prompts.colors import COLOURS
from bot.prompts.parser import MAX_LENGTH, check_wish, format_wish
from bot.web import visitors
from bot.web.api import PAGE, base_of, is_known, matrix_axes
from bot.web.keys import STUDIO, TEMPLATES
from bot.web.reading import (
    SIZES,
    read_fields,
    read_form,
    read_query,
    read_size,
    read_sort,
    refuse_twice,
)
from bot.web.status import status_of
from db.store import Avatar, GalleryQuery
from export.manifest import Attribute

NEWEST = 12  # pictures that the studio shows of the gallery
FIELD = "wish."  # the swatches' names in the form: an attribute may be called "prompt"

routes = web.RouteTableDef()


@routes.get("/")
async def studio_page(request: web.Request) -> web.Response:
    refuse_twice(request.query)
    prompt = request.query.get("prompt", "")
    try:
        wish = request.app[STUDIO].read(prompt)
    except BadPrompt as error:
        return await _studio(request, prompt, {}, str(error), status=400)
    return await _studio(request, prompt, wish)


@routes.post("/paint")
async def paint(request: web.Request) -> web.Response:
    """The form, sent without JavaScript: paints, and leads to the picture's page."""
    visitors.require_painter(request)
    visitors.take(request, 1)
    form = await read_fields(request)
    swatches = {
        key.removeprefix(FIELD): value
        for key, value in form.items()
        if key.startswith(FIELD) and value
    }
    studio = request.app[STUDIO]
    token = visitors.token_of(request) or visitors.new_token()
    try:
        order = read_form(form)
        # Words win over swatches: without JavaScript the two are not kept in step.
        wish = {**swatches, **studio.read(order.prompt)}
        owner = visitors.owner_of(token)
        avatars = await studio.create(wish, owner=owner, seed=order.seed, prompt=order.prompt)
    except Refusal as error:
        status = status_of(error)
        prompt = form.get("prompt", "")
        return await _studio(request, prompt, swatches, str(error), status, form.get("seed", ""))
    response = web.Response(status=303, headers={"Location": f"/a/{avatars[0].id}"})
    visitors.remember(request, response, token)
    return response


@routes.get("/gallery")
async def gallery_page(request: web.Request) -> web.Response:
    """`?<attribute>=<value>…&sort=…&cursor=…`"""
    refuse_twice(request.query)
    studio = request.app[STUDIO]
    asked = {k: v for k, v in request.query.items() if k not in ("sort", "cursor")}
    shown = check_wish(asked, studio.attributes)
    sort = read_sort(request.query)
    page = await studio.gallery(
        GalleryQuery(
            scope="everyone",
            viewer=None,
            guild=None,
            values=shown,
            limit=PAGE,
            cursor=request.query.get("cursor"),
            sort=sort,
        )
    )
    return render(
        request,
        "gallery.html",
        attributes=studio.attributes,
        shown=shown,
        sort=sort,
        avatars=page.avatars,
        count=await studio.count(shown),
        facets=await studio.facets(shown),
        older=page.older and gallery_link(shown, sort, page.older),
        newer=page.newer and gallery_link(shown, sort, page.newer),
    )


@routes.get("/matrix")
async def matrix_page(request: web.Request) -> web.Response:
    """`?rows=<attribute>&columns=<attribute>`"""
    query = read_query(request.query, "rows", "columns")
    studio = request.app[STUDIO]
    rows, columns = matrix_axes(studio, query)
    cells = await studio.matrix(rows, columns)
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
    avatar = await studio.get(request.match_info["id"], viewer=None)
    favourite, own = await visitors.relation(request, avatar)
    return render(
        request,
        "avatar.html",
        avatar=avatar,
        family=await studio.family(avatar),
        favourite=favourite,
        own=own,
        public_url=base_of(request) or _origin(request),
    )


@routes.get("/images/{id}.png")
async def image(request: web.Request) -> web.Response:
    """The picture as it was painted, or `?size=…`, but never larger."""
    size = read_size(read_query(request.query, "size"))
    studio = request.app[STUDIO]
    avatar = await studio.get(request.match_info["id"], viewer=None)
    size = size if size is not None and size < avatar.width else None
    tag = avatar.sha256 if size is None else f"{avatar.sha256}-{size}"
    if is_known(request, tag):
        return web.Response(status=304, headers=_for_ever(tag))
    picture = await studio.picture(avatar.id, viewer=None)
    data, format = picture.data, picture.format
    if size is not None:
        data, format = await asyncio.to_thread(scaled_png, data, size), "png"
    return web.Response(body=data, content_type=f"image/{format}", headers=_for_ever(tag))


@routes.get("/thumbs/{id}.webp")
async def thumb(request: web.Request) -> web.Response:
    read_query(request.query)
    studio = request.app[STUDIO]
    avatar = await studio.get(request.match_info["id"], viewer=None)
    tag = f"{avatar.sha256}-thumb"
    if is_known(request, tag):
        return web.Response(status=304, headers=_for_ever(tag))
    data = await studio.thumbnail(avatar.id, viewer=None)
    return web.Response(body=data, content_type="image/webp", headers=_for_ever(tag))


def render(
    request: web.Request, template: str, status: int = 200, **variables: Any
) -> web.Response:
    """A page. It is the visitor's own (a cookie, a draft of his prompt): no shared cache."""
    text = request.app[TEMPLATES].get_template(template).render(status=status, **variables)
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers={"Cache-Control": "private, no-cache"},
    )


def _origin(request: web.Request) -> str:
    """Where the visitor found the page, for addresses that must be whole; empty if unreadable."""
    try:
        return str(request.url.origin())
    except ValueError:  # a Host that is none
        return ""


def _for_ever(tag: str) -> dict[str, str]:
    """A picture never changes under its id, so nobody need ever ask again."""
    return {"ETag": f'"{tag}"', "Cache-Control": "public, max-age=31536000, immutable"}


async def _studio(
    request: web.Request,
    prompt: str,
    wish: Mapping[str, str],
    error: str = "",
    status: int = 200,
    seed: str = "",
) -> web.Response:
    studio = request.app[STUDIO]
    newest = GalleryQuery(scope="everyone", viewer=None, guild=None, values={}, limit=NEWEST)
    response = render(
        request,
        "studio.html",
        status,
        attributes=studio.attributes,
        sizes=[size for size in SIZES if size <= studio.sizes[-1]],
        prompt=prompt,
        example=_example(studio.attributes),
        wish=wish,
        seed=seed or request.query.get("seed", ""),
        error=error,
        may_paint=visitors.may_paint(request),
        avatars=(await studio.gallery(newest)).avatars,
    )
    if visitors.token_of(request) is None:
        visitors.remember(request, response, visitors.new_token())
    return response


def _example(attributes: Sequence[Attribute]) -> str:
    """A prompt to show in the empty box."""
    values = {a.name: a.values[2 * len(a.values) // (3 + i)] for i, a in enumerate(attributes[:2])}
    return describe(values) or "leave it empty for a surprise"


def gallery_link(shown: Mapping[str, str], sort: str = "new", cursor: str = "") -> str:
    """The gallery filtered like this; with a cursor a further page of it."""
    query = {**shown, **({"sort": sort} if sort != "new" else {})}
    query |= {"cursor": cursor} if cursor else {}
    return f"/gallery?{urlencode(query)}" if query else "/gallery"


def words(attribute: str, value: str) -> str:
    """The words that stand for one swatch in the prompt."""
    return format_wish({attribute: value})


def toggled(shown: Mapping[str, str], attribute: str, value: str) -> dict[str, str]:
    """The filter with this value, or without it if it has it."""
    rest = {name: chosen for name, chosen in shown.items() if name != attribute}
    return rest if shown.get(attribute) == value else {**rest, attribute: value}


def alt(avatar: Avatar) -> str:
    return describe(avatar.conditions) or "a face"


def another(avatar: Avatar) -> str:
    """The studio, with this avatar's wish filled in."""
    return f"/?{urlencode({'prompt': format_wish(avatar.wish)})}" if avatar.wish else "/"


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


GLOBALS = {
    "words": words,
    "alt": alt,
    "another": another,
    "day": day,
    "gallery_link": gallery_link,
    "toggled": toggled,
    "colours": COLOURS,
    "field": FIELD,
    "max_length": MAX_LENGTH,
}
