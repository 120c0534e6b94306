"""The pages of those who run the bot: models, load, trainings, and pictures to hide.

They are there only where a password is set, and all but the login are behind it.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image, UnidentifiedImageError

from bot.errors import NotAllowed, Refusal
from bot.web import visitors
from bot.web.api import is_known
from bot.web.cards import figures, highlights, render_card
from bot.web.keys import ENGINE, LOAD, METRICS, SESSIONS, SETTINGS, STUDIO
from bot.web.load import EVERY, KEPT, whole_memory
from bot.web.pages import render
from bot.web.rates import address_of
from bot.web.reading import read_fields, read_json, read_query
from bot.web.runs import Curves, curves, read_run, read_runs, run_names
from bot.web.sessions import PATH
from bot.web.status import headers_of, status_of
from db.store import GalleryQuery, Scope

LOGIN = f"{PATH}/login"
NEWEST = 24  # pictures
SHOWN_LINES = 12  # of a run's log

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)
routes = web.RouteTableDef()


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets nobody but admins to what lies under /admin."""
    resource = request.match_info.route.resource
    place = resource.canonical if resource else ""
    if place != PATH and not place.startswith(f"{PATH}/"):
        return await handler(request)
    if request.method not in ("GET", "HEAD"):
        visitors.require_same_origin(request)
    if place != LOGIN and not await request.app[SESSIONS].knows(request):
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            return _login_page(request, request.path, status=403)
        raise NotAllowed("web-admins-only")
    response = await handler(request)
    if response.content_type == "text/html":
        response.headers["Cache-Control"] = "no-store"  # gone from the browser after the logout
    return response


# In and out


@routes.get(LOGIN)
async def login_page(request: web.Request) -> web.Response:
    return _login_page(request, PATH)


@routes.post(LOGIN)
async def login(request: web.Request) -> web.Response:
    sessions = request.app[SESSIONS]
    address = address_of(request, request.app[SETTINGS].trusted_proxies)
    form = await read_fields(request)
    place = form.get("to", "")
    if not re.fullmatch(rf"{PATH}(/[\w-][\w.-]*){{0,2}}", place, re.ASCII):
        place = PATH
    try:
        sessions.rates.take(address, 1)
        right = await sessions.is_password(form.get("password", ""))
    except Refusal as error:
        response = _login_page(request, place, status_of(error), str(error))
        response.headers.update(headers_of(error))
        return response
    if not right:
        log.warning("a wrong password for %s from %s", PATH, address)
        return _login_page(request, place, 403, "That is not the password.")
    response = web.Response(status=303, headers={"Location": place})
    await sessions.open(response, visitors.is_secure(request))
    return response


@routes.post(f"{PATH}/logout")
async def logout(request: web.Request) -> web.Response:
    response = web.Response(status=303, headers={"Location": "/"})
    await request.app[SESSIONS].close(request, response)
    return response


# Models


@routes.get(PATH)
async def models_page(request: web.Request) -> web.Response:
    """The model in use comes first, then the newest."""
    read_query(request.query)
    studio = request.app[STUDIO]
    newest_first = reversed(await studio.models.all())
    models = sorted(newest_first, key=lambda model: not model.in_use)
    samples = {m.name for m in models if await studio.models.paper(m.name, "samples.png")}
    return render(
        request,
        "admin/models.html",
        models=[(model, highlights(model), model.name in samples) for model in models],
        compared=[model for model in models if model.metrics],
        figures=figures([model for model in models if model.metrics]),
        previous=await studio.models.previous(),
    )


