"""Validates requests with pydantic models; every mistake is a BadRequest that names the key."""

import asyncio
import functools
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from aiohttp import web
from multidict import MultiDict, MultiMapping
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import Refusal
from bot.i18n.messages import Fact, say

MAX_BODY = 16 * 1024  # bytes
BODY_SECONDS = 10  # in which a body must arrive
ENCODINGS = ("gzip", "deflate", "identity")  # of a JSON body; files and forms are never encoded
MAX_LINE = 256 * 1024  # bytes of a request's first line, so that long prompts get an error page

M = TypeVar("M", bound=BaseModel)
# The event loop itself keeps no references to tasks.
_running: set[asyncio.Future[web.StreamResponse]] = set()

H = TypeVar("H", bound=Callable[[web.Request], Awaitable[web.StreamResponse]])


class BadRequest(Refusal):
    """A request that is not valid."""


async def read_body(request: web.Request, model: type[M]) -> M:
    """The JSON object in the body; an empty body is an empty object.

    Raises BadRequest, HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge, HTTPRequestTimeout.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(
            text="send JSON, with the header content-type: application/json"
        )
    encoding = _require_encoding(request, ENCODINGS)
    try:
        async with _body_deadline():
            data = await request.read()
        text = _decompressed(data, encoding).decode("utf-8")
        body = json.loads(text, object_pairs_hook=_unique_keys) if text else {}
    except BadRequest:
        raise
    except (ValueError, RecursionError, zlib.error, web.RequestPayloadError):
        raise BadRequest("web-no-json") from None
    if not isinstance(body, dict):
        raise BadRequest("web-no-object", example='{"prompt": "hair:pink"}')
    return validate(model, body)


async def read_file(request: web.Request, content_type: str, most: int) -> bytes:
    """The body, a file of at most `most` bytes.

    Raises HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge, HTTPRequestTimeout, BadRequest.
    """
    if request.content_type != content_type:
        raise web.HTTPUnsupportedMediaType(
            text=f"send the file, with the header content-type: {content_type}"
        )
    _require_encoding(request, ("identity",))
    data = bytearray()
    try:
        async with _body_deadline():
            async for part in request.content.iter_any():
                data += part
                if len(data) > most:
                    raise BadRequest("web-large-file", most=most // 2**20)
    except web.RequestPayloadError:
        raise BadRequest("web-part-of-file") from None
    return bytes(data)


def _require_encoding(request: web.Request, supported: Sequence[str]) -> str:
    """The content encoding of the body. Raises HTTPUnsupportedMediaType."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in supported:
        others = "".join(f"{name}, " for name in supported if name != "identity")
        raise web.HTTPUnsupportedMediaType(
            text=f"the content encoding {_quoted(encoding)} is not supported;"
            f" use {others}identity or none"
        )
    return encoding


def _decompressed(data: bytes, encoding: str) -> bytes:
    """Raises zlib.error, HTTPRequestEntityTooLarge."""
    if encoding == "identity":
        return data
    # Some clients send deflate without the header of zlib, whose first byte ends in 8.
    has_header = data[:1] and data[0] & 15 == 8
    window = 31 if encoding == "gzip" else 15 if has_header else -15
    decompressor = zlib.decompressobj(window)
    found = decompressor.decompress(data, MAX_BODY + 1)
    if len(found) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY, len(found))
    if not decompressor.eof:
        raise zlib.error("the data is not complete")
    return found


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises BadRequest for a key that appears more than once."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest("web-twice", key=_quoted(key))
        found[key] = value
    return found


def known_keys(query: MultiMapping[str], known: Collection[str]) -> MultiDict[str]:
    """The query of a page, without keys that the page does not know, such as `utm_source`, which
    other sites add to links.
    """
    return MultiDict((key, value) for key, value in query.items() if key in known)


