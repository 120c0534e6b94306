"""Admin page of the load: latencies, queue, rates and memory of the last ten minutes."""

from typing import Any

from aiohttp import web

from bot.web.admin.load import INTERVAL, LOAD, SAMPLES
from bot.web.admin.sessions import PATH
from bot.web.api.schemas import EmptyQuery
from bot.web.keys import METRICS, STUDIO
from bot.web.pages.render import render
from bot.web.requests import read_query
from config.memory import usable_memory

routes = web.RouteTableDef()


@routes.get(f"{PATH}/live")
async def live_page(request: web.Request) -> web.Response:
    read_query(request.query, EmptyQuery)
    load = request.app[LOAD]
    latest = load.measure()
    samples = list(load.samples)
    ages = [round((sample.age - latest.age) / 60, 3) for sample in samples]

    def chart(title: str, unit: str, factor: float = 1, **lines: str) -> dict[str, Any]:
        values = [
            {"name": name, "values": [_scale(getattr(s, key), factor) for s in samples]}
            for name, key in lines.items()
        ]
        return {"title": title, "unit": unit, "x": ages, "x_unit": "minutes", "lines": values}

    return render(
        request,
        "admin/live.html",
        latest=latest,
        stats=request.app[STUDIO].engine_stats,
        answered=request.app[METRICS].answered,
        memory_limit=usable_memory(),
        seconds=INTERVAL,
        charts=[
            chart("Painting", "ms", 1000, p50="painting_p50", p99="painting_p99"),
            chart("Requests", "ms", 1000, p50="answering_p50", p99="answering_p99"),
            chart("Queue", "pictures", waiting="waiting"),
            chart("Rate", "per second", pictures="pictures", requests="requests"),
            chart("Memory", "MiB", 1 / 2**20, used="memory"),
        ],
        minutes=INTERVAL * SAMPLES / 60,
    )


def _scale(value: float | None, factor: float) -> float | None:
    return None if value is None else round(factor * value, 3)