@routes.get(f"{PATH}/models/{{name}}")
async def model_page(request: web.Request) -> web.Response:
    studio, name = request.app[STUDIO], request.match_info["name"]
    model = next((model for model in await studio.models.all() if model.name == name), None)
    if model is None:
        raise web.HTTPNotFound
    papers = {
        paper: await studio.models.paper(name, paper) for paper in ("samples.png", "weakest.png")
    }

    def image(file: str) -> tuple[str, int, int] | None:
        path = papers.get(file)
        size = path and _size(path)
        return (f"{PATH}/models/{name}/{file}", *size) if size else None

    def read(card: Path) -> str:
        return card.read_text("utf-8", errors="replace")

    card = await studio.models.paper(name, "MODEL_CARD.md")
    text = await asyncio.to_thread(read, card) if card else "It has no card."
    return render(
        request,
        "admin/model.html",
        model=model,
        card=await asyncio.to_thread(render_card, text, image),
    )


@routes.get(f"{PATH}/models/{{name}}/{{file:[^/]+\\.png}}")
async def model_picture(request: web.Request) -> web.FileResponse:
    file = request.match_info["file"]
    path = await request.app[STUDIO].models.paper(request.match_info["name"], file)
    if path is None:
        raise web.HTTPNotFound
    return _file(path)


@routes.post(f"{PATH}/models/{{name}}/use")
async def use_model(request: web.Request) -> web.Response:
    await read_json(request)
    await request.app[STUDIO].models.use(request.match_info["name"])
    return web.json_response({"model": request.app[STUDIO].model_name})


@routes.post(f"{PATH}/rollback")
async def rollback(request: web.Request) -> web.Response:
    await read_json(request)
    return web.json_response({"model": await request.app[STUDIO].models.rollback()})


# Load


@routes.get(f"{PATH}/live")
async def live_page(request: web.Request) -> web.Response:
    read_query(request.query)
    load, stats = request.app[LOAD], request.app[ENGINE].stats
    latest = load.look()
    samples = list(load.samples)
    ages = [round((sample.age - latest.age) / 60, 3) for sample in samples]

    def chart(title: str, unit: str, factor: float = 1, **lines: str) -> dict[str, Any]:
        values = [
            {"name": name, "values": [_scaled(getattr(s, key), factor) for s in samples]}
            for name, key in lines.items()
        ]
        return {"title": title, "unit": unit, "x": ages, "over": "minutes", "lines": values}

    return render(
        request,
        "admin/live.html",
        latest=latest,
        stats=stats,
        answered=request.app[METRICS].answered,
        capacity=request.app[ENGINE].capacity,
        whole=whole_memory(),
        seconds=EVERY,
        charts=[
            chart("Painting", "ms", 1000, p50="painting_p50", p99="painting_p99"),
            chart("Answering", "ms", 1000, p50="answering_p50", p99="answering_p99"),
            chart("Queue", "pictures", waiting="waiting"),
            chart("Rate", "per second", pictures="pictures", answers="requests"),
            chart("Memory", "MiB", 1 / 2**20, used="memory"),
        ],
        minutes=EVERY * KEPT / 60,
    )


# Trainings


@routes.get(f"{PATH}/runs")
async def runs_page(request: web.Request) -> web.Response:
    read_query(request.query)
    folder = request.app[SETTINGS].runs
    runs = await asyncio.to_thread(read_runs, folder)
    return render(request, "admin/runs.html", runs=runs, folder=folder, now=time.time())


@routes.get(f"{PATH}/runs/{{name}}")
async def run_page(request: web.Request) -> web.Response:
    read_query(request.query)
    folder, name = request.app[SETTINGS].runs, request.match_info["name"]
    await _require_run(request)
    run = await asyncio.to_thread(read_run, folder, name)
    size = await asyncio.to_thread(_size, folder / name / run.grids[-1].file) if run.grids else None
    return render(
        request,
        "admin/run.html",
        run=run,
        size=size or (1, 1),
        charts=[_chart(lines) for lines in curves(run)],
        lines=run.log[::-1][:SHOWN_LINES],
        now=time.time(),
    )


@routes.get(f"{PATH}/runs/{{name}}/{{file:[^/]+\\.png}}")
async def run_picture(request: web.Request) -> web.FileResponse:
    folder, name = request.app[SETTINGS].runs, request.match_info["name"]
    await _require_run(request)
    run = await asyncio.to_thread(read_run, folder, name)
    if request.match_info["file"] not in {grid.file for grid in run.grids}:
        raise web.HTTPNotFound
    return _file(folder / name / request.match_info["file"])


