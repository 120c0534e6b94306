"""Renders the templates: their environment, and the functions that they call."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from aiohttp import web

from bot.i18n.messages import describe, say
from bot.prompts.colors import COLORS
from bot.prompts.parser import MAX_LENGTH
from bot.prompts.wish import format_wish
from bot.web.api.responses import base_url
from bot.web.api.schemas import WISH_PREFIX, filter_query
from bot.web.keys import TEMPLATES
from db.records import Avatar


def create_environment(folder: Path, assets: Mapping[str, str]) -> jinja2.Environment:
    """`assets` maps the names of static files to their URLs."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        static=assets,
        colors=COLORS,
        wish_prefix=WISH_PREFIX,
        max_length=MAX_LENGTH,
        value_prompt=value_prompt,
        alt_text=alt_text,
        say=say,
        repaint_url=repaint_url,
        find_url=find_url,
        format_day=format_day,
        gallery_url=gallery_url,
        filter_query=filter_query,
        toggle_filter=toggle_filter,
    )
    return environment


def render(
    request: web.Request, template: str, status: int = 200, **variables: Any
) -> web.Response:
    """A page. Shared caches must not store it, because it depends on the visitor's cookie."""
    variables = {"site": site_url(request), "status": status, **variables}
    text = request.app[TEMPLATES].get_template(template).render(variables)
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers={"Cache-Control": "private, no-cache"},
    )


def site_url(request: web.Request) -> str:
    """The beginning of absolute URLs: `web.public_url`, or the origin of the request. Empty where
    the Host header is not valid.
    """
    try:
        return base_url(request) or str(request.url.origin())
    except ValueError:
        return ""


def gallery_url(filters: Mapping[str, str], sort: str = "new", cursor: str = "") -> str:
    """The gallery with these filters; with a cursor, a further page of it."""
    query = {**filter_query(filters), **({"sort": sort} if sort != "new" else {})}
    query |= {"cursor": cursor} if cursor else {}
    return f"/gallery?{urlencode(query)}" if query else "/gallery"


def repaint_url(avatar: Avatar) -> str:
    """The studio with this avatar's wish filled in."""
    return f"/?{urlencode({'prompt': format_wish(avatar.wish)})}" if avatar.wish else "/"


def find_url(avatar: Avatar) -> str:
    """The sheet from which this avatar was adopted."""
    choices, _, _ = (avatar.choices or "").rpartition(".")
    search = {"prompt": avatar.prompt, "seed": avatar.seed, "choices": choices}
    return f"/find?{urlencode({**search, 'model': avatar.model})}"


def toggle_filter(filters: Mapping[str, str], attribute: str, value: str) -> dict[str, str]:
    """The filters with this value, or without it if it was selected."""
    others = {name: selected for name, selected in filters.items() if name != attribute}
    return others if filters.get(attribute) == value else {**others, attribute: value}


def value_prompt(attribute: str, value: str) -> str:
    """The part of a prompt that chooses this value."""
    return format_wish({attribute: value})


def alt_text(avatar: Avatar) -> str:
    return describe(avatar.conditions) or "a face"


def format_day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
