"""The pages that people see, the pictures on them, and the form that works without JavaScript."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.colours import COLOURS
from bot.errors import BadPrompt, Refusal
from bot.language import describe
from bot.prompt import MAX_LENGTH, check_wish, format_wish
from bot.web import visitors
from bot.web.api import PAGE
from bot.web.keys import SETTINGS, STUDIO, TEMPLATES
from bot.web.reading import read_fields, read_form, refuse_twice
from bot.web.status import status_of
from db.store import Avatar, GalleryQuery
from export.manifest import Attribute

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


@routes.get("/a/{id}")
async def avatar_page(request: web.Request) -> web.Response:
    avatar = await request.app[STUDIO].get(request.match_info["id"], viewer=None)
    public_url = request.app[SETTINGS].public_url.rstrip("/")
    return render(request, "avatar.html", avatar=avatar, public_url=public_url)


@routes.get("/images/{id}.png")
async def image(request: web.Request) -> web.Response:
    picture = await request.app[STUDIO].picture(request.match_info["id"], viewer=None)
    # A picture never changes under its id, so nobody need ever ask again.
    headers = {
        "ETag": f'"{picture.sha256}"',
        "Cache-Control": "public, max-age=31536000, immutable",
    }
    known = request.if_none_match or ()
    if any(tag.value in (picture.sha256, "*") for tag in known):
        return web.Response(status=304, headers=headers)
    return web.Response(body=picture.data, content_type=f"image/{picture.format}", headers=headers)


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


async def _studio(
    request: web.Request,
    prompt: str,
    wish: Mapping[str, str],
    error: str = "",
    status: int = 200,
    seed: str = "",
) -> web.Response:
    studio = request.app[STUDIO]
    names = [attribute.name for attribute in studio.attributes]
    asked = {name: request.query[name] for name in names if name in request.query}
    shown = check_wish(asked, studio.attributes)
    page = await studio.gallery(
        GalleryQuery(
            scope="everyone",
            viewer=None,
            guild=None,
            values=shown,
            limit=PAGE,
            cursor=request.query.get("cursor"),
        )
    )
    response = render(
        request,
        "studio.html",
        status,
        attributes=studio.attributes,
        prompt=prompt,
        example=_example(studio.attributes),
        wish=wish,
        seed=seed or request.query.get("seed", ""),
        error=error,
        may_paint=visitors.may_paint(request),
        shown=shown,
        avatars=page.avatars,
        older=page.older and gallery_url(shown, page.older),
        newer=page.newer and gallery_url(shown, page.newer),
    )
    if visitors.token_of(request) is None:
        visitors.remember(request, response, visitors.new_token())
    return response


def _example(attributes: Sequence[Attribute]) -> str:
    """A prompt to show in the empty box."""
    values = {a.name: a.values[2 * len(a.values) // (3 + i)] for i, a in enumerate(attributes[:2])}
    return describe(values) or "leave it empty for a surprise"


def gallery_url(shown: Mapping[str, str], cursor: str) -> str:
    return f"/?{urlencode({**shown, 'cursor': cursor})}#gallery"


def words(attribute: str, value: str) -> str:
    """The words that stand for one swatch in the prompt."""
    return format_wish({attribute: value})


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
    "colours": COLOURS,
    "field": FIELD,
    "max_length": MAX_LENGTH,
}
