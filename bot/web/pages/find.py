"""The page where visitors find a face by choosing; a script loads the faces."""

from aiohttp import web

from bot.studio.search import FACES, ROUNDS
from bot.web import visitors
from bot.web.keys import STUDIO
from bot.web.languages import language_of
from bot.web.pages.render import render
from bot.web.pages.studio import example_prompt

routes = web.RouteTableDef()


@routes.get("/find")
async def find_page(request: web.Request) -> web.Response:
    """The script reads `?prompt=…&seed=…&choices=…&model=…`."""
    response = render(
        request,
        "find.html",
        faces=FACES,
        rounds=ROUNDS,
        example=example_prompt(request.app[STUDIO].attributes, language_of(request)),
        may_paint=visitors.may_paint(request),
    )
    if visitors.token_of(request) is None:
        visitors.remember(request, response, visitors.new_token())
    return response
