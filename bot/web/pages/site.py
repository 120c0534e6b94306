"""Files for browsers and search engines: the web manifest and robots.txt."""

from collections.abc import Mapping
from typing import cast

from aiohttp import web

from bot.i18n.messages import say
from bot.web import languages
from bot.web.keys import TEMPLATES

routes = web.RouteTableDef()

ROBOTS = """\
User-agent: *
Disallow: /admin
Disallow: /api/
Disallow: /mine
"""
ICONS = {
    "icon.svg": {"sizes": "any", "type": "image/svg+xml"},
    "icon-192.png": {"sizes": "192x192", "type": "image/png"},
    "icon-512.png": {"sizes": "512x512", "type": "image/png"},
    "icon-maskable.png": {"sizes": "512x512", "type": "image/png", "purpose": "maskable"},
}
CACHED = {"Cache-Control": "public, max-age=3600"}


@routes.get("/robots.txt")
async def robots(request: web.Request) -> web.Response:
    return web.Response(text=ROBOTS, headers=CACHED)


@routes.get("/manifest.webmanifest")
async def manifest(request: web.Request) -> web.Response:
    """What a browser needs to install the page as an app. The page that links to it names its
    language in the query, since browsers request this file without cookies.
    """
    language = languages.chosen_language(request) or "en"
    static = cast(Mapping[str, str], request.app[TEMPLATES].globals["static"])
    return web.json_response(
        {
            "name": "Irodori",
            "short_name": "Irodori",
            "description": say("page-about", language),
            "lang": language,
            "start_url": "/",
            "display": "minimal-ui",
            "background_color": "#faf7f2",
            "theme_color": "#faf7f2",
            "icons": [{"src": static[name], **kind} for name, kind in ICONS.items()],
        },
        content_type="application/manifest+json",
        headers=CACHED,
    )