# Pictures


@routes.get(f"{PATH}/pictures")
async def pictures_page(request: web.Request) -> web.Response:
    """`?cursor=…&hidden=…`: a place in either of the two lists."""
    query = read_query(request.query, "cursor", "hidden")

    async def page(scope: Scope, cursor: str | None) -> Any:
        return await request.app[STUDIO].gallery(
            GalleryQuery(scope, None, None, {}, limit=NEWEST, cursor=cursor or None)
        )

    return render(
        request,
        "admin/pictures.html",
        newest=await page("everyone", query.get("cursor")),
        hidden=await page("hidden", query.get("hidden")),
    )


@routes.get(f"{PATH}/thumbs/{{id}}.webp")
async def hidden_thumb(request: web.Request) -> web.Response:
    """Also of a hidden picture."""
    studio = request.app[STUDIO]
    avatar = await studio.get(request.match_info["id"], viewer=None, moderator=True)
    tag = f"{avatar.sha256}-thumb"
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    if is_known(request, tag):
        return web.Response(status=304, headers=headers)
    data = await studio.thumbnail(avatar.id, viewer=None, moderator=True)
    return web.Response(body=data, content_type="image/webp", headers=headers)


@routes.post(f"{PATH}/pictures/{{id}}/hide")
async def hide(request: web.Request) -> web.Response:
    return await _hide(request, True)


@routes.post(f"{PATH}/pictures/{{id}}/show")
async def show(request: web.Request) -> web.Response:
    return await _hide(request, False)


async def _hide(request: web.Request, hidden: bool) -> web.Response:
    await read_json(request)
    avatar = await request.app[STUDIO].hide(request.match_info["id"], hidden)
    log.info("picture %s is %s", avatar.id, "hidden" if hidden else "public again")
    return web.json_response({"id": avatar.id, "hidden": avatar.hidden})


def _login_page(request: web.Request, to: str, status: int = 200, error: str = "") -> web.Response:
    response = render(request, "admin/login.html", status, to=to, error=error)
    response.headers["Cache-Control"] = "no-store"
    return response


async def _require_run(request: web.Request) -> None:
    """Raises HTTPNotFound for a name that no run has: none leads out of the folder."""
    names = await asyncio.to_thread(run_names, request.app[SETTINGS].runs)
    if request.match_info["name"] not in names:
        raise web.HTTPNotFound


def _file(path: Path) -> web.FileResponse:
    """One that may change; the browser asks again."""
    return web.FileResponse(path, headers={"Cache-Control": "private, no-cache"})


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture, None where it cannot be read: half written, perhaps."""
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else round(factor * value, 3)


def _chart(curves: Curves) -> dict[str, Any]:
    """As the page's script reads it; a list of lines, since JSON's objects have no order."""
    factor = 100 if curves.percent else 1
    lines = [
        {"name": name, "values": [None if v is None else factor * v for v in values]}
        for name, values in curves.lines.items()
    ]
    return {
        "title": curves.title[:1].upper() + curves.title[1:],
        "unit": "%" if curves.percent else "",
        "x": curves.x,
        "over": "thousands",
        "lines": lines,
    }


def milliseconds(seconds: float | None) -> str:
    if seconds is None:  # nobody has asked yet
        return "–"
    return f"{1000 * seconds:,.{0 if seconds >= 0.01 else 1}f} ms"


def megabytes(size: float) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.0f} MiB"


def duration(seconds: float) -> str:
    """3 s, 4 min, 2 h 05 min, 3 days"""
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{int(seconds)} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} days"


def short(value: float | None) -> str:
    """A figure of a log, in a few digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds).astimezone()


FILTERS = {
    "milliseconds": milliseconds,
    "megabytes": megabytes,
    "duration": duration,
    "short": short,
    "moment": moment,
}
