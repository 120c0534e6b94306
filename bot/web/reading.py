"""Reading requests: every mistake is a BadRequest that names the key."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from bot.errors import Refusal
from bot.studio import MAX_COUNT, MAX_FRAMES, SEEDS
from db.store import Sort

MAX_BODY = 16 * 1024  # bytes; a wish is a few words
MAX_LINE = 256 * 1024  # bytes of a request's first line: a page answers even to an absurd prompt
MAX_SEED = SEEDS - 1
MAX_SIZE = 4096  # pixels; the model says which sizes there are
SIZES = (64, 128, 256)  # pixels that a picture is scaled to


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
    size: int | None = None


async def read_order(request: web.Request) -> Order:
    """The order in a JSON body; raises what `read_json` does."""
    body = await read_json(request, "prompt", "count", "seed", "size")
    if "prompt" not in body:
        raise BadRequest('prompt is missing; for example "hair:pink eyes:orange"')
    return Order(
        prompt=_text("prompt", body["prompt"]),
        count=_whole("count", body.get("count", 1), 1, MAX_COUNT),
        seed=read_seed(body),
        size=None if body.get("size") is None else _whole("size", body["size"], 1, MAX_SIZE),
    )


async def read_json(request: web.Request, *known: str) -> dict[str, Any]:
    """The object in a JSON body, which has no other keys than these; nothing is an empty one.

    Raises BadRequest, HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(
            text="send JSON, with the header content-type: application/json"
        )
    try:
        text = (await request.read()).decode("utf-8")
        body = json.loads(text) if text else {}
    except (ValueError, RecursionError, web.RequestPayloadError):
        raise BadRequest("the body is not valid JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise BadRequest('the body must be a JSON object such as {"prompt": "hair:pink"}')
    _refuse_unknown(body, known)
    return body


def read_seed(body: Mapping[str, Any]) -> int | None:
    """Raises BadRequest."""
    return None if body.get("seed") is None else _whole("seed", body["seed"], 0, MAX_SEED)


def read_wish(body: Mapping[str, Any]) -> dict[str, str]:
    """Raises BadRequest."""
    wish = body.get("wish")
    if not isinstance(wish, dict):
        raise BadRequest('wish must be an object such as {"hair": "blue"}')
    return {name: _text(f"wish.{_short(name)}", value) for name, value in wish.items()}


def read_pair(body: Mapping[str, Any]) -> tuple[str, str]:
    """The ids of two avatars, `a` and `b`. Raises BadRequest."""
    for key in ("a", "b"):
        if key not in body:
            raise BadRequest(f"{key} is missing; it is the id of an avatar")
    return _text("a", body["a"]), _text("b", body["b"])


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
    return Order(form.get("prompt", ""), seed=_digits("seed", seed, 0, MAX_SEED))


def read_query(query: MultiMapping[str], *known: str) -> Mapping[str, str]:
    """Raises BadRequest for a key that is unknown, or given more than once."""
    refuse_twice(query)
    _refuse_unknown(query, known)
    return query


def read_size(query: Mapping[str, str]) -> int | None:
    """Of a picture; None where none is named. Raises BadRequest."""
    size = query.get("size")
    if size is None:
        return None
    if size not in map(str, SIZES):
        sizes = ", ".join(map(str, SIZES))
        raise BadRequest(f"size must be one of {sizes}; it is {_quoted(size)}")
    return int(size)


def read_frames(query: Mapping[str, str], default: int) -> int:
    """Raises BadRequest."""
    frames = _digits("frames", query.get("frames", ""), 2, MAX_FRAMES)
    return default if frames is None else frames


def read_sort(query: Mapping[str, str]) -> Sort:
    """Raises BadRequest."""
    match query.get("sort") or "new":
        case "new":
            return "new"
        case "loved":
            return "loved"
        case other:
            raise BadRequest(f'sort must be "new" or "loved"; it is {_quoted(other)}')


def read_limit(query: Mapping[str, str], default: int, most: int) -> int:
    """How many pictures a page shall have. Raises BadRequest."""
    limit = _digits("limit", query.get("limit", ""), 1, most)
    return default if limit is None else limit


def refuse_twice(query: MultiMapping[str]) -> None:
    """Raises BadRequest if a key is given more than once: which one was meant?"""
    for key in query:
        if len(query.getall(key)) > 1:
            raise BadRequest(f"{_quoted(key)} is given more than once")


def _refuse_unknown(given: Iterable[str], known: Sequence[str]) -> None:
    if unknown := [key for key in given if key not in known]:
        there_are = f"known: {', '.join(known)}" if known else "there are none"
        raise BadRequest(f"unknown key {_quoted(unknown[0])}; {there_are}")


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadRequest(f"{key} must be a string, not {_json_type(value)}")
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
