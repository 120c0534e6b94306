"""Admin page of the reported pictures: hide them, or dismiss the reports."""

from aiohttp import web

from bot.web.admin.sessions import PATH
from bot.web.api.schemas import EmptyQuery, EmptyRequest
from bot.web.keys import STUDIO
from bot.web.pages.render import render
from bot.web.requests import completed, read_body, read_query

routes = web.RouteTableDef()


@routes.get(f"{PATH}/reports")
async def reports_page(request: web.Request) -> web.Response:
    read_query(request.query, EmptyQuery)
    return render(request, "admin/reports.html", reported=await request.app[STUDIO].reports.open())


@routes.post(f"{PATH}/reports/{{id}}/dismiss")
@completed
async def dismiss(request: web.Request) -> web.Response:
    await read_body(request, EmptyRequest)
    await request.app[STUDIO].reports.dismiss(request.match_info["id"])
    return web.json_response({"id": request.match_info["id"]})
