"""Reading requests: every mistake is a BadRequest that names the key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from bot.errors import Refusal
from bot.studio import MAX_COUNT, SEEDS

MAX_BODY = 16 * 1024  # bytes; a wish is a few words
MAX_SEED = SEEDS - 1


class BadRequest(Refusal):
    """A request that cannot be read, with the reason: English, as the interface's keys are."""

    def __init__(self, why: str) -> None:
        super().__init__("web-request", why=why)


@dataclass(frozen=True, slots=True)
class Order:
    """What a visitor asks to be painted."""

    prompt: str
    count: int = 1
    seed: int | None = None


async def read_order(request: web.Request) -> Order:
    """The order in a JSON body.

    Raises BadRequest, HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(
            text="send JSON, with the header content-type: application/json"
        )
    try:
        body = json.loads((await request.read()).decode("utf-8"))
    except (ValueError, RecursionError, web.RequestPayloadError):
        raise BadRequest("the body is not valid JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise BadRequest('the body must be a JSON object such as {"prompt": "hair:pink"}')
    known = ("prompt", "count", "seed")
    if unknown := [key for key in body if key not in known]:
        raise BadRequest(f"unknown key {_quoted(unknown[0])}; known: {', '.join(known)}")
    if "prompt" not in body:
        raise BadRequest('prompt is missing; for example "hair:pink eyes:orange"')
    return Order(
        prompt=_prompt(body["prompt"]),
        count=_whole("count", body.get("count", 1), 1, MAX_COUNT),
        seed=None if body.get("seed") is None else _whole("seed", body["seed"], 0, MAX_SEED),
    )


async def read_fields(request: web.Request) -> dict[str, str]:
    """The texts of a form; files are left out. Raises BadRequest, HTTPRequestEntityTooLarge."""
    try:
        form = await request.post()
    except (ValueError, LookupError, RuntimeError, web.RequestPayloadError):
        raise BadRequest("the form cannot be read") from None
    return {key: value for key, value in form.items() if isinstance(value, str)}


def read_form(form: Mapping[str, str]) -> Order:
    """The order in the page's form, as it comes without JavaScript. Raises BadRequest."""
    seed = form.get("seed", "")
    return Order(_prompt(form.get("prompt", "")), seed=_digits("seed", seed, 0, MAX_SEED))


def read_limit(query: Mapping[str, str], default: int, most: int) -> int:
    """How many pictures a page shall have. Raises BadRequest."""
    limit = _digits("limit", query.get("limit", ""), 1, most)
    return default if limit is None else limit


def refuse_twice(query: MultiMapping[str]) -> None:
    """Raises BadRequest if a key is given more than once: which one was meant?"""
    for key in query:
        if len(query.getall(key)) > 1:
            raise BadRequest(f"{_quoted(key)} is given more than once")


def _prompt(value: Any) -> str:
    if not isinstance(value, str):
        raise BadRequest(f"prompt must be a string, not {_json_type(value)}")
    return value


def _whole(key: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(
            f"{key} must be a whole number from {least} to {most}, not {_json_type(value)}"
        )
    if not least <= value <= most:
        raise BadRequest(f"{key} must be from {least} to {most}; it is {_short(str(value))}")
    return value


def _digits(key: str, text: Any, least: int, most: int) -> int | None:
    """The number in a query or form field, None if that is empty."""
    text = text.strip() if isinstance(text, str) else "?"
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        raise BadRequest(
            f"{key} must be a whole number from {least} to {most}; it is {_short(text)}"
        )
    return _whole(key, int(text), least, most)


def _json_type(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number with a fraction"}
    names |= {str: "a string", list: "a list", dict: "an object", type(None): "null"}
    return names[type(value)]


def _quoted(text: str) -> str:
    return json.dumps(_short(text))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
