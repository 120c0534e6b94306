"""Admin pages of the models: compare them, use one, roll back."""

import asyncio
from pathlib import Path

from aiohttp import web

from bot.web.admin.cards import compare_metrics, render_card
from bot.web.admin.files import file_response, image_size
from bot.web.admin.sessions import PATH
from bot.web.api.schemas import EmptyQuery, EmptyRequest
from bot.web.keys import STUDIO
from bot.web.pages.render import render
from bot.web.requests import completed, read_body, read_query
from export.figures import highlights

routes = web.RouteTableDef()


@routes.get(PATH)
async def models_page(request: web.Request) -> web.Response:
    """The model in use first, then the newest."""
    read_query(request.query, EmptyQuery)
    studio = request.app[STUDIO]
    newest_first = reversed(await studio.models.all())
    models = sorted(newest_first, key=lambda model: not model.in_use)
    with_samples = {m.name for m in models if await studio.models.file(m.name, "samples.png")}
    judged = [model for model in models if model.metrics]
    return render(
        request,
        "admin/models.html",
        models=[(model, highlights(model.metrics), model.name in with_samples) for model in models],
        judged=judged,
        metrics=compare_metrics(judged),
        previous=await studio.models.previous(),
    )


@routes.get(f"{PATH}/models/{{name}}")
async def model_page(request: web.Request) -> web.Response:
    studio, name = request.app[STUDIO], request.match_info["name"]
    model = next((model for model in await studio.models.all() if model.name == name), None)
    if model is None:
        raise web.HTTPNotFound
    images = {file: await studio.models.file(name, file) for file in ("samples.png", "weakest.png")}

    def find_image(file: str) -> tuple[str, int, int] | None:
        path = images.get(file)
        size = path and image_size(path)
        return (f"{PATH}/models/{name}/{file}", *size) if size else None

    def read_card(path: Path) -> str:
        return path.read_text("utf-8", errors="replace")

    path = await studio.models.file(name, "MODEL_CARD.md")
    text = await asyncio.to_thread(read_card, path) if path else "This model has no card."
    return render(
        request,
        "admin/model.html",
        model=model,
        card=await asyncio.to_thread(render_card, text, find_image),
    )


@routes.get(f"{PATH}/models/{{name}}/{{file:[^/]+\\.png}}")
async def model_image(request: web.Request) -> web.FileResponse:
    file = request.match_info["file"]
    path = await request.app[STUDIO].models.file(request.match_info["name"], file)
    if path is None:
        raise web.HTTPNotFound
    return file_response(path)


@routes.post(f"{PATH}/models/{{name}}/use")
@completed
async def use_model(request: web.Request) -> web.Response:
    await read_body(request, EmptyRequest)
    await request.app[STUDIO].models.use(request.match_info["name"])
    return web.json_response({"model": request.app[STUDIO].model_name})


@routes.post(f"{PATH}/rollback")
@completed
async def rollback(request: web.Request) -> web.Response:
    await read_body(request, EmptyRequest)
    return web.json_response({"model": await request.app[STUDIO].models.rollback()})
