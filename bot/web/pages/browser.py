"""What browsers load to paint by themselves, also offline: a service worker, a page, and files."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from aiohttp import web

from bot.web import visitors
from bot.web.browser_painting import PREFIX
from bot.web.keys import BROWSER_PAINTING, TEMPLATES
from bot.web.pages.studio import render_studio
from bot.web.requests import known_keys

WORKER = Path(__file__).parents[1] / "static/service-worker.js"
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
ADMIN = "admin"  # names of static files that only the admin pages use begin with it

routes = web.RouteTableDef()


@routes.get("/offline")
async def offline_page(request: web.Request) -> web.Response:
    """The studio without pictures of the gallery, which the service worker keeps."""
    return await render_studio(request, {}, {}, offline=True)


@routes.get("/service-worker.js")
async def service_worker(request: web.Request) -> web.Response:
    """`?backend=wasm` or `webgpu`. The script lists all files of this version of page, model and
    runtime; a browser that finds another list installs it beside the old one.
    """
    package = request.app[BROWSER_PAINTING].package
    backend = known_keys(request.query, ("backend",)).get("backend", "wasm")
    if package is None or backend not in package.runtimes or not visitors.may_paint(request):
        raise web.HTTPNotFound
    static = cast(Mapping[str, str], request.app[TEMPLATES].globals["static"])
    urls = [url for name, url in static.items() if not name.startswith(ADMIN)]
    files = [package.url, *package.model_urls, *package.runtimes[backend], *urls]
    page = (await render_studio(request, {}, {}, offline=True)).text or ""
    version = hashlib.sha256("\n".join([*files, page]).encode()).hexdigest()[:16]
    constants = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(files)};\n"
    return web.Response(
        text=constants + _worker_script(),
        content_type="text/javascript",
        headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"},
    )


@routes.get(PREFIX + "/{sum}/{name}")
async def file(request: web.Request) -> web.StreamResponse:
    """A file that never changes under its URL."""
    package = request.app[BROWSER_PAINTING].package
    if package is None:
        raise web.HTTPNotFound
    if request.path == package.url:
        return web.Response(
            body=package.description, content_type="application/json", headers=FOREVER
        )
    if request.path not in package.files:
        raise web.HTTPNotFound
    return web.FileResponse(package.files[request.path], headers=FOREVER)


@cache
def _worker_script() -> str:
    return WORKER.read_text("utf-8")
