"""Admin pages of the training runs."""

import asyncio
import time
from typing import Any

from aiohttp import web

from bot.web.admin.files import file_response, image_size
from bot.web.admin.run_files import Chart as RunChart
from bot.web.admin.run_files import Run, chart_lines, read_run, read_runs, run_names
from bot.web.admin.sessions import PATH
from bot.web.api.schemas import EmptyQuery
from bot.web.keys import SETTINGS
from bot.web.pages.render import render
from bot.web.requests import read_query

LOG_LINES = 12  # of a run's log, that its page shows

routes = web.RouteTableDef()


@routes.get(f"{PATH}/runs")
async def runs_page(request: web.Request) -> web.Response:
    read_query(request.query, EmptyQuery)
    folder = request.app[SETTINGS].runs
    runs = await asyncio.to_thread(read_runs, folder)
    return render(request, "admin/runs.html", runs=runs, folder=folder, now=time.time())


@routes.get(f"{PATH}/runs/{{name}}")
async def run_page(request: web.Request) -> web.Response:
    read_query(request.query, EmptyQuery)
    run = await _find_run(request)
    size = None
    if run.grids:
        newest = request.app[SETTINGS].runs / run.name / run.grids[-1].file
        size = await asyncio.to_thread(image_size, newest)
    return render(
        request,
        "admin/run.html",
        run=run,
        size=size or (1, 1),
        charts=[_chart(chart) for chart in chart_lines(run)],
        lines=run.log[::-1][:LOG_LINES],
        now=time.time(),
    )


@routes.get(f"{PATH}/runs/{{name}}/{{file:[^/]+\\.png}}")
async def run_image(request: web.Request) -> web.FileResponse:
    run = await _find_run(request)
    if request.match_info["file"] not in {grid.file for grid in run.grids}:
        raise web.HTTPNotFound
    return file_response(request.app[SETTINGS].runs / run.name / request.match_info["file"])


async def _find_run(request: web.Request) -> Run:
    """Raises HTTPNotFound for unknown names, which includes paths out of the folder."""
    folder, name = request.app[SETTINGS].runs, request.match_info["name"]
    if name not in await asyncio.to_thread(run_names, folder):
        raise web.HTTPNotFound
    return await asyncio.to_thread(read_run, folder, name)


def _chart(chart: RunChart) -> dict[str, Any]:
    """The chart as the page's script reads it, the lines in a list that keeps their order."""
    factor = 100 if chart.percent else 1
    lines = [
        {"name": name, "values": [None if v is None else factor * v for v in values]}
        for name, values in chart.lines.items()
    ]
    return {
        "title": chart.title[:1].upper() + chart.title[1:],
        "unit": "%" if chart.percent else "",
        "x": chart.x,
        "x_unit": "thousands",
        "lines": lines,
    }
