"""Renders the templates: their environment, and the functions that they call."""

import json
from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from aiohttp import web
from babel.dates import format_date
from markupsafe import Markup

from bot.i18n.messages import (
    LANGUAGE_NAMES,
    REGIONS,
    attribute_name,
    describe,
    say,
    value_name,
)
from bot.i18n.scripts import messages_for_scripts
from bot.prompts.colors import COLORS
from bot.prompts.parser import MAX_LENGTH
from bot.prompts.wish import format_wish
from bot.web import languages, visitors
from bot.web.api.responses import base_url
from bot.web.api.schemas import WISH_PREFIX, filter_query
from bot.web.keys import TEMPLATES
from db.records import Avatar

# Messages that all scripts need: how pictures are described, and failed requests.
SHARED_WORDS = (
    "page-random",
    "words-comma",
    "words-pair",
    "attribute-",
    "value-",
    "card-face",
    "script-request-",
)


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
        repaint_url=repaint_url,
        find_url=find_url,
        gallery_url=gallery_url,
        filter_query=filter_query,
        toggle_filter=toggle_filter,
        language_names=LANGUAGE_NAMES,
        regions=REGIONS,
    )
    return environment


def render(
    request: web.Request, template: str, status: int = 200, **variables: Any
) -> web.Response:
    """A page in the visitor's language. Shared caches must not store it, because it depends on the
    visitor's cookie.
    """
    language = languages.language_of(request)
    variables = {
        "site": site_url(request),
        "status": status,
        "language_url": partial(language_url, request),
        **functions_in(language),
        **variables,
    }
    text = request.app[TEMPLATES].get_template(template).render(variables)
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Language": language,
        "Vary": languages.VARY,
    }
    response = web.Response(text=text, status=status, content_type="text/html", headers=headers)
    if languages.chosen_language(request):
        languages.remember(response, language, secure=visitors.is_secure(request))
    return response


def functions_in(language: str) -> dict[str, Any]:
    """Variables of the templates that depend on the language."""
    return {
        "language": language,
        "say": lambda key, **facts: say(key, language, **facts),
        "alt_text": partial(alt_text, language=language),
        "describe": partial(describe, language=language),
        "pair": lambda value, attribute: describe({attribute: value}, language),
        "value_name": lambda value: value_name(value, language),
        "attribute_name": lambda attribute: attribute_name(attribute, language),
        "format_day": lambda moment: format_date(moment, "long", REGIONS[language]),
        "words": partial(words_for_scripts, language),
    }


@cache
def words_for_scripts(language: str, topics: Iterable[str]) -> Markup:
    """The messages of scripts on these topics, as JSON for a script element."""
    prefixes = (*SHARED_WORDS, *(f"script-{topic}-" for topic in topics))
    text = json.dumps(messages_for_scripts(language, prefixes), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))


def language_url(request: web.Request, language: str) -> str:
    """This page in another language; for the result of a form, the empty form."""
    if request.method == "POST":
        return f"/?{languages.KEY}={language}"
    # without the path, which may begin with two slashes, as the address of another site
    return f"?{request.rel_url.update_query({languages.KEY: language}).raw_query_string}"


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


def repaint_url(wish: Mapping[str, str]) -> str:
    """The studio with this wish filled in."""
    return f"/?{urlencode({'prompt': format_wish(wish)})}" if wish else "/"


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


def alt_text(avatar: Avatar, language: str = "en") -> str:
    return describe(avatar.conditions, language) or say("card-face", language)
