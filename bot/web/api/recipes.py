"""Endpoints of recipes: opening a picture's file, and proving a stored picture."""

from aiohttp import web

from bot.i18n.messages import say
from bot.studio import Request
from bot.studio.recipes import MAX_FILE, Opened, Proof
from bot.web import visitors
from bot.web.api import schemas
from bot.web.api.openapi import PAINTING_ERRORS, Answer, describe
from bot.web.api.responses import avatar_body, base_url, json_response
from bot.web.keys import STUDIO
from bot.web.languages import language_of
from bot.web.requests import read_file, read_query

PNG = "image/png"

routes = web.RouteTableDef()


@routes.post("/api/open")
@describe(
    {200: Answer("The picture, and whether the file is it.", schemas.Opened)},
    body=PNG,
    errors=(*PAINTING_ERRORS, 404),
)
async def open_file(request: web.Request) -> web.Response:
    """Open a picture from its file, by the recipe in it.

    If there is no picture with its id any more, it is painted again and stored as one of the
    visitor's. Counts as one picture.
    """
    visitors.require_painter(request)
    data = await read_file(request, PNG, MAX_FILE)
    await visitors.charge(request, 1)
    token = visitors.token_of(request) or visitors.new_token()
    owner = visitors.owner_of(token)
    recipes = request.app[STUDIO].recipes
    opened = await recipes.find(data) or await recipes.repaint(data, Request(owner))
    response = json_response(_opened_body(opened, request))
    visitors.remember(request, response, token)
    return response


@routes.get("/api/avatars/{id}/proof")
@describe(
    {200: Answer("Whether the pictures are the same.", schemas.Proof)},
    query=schemas.EmptyQuery,
    errors=(400, 403, 404, 429, 503),
)
async def proof(request: web.Request) -> web.Response:
    """Repaint a picture from its recipe, and compare it with the stored one.

    Counts as one picture.
    """
    read_query(request.query, schemas.EmptyQuery)
    return json_response(_proof_body(await prove(request)))


async def prove(request: web.Request) -> Proof:
    """The proof of the picture in the path, charged as one picture."""
    studio = request.app[STUDIO]
    avatar = await studio.avatars.get(request.match_info["id"], viewer=None)
    visitors.require_painting_allowed(request)  # links on other sites may lead here
    await visitors.charge(request, 1)
    return await studio.recipes.prove(avatar, Request(visitors.current_owner(request)))


def _opened_body(opened: Opened, request: web.Request) -> schemas.Opened:
    return schemas.Opened(
        avatar=avatar_body(opened.avatar, base_url(request)),
        repainted=opened.repainted,
        agreement=opened.comparison.agreement,
        largest_difference=opened.comparison.largest,
        mean_difference=opened.comparison.mean,
        changed=list(opened.changed),
        message=say(opened.message, language_of(request)),
    )


def _proof_body(proof: Proof) -> schemas.Proof:
    return schemas.Proof(
        agreement=proof.comparison.agreement,
        largest_difference=proof.comparison.largest,
        mean_difference=proof.comparison.mean,
        same_file=proof.same_file,
    )
