"""The page that repaints a picture from its recipe and says whether the result is the same."""

from aiohttp import web

from bot.web.api.recipes import prove
from bot.web.pages.render import render

routes = web.RouteTableDef()


@routes.get("/proof/{id}")
async def proof_page(request: web.Request) -> web.Response:
    return render(request, "proof.html", proof=await prove(request))
