"""The language of a page: chosen by `?lang=…`, remembered in a cookie, or that of the browser."""

import re
from functools import lru_cache

from aiohttp import web

from bot.i18n.messages import LANGUAGES, language_for

COOKIE = "irodori_language"
A_YEAR = 365 * 24 * 3600  # seconds
KEY = "lang"  # in the query
VARY = "Accept-Language, Cookie"  # what a page in the visitor's language depends on


def language_of(request: web.Request) -> str:
    """One of LANGUAGES; English for the admin pages, which are not translated."""
    if re.match(r"/admin(/|$)", request.path):
        return "en"
    remembered = _known(request.cookies.get(COOKIE, ""))
    browser = accepted_language(request.headers.get("Accept-Language", ""))
    return chosen_language(request) or remembered or browser


def chosen_language(request: web.Request) -> str | None:
    """The language in the query, if it is one of LANGUAGES."""
    return _known(request.query.get(KEY, ""))


@lru_cache(maxsize=100)
def accepted_language(header: str) -> str:
    """The first of the browser's preferred languages that there is, from Accept-Language."""
    preferred = []
    for position, item in enumerate(header.split(",")):
        tag, _, parameters = item.partition(";")
        weight = re.search(r"q\s*=\s*([01](?:\.\d*)?)", parameters)
        quality = float(weight[1]) if weight else 1.0
        language = language_for(tag.strip())
        if quality and language.lower().startswith(tag.strip().partition("-")[0].lower() or "?"):
            preferred.append((-quality, position, language))
    return min(preferred)[2] if preferred else "en"


def remember(response: web.StreamResponse, language: str, *, secure: bool) -> None:
    """Sets the cookie of the language for a year."""
    response.set_cookie(
        COOKIE, language, max_age=A_YEAR, path="/", httponly=True, samesite="Lax", secure=secure
    )


def _known(tag: str) -> str | None:
    return next((name for name in LANGUAGES if name.lower() == tag.lower()), None)