def read_query(query: MultiMapping[str], model: type[M]) -> M:
    """The query string. A key with an empty value has its default.

    Raises BadRequest, also for a key that appears more than once.
    """
    reject_duplicates(query)
    given = {
        key: value
        for key, value in query.items()
        if value or key not in model.model_fields or model.model_fields[key].is_required()
    }
    return validate(model, given)


async def read_form(request: web.Request) -> dict[str, str]:
    """The text fields of a form.

    Raises BadRequest, HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge, HTTPRequestTimeout.
    """
    _require_encoding(request, ("identity",))
    try:
        async with _body_deadline():
            form = await request.post()
    except (ValueError, LookupError, RuntimeError, web.RequestPayloadError):
        raise BadRequest("web-no-form") from None
    return {key: value for key, value in form.items() if isinstance(value, str)}


@asynccontextmanager
async def _body_deadline() -> AsyncIterator[None]:
    """Raises HTTPRequestTimeout."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError:
        raise web.HTTPRequestTimeout(
            text=f"the body did not arrive within {BODY_SECONDS} seconds"
        ) from None


def completed(handler: H) -> H:
    """Runs a handler to its end although the client has left: the change of a click is not lost
    when the next click loads another page.
    """

    @functools.wraps(handler)
    async def run(request: web.Request) -> web.StreamResponse:
        task = asyncio.ensure_future(handler(request))
        _running.add(task)
        task.add_done_callback(_running.discard)
        return await asyncio.shield(task)

    return cast(H, run)


def validate(model: type[M], values: Mapping[str, Any]) -> M:
    """Raises BadRequest for the first mistake."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise _refusal(model, error.errors()[0]) from None


def reject_duplicates(query: MultiMapping[str]) -> None:
    """Raises BadRequest for a key that appears more than once."""
    for key in query:
        if len(query.getall(key)) > 1:
            raise BadRequest("web-twice", key=_quoted(key))


def _refusal(model: type[BaseModel], error: ErrorDetails) -> BadRequest:
    path = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        known, key = ", ".join(model.model_fields), _quoted(path[0])
        return BadRequest("web-unknown-key", known=known or "none", key=key)
    key, expected = _shortened(".".join(path)), _expectation(model, path)
    if error["type"] == "missing":
        return BadRequest("web-missing", key=key, expected=expected)
    return BadRequest("web-invalid", key=key, expected=expected, found=_shown(error["input"]))


def _expectation(model: type[BaseModel], path: Sequence[str]) -> Fact:
    """The type in the model's JSON schema at this path, in words."""
    root = model.model_json_schema()

    def resolved(schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]] | rest
        options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
        return resolved(options[0]) | {"examples": schema.get("examples")} if options else schema

    schema = root
    for key in path:
        properties = schema.get("properties", {})
        step = properties.get(key) or schema.get("additionalProperties") or schema.get("items")
        if not isinstance(step, dict):
            break
        schema = resolved(step)
    if "enum" in schema:
        return _words("web-one-of", values=", ".join(json.dumps(v) for v in schema["enum"]))
    examples = schema.get("examples") or []
    example = json.dumps(examples[0]) if examples else "none"
    match schema.get("type"):
        case "integer":
            most = schema.get("maximum", schema.get("exclusiveMaximum", 0) - 1)
            return _words("web-whole-number", least=schema["minimum"], most=most)
        case "number":
            return _words("web-number", least=schema["minimum"], most=schema["maximum"])
        case "object":
            return _words("web-object", example=example)
        case "array":
            return _words("web-list")
        case _:
            return _words("web-string", most=schema.get("maxLength", 0), example=example)


def _words(key: str, /, **facts: Fact) -> Fact:
    """A part of a message, in its language."""
    return lambda language: say(key, language, **facts)


def _shown(value: Any) -> Fact:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return _words("web-object", example="none")
    if isinstance(value, list):
        return _words("web-list")
    return _shortened(json.dumps(value))


def _quoted(text: str) -> str:
    return json.dumps(_shortened(text))


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
