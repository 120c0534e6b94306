"""The studio page, and its form, which also works without JavaScript."""

import math
from collections.abc import Mapping, Sequence
from functools import partial

from aiohttp import web

from bot.errors import BadPrompt, Refusal
from bot.i18n.messages import describe, direction_name, say
from bot.prompts.traits import format_prompt
from bot.studio import Request, Studio
from bot.web import visitors
from bot.web.api.schemas import IMAGE_SIZES, WISH_PREFIX, PaintForm
from bot.web.errors import status_of
from bot.web.keys import BROWSER_PAINTING, STUDIO
from bot.web.languages import language_of
from bot.web.pages.render import render, value_prompt
from bot.web.requests import known_keys, read_form, reject_duplicates, validate
from db.records import GalleryQuery
from export.manifest import Attribute

NEWEST = 12  # pictures of the gallery below the studio
BROWSER_WORDS = (
    *("paint", "keep", "loading", "on", "offline", "failed"),
    *("kept", "prompt", "seed", "other-model", "keep-first"),
)
"""Messages of `browser_painting.ftl` that the page and its script show."""

routes = web.RouteTableDef()


@routes.get("/")
async def studio_page(request: web.Request) -> web.Response:
    """`?prompt=…&seed=…` fills in the form."""
    query = known_keys(request.query, ("prompt", "seed"))
    reject_duplicates(query)
    prompt, seed = query.get("prompt", ""), query.get("seed", "")
    try:
        wish = request.app[STUDIO].painting.parse(prompt)
    except BadPrompt as error:
        return await render_studio(request, {"prompt": prompt, "seed": seed}, {}, error)
    return await render_studio(request, {"prompt": prompt, "seed": seed}, wish)


@routes.get("/welcome.webp")
@routes.get("/welcome-still.webp")
async def welcome(request: web.Request) -> web.Response:
    """The morph before the first picture, or one face of it for reduced motion."""
    painted = await request.app[STUDIO].welcome.morph()
    still = request.path.endswith("-still.webp")
    headers = {"Cache-Control": "public, max-age=3600"}
    data = painted.still if still else painted.morph
    return web.Response(body=data, content_type="image/webp", headers=headers)


@routes.post("/paint")
async def paint(request: web.Request) -> web.Response:
    """Paints the form sent without JavaScript, and redirects to the picture's page."""
    visitors.require_painter(request)
    await visitors.charge(request, 1)
    form = await read_form(request)
    swatches = {
        key.removeprefix(WISH_PREFIX): value
        for key, value in form.items()
        if key.startswith(WISH_PREFIX) and value
    }
    studio = request.app[STUDIO]
    token = visitors.token_of(request) or visitors.new_token()
    try:
        fields = validate(PaintForm, {key: value for key, value in form.items() if value.strip()})
        # The prompt overrides the swatches: without JavaScript they are not kept in sync.
        reading = studio.painting.explain(fields.prompt)
        wish = {**swatches, **reading.wish}
        is_complete = wish == reading.wish
        prompt = fields.prompt if is_complete else format_prompt(wish, reading.shape)
        owner = visitors.owner_of(token)
        avatars = await studio.painting.create(
            wish, Request(owner), seed=fields.seed, prompt=prompt
        )
    except Refusal as error:
        return await render_studio(request, form, swatches, error)
    response = web.Response(status=303, headers={"Location": f"/a/{avatars[0].id}"})
    visitors.remember(request, response, token)
    return response


async def render_studio(
    request: web.Request,
    form: Mapping[str, str],
    wish: Mapping[str, str],
    error: Refusal | None = None,
    *,
    offline: bool = False,
) -> web.Response:
    """The page; with `offline`, without pictures that the bot serves."""
    studio, language = request.app[STUDIO], language_of(request)
    newest = GalleryQuery(scope="everyone", viewer=None, guild=None, values={}, limit=NEWEST)
    avatars = [] if offline else (await studio.gallery.page(newest)).avatars
    may_paint = visitors.may_paint(request)
    response = render(
        request,
        "studio.html",
        200 if error is None else status_of(error),
        model=studio.model_name,
        attributes=studio.attributes,
        directions=[(name, direction_name(name, language)) for name in studio.shaping.directions],
        sizes=[size for size in IMAGE_SIZES if size <= studio.sizes[-1]],
        prompt=form.get("prompt", ""),
        example=example_prompt(studio.attributes, language),
        words_of=partial(_words_of, studio, language),
        wish=wish,
        seed=form.get("seed", ""),
        error="" if error is None else error.text(language),
        may_paint=may_paint,
        browser=_browser_painting(request, language) if may_paint else None,
        offline=offline,
        avatars=avatars,
    )
    if visitors.token_of(request) is None:
        visitors.remember(request, response, visitors.new_token())
    return response


def _browser_painting(request: web.Request, language: str) -> Mapping[str, str] | None:
    """What the script needs to paint in the browser, and its words; None if browsers cannot."""
    package = request.app[BROWSER_PAINTING].package
    if package is None:
        return None
    megabytes = math.ceil(package.bytes / 1e6)
    words = {key: say(f"browser-{key}", language) for key in BROWSER_WORDS}
    off = say("browser-off", language, megabytes=megabytes)
    return {"package": package.url, "off": off, **words}


def example_prompt(attributes: Sequence[Attribute], language: str) -> str:
    """The placeholder of the prompt field."""
    values = {a.name: a.values[2 * len(a.values) // (3 + i)] for i, a in enumerate(attributes[:2])}
    return describe(values, language) or say("page-studio-surprise", language)


def _words_of(studio: Studio, language: str, attribute: str, value: str) -> str:
    """What a swatch writes into the prompt: words in the visitor's language, if they are understood
    as this value, otherwise its short form.
    """
    words, short = describe({attribute: value}, language), value_prompt(attribute, value)
    if words.isascii():
        return short
    try:
        return words if studio.painting.parse(words) == {attribute: value} else short
    except BadPrompt:
        return short
