"""Keys of the objects that handlers get from the application: `request.app[STUDIO]`."""

from typing import Any

import jinja2
from aiohttp import web

from bot.settings import WebSettings
from bot.studio import Studio
from bot.web.browser_painting import BrowserPainting
from bot.web.metrics import Metrics
from bot.web.rate_limits import RateLimiter

STUDIO = web.AppKey("studio", Studio)
BROWSER_PAINTING = web.AppKey("browser_painting", BrowserPainting)
SETTINGS = web.AppKey("settings", WebSettings)
PAINT_RATE = web.AppKey("paint_rate", RateLimiter)
LINK_RATE = web.AppKey("link_rate", RateLimiter)
NAMED_FACE_RATE = web.AppKey("named_face_rate", RateLimiter)
METRICS = web.AppKey("metrics", Metrics)
OPENAPI = web.AppKey("openapi", dict[str, Any])
TEMPLATES = web.AppKey("templates", jinja2.Environment)
