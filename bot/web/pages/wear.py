"""The page that shows how to use faces by name on other sites."""

from urllib.parse import quote

from aiohttp import web

from bot.studio.named_faces import MAX_NAME
from bot.web.api.named_faces import PREFIX
from bot.web.api.schemas import WearQuery
from bot.web.keys import STUDIO
from bot.web.pages.render import render, site_url
from bot.web.requests import known_keys, read_query

EXAMPLE = "nelly"  # the name that the page shows first

routes = web.RouteTableDef()


@routes.get("/wear")
async def wear_page(request: web.Request) -> web.Response:
    """`?name=…&values=…`; a script updates the page while the visitor types."""
    query = read_query(known_keys(request.query, WearQuery.model_fields), WearQuery)
    studio = request.app[STUDIO]
    # raises BadPrompt, so that the page shows no broken picture
    studio.named_faces.identify(query.name or EXAMPLE)
    studio.painting.parse(query.values)
    values = f"{quote(query.values, safe=':,')}/" if query.values else ""
    name = quote(query.name or EXAMPLE, safe="")
    return render(
        request,
        "wear.html",
        name=query.name,
        values=query.values,
        example=EXAMPLE,
        max_name=MAX_NAME,
        prefix=PREFIX,
        origin=site_url(request),
        face=f"{values}{name}.png",
        model=studio.model_name,
    )
