"""What the handlers find in the application: `request.app[STUDIO]`."""

import jinja2
from aiohttp import web

from bot.inference.engine import Engine
from bot.settings import WebSettings
from bot.studio import Studio
from bot.web.events import Events
from bot.web.load import Load
from bot.web.metrics import Metrics
from bot.web.rates import Rates
from bot.web.sessions import Sessions

STUDIO = web.AppKey("studio", Studio)
ENGINE = web.AppKey("engine", Engine)
SETTINGS = web.AppKey("settings", WebSettings)
EVENTS = web.AppKey("events", Events)
RATES = web.AppKey("rates", Rates)
METRICS = web.AppKey("metrics", Metrics)
SESSIONS = web.AppKey("sessions", Sessions)
LOAD = web.AppKey("load", Load)
TEMPLATES = web.AppKey("templates", jinja2.Environment)
