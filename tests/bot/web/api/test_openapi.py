"""The generated OpenAPI document, compared with the answers of the application."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from bot.errors import Busy
from bot.studio import Studio
from bot.web.app import openapi_document

from ..conftest import Client, Serve

DOCUMENT = json.loads(json.dumps(openapi_document()))
REGISTRY: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(DOCUMENT))


def operation(path: str, method: str) -> dict[str, Any]:
    """The operation of a request in the document."""
    for template, item in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method in item:
            found: dict[str, Any] = item[method]
            return found
    raise AssertionError(f"{method} {path} is not described")


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    return REGISTRY.resolver("urn:api").lookup(part["$ref"]).contents if "$ref" in part else part


async def checked_answer(client: Client, method: str, url: str, **options: Any) -> Any:
    """The answer of the application, validated against the document."""
    async with client.request(method, url, **options) as answer:
        responses = operation(answer.url.path, method.lower())["responses"]
        assert str(answer.status) in responses, (method, url, answer.status, await answer.text())
        described = resolved(responses[str(answer.status)])
        for name, header in described.get("headers", {}).items():
            if name in answer.headers and header["schema"]["type"] == "integer":
                assert int(answer.headers[name]) > 0
            assert name in answer.headers or not header.get("required"), name
        content = described.get("content")
        if content is None:
            assert not await answer.read()
            return None
        assert answer.content_type in content
        if answer.content_type != "application/json":
            return await answer.read() if answer.content_type != "text/event-stream" else None
        value = await answer.json()
        schema = described["content"]["application/json"]["schema"]
        Draft202012Validator(
            absolute(schema), registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
        ).validate(value)
        return value


def absolute(schema: Any) -> Any:
    """Rewrites references so that they point into the document."""
    if isinstance(schema, dict):
        return {
            key: f"urn:api{value}" if key == "$ref" else absolute(value)
            for key, value in schema.items()
        }
    return [absolute(part) for part in schema] if isinstance(schema, list) else schema


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key == "$ref")
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_references_and_schemas_are_valid() -> None:
    resolver = REGISTRY.resolver("urn:api")
    for reference in references(DOCUMENT):
        resolver.lookup(reference)
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    ids = [
        item[method]["operationId"]
        for item in DOCUMENT["paths"].values()
        for method in item.keys() & {"get", "post", "delete"}
    ]
    assert len(ids) == len(set(ids))


async def test_every_route_of_the_api_is_described_and_no_other(client: Client) -> None:
    routes = {
        (route.resource.canonical, route.method.lower())
        for route in client.app.router.routes()
        if route.method != "HEAD"
        and route.resource is not None
        and re.match(
            r"/(api|images|thumbs|avatar|livez|readyz|healthz|metrics)\b", route.resource.canonical
        )
    }
    described = {
        (path, method)
        for path, item in DOCUMENT["paths"].items()
        for method in item.keys() & {"get", "post", "delete"}
    }
    assert {route for route in routes if "admin" not in route[0]} == described


async def test_answers_are_as_described(client: Client) -> None:
    assert await checked_answer(client, "GET", "/api/openapi.json") == DOCUMENT
    a, b = await checked_answer(
        client, "POST", "/api/avatars", json={"prompt": "pink hair", "count": 2, "size": 64}
    )
    of_a = f"/api/avatars/{a['id']}"
    await checked_answer(client, "POST", f"{of_a}/again", json={"seed": 3})
    await checked_answer(client, "POST", f"{of_a}/recolour", json={"wish": {"hair": "blue"}})
    assert len(await checked_answer(client, "POST", f"{of_a}/variations", json={})) == 9
    (child,) = await checked_answer(client, "POST", "/api/mix", json={"a": a["id"], "b": b["id"]})
    details = await checked_answer(client, "GET", f"/api/avatars/{child['id']}")
    assert [parent["id"] for parent in details["parents"]] == child["parents"]
    await checked_answer(client, "POST", f"{of_a}/favourite", json={})
    await checked_answer(client, "GET", f"/api/transition?a={a['id']}&b={b['id']}&frames=3")
    await checked_answer(client, "GET", f"/api/morph.webp?ids={a['id']},{b['id']}")
    sheet = await checked_answer(client, "GET", "/api/find?prompt=pink+hair&seed=7&choices=13")
    await checked_answer(client, "GET", sheet["image_url"])
    adopted = {key: sheet[key] for key in ("prompt", "seed", "model")} | {"choices": "13.2"}
    (found,) = await checked_answer(client, "POST", "/api/find", json=adopted)
    assert found["choices"] == "13.2"
    await checked_answer(client, "GET", "/api/avatars?hair=pink&sort=loved&limit=2")
    await checked_answer(client, "GET", "/api/facets?hair=pink")
    await checked_answer(client, "GET", "/api/matrix")
    await checked_answer(client, "GET", "/api/events")
    await checked_answer(client, "GET", "/api/wish?prompt=pink")
    await checked_answer(client, "GET", f"{a['image_url']}?size=64")
    await checked_answer(client, "GET", a["thumb_url"])
    await checked_answer(client, "GET", f"/images/{a['id']}/circle.png")
    await checked_answer(client, "GET", f"/images/{a['id']}/pack.zip")
    await checked_answer(client, "GET", f"{of_a}/proof")
    file = await checked_answer(client, "GET", a["image_url"])
    await checked_answer(
        client, "POST", "/api/open", data=file, headers={"content-type": "image/png"}
    )
    for health in ("/livez", "/readyz", "/healthz"):
        await checked_answer(client, "GET", health)
    for of_name in ("nelly.png?size=32", "hair:pink/nelly.webp", "v/tiny/nelly.png"):
        await checked_answer(client, "GET", f"/avatar/{of_name}")
    await checked_answer(client, "GET", "/metrics")
    await checked_answer(client, "DELETE", of_a, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("method", "url", "options", "status"),
    [
        ("POST", "/api/avatars", {"json": {}}, 400),
        ("POST", "/api/avatars", {"data": b"{}"}, 415),
        ("POST", "/api/avatars", {"json": {"prompt": "x" * 100_000}}, 413),
        ("POST", "/api/avatars/22222222/again", {"json": {}}, 404),
        ("POST", "/api/mix", {"json": {"a": "x"}}, 400),
        ("POST", "/api/avatars/22222222/favourite", {"data": b""}, 415),
        ("DELETE", "/api/avatars/22222222", {"json": {}}, 404),
        ("DELETE", "/api/avatars/22222222", {"data": b""}, 415),
        ("GET", "/api/avatars?sort=best", {}, 400),
        ("GET", "/api/avatars/22222222", {}, 404),
        ("GET", "/api/transition?a=x", {}, 400),
        ("GET", "/api/transition?a=x&b=y&frames=34", {}, 400),
        ("GET", "/api/transition?a=x&b=y", {}, 404),
        ("GET", "/api/morph.webp", {}, 404),
        ("GET", "/api/find?choices=x", {}, 400),
        ("GET", "/api/find?choices=1.1.1.1", {}, 400),
        ("GET", "/api/find?seed=-1", {}, 400),
        ("GET", "/api/find?prompt=bleu+hair", {}, 400),
        ("GET", "/api/find.webp?model=none", {}, 404),
        ("POST", "/api/find", {"json": {"seed": 7, "choices": "12", "model": "tiny"}}, 400),
        ("POST", "/api/find", {"json": {"seed": 7, "choices": "1"}}, 400),
        ("GET", "/api/avatars/22222222/proof", {}, 404),
        ("POST", "/api/open", {"json": {}}, 415),
        ("POST", "/api/open", {"data": b"x", "headers": {"content-type": "image/png"}}, 400),
        ("GET", "/api/facets?hat=red", {}, 400),
        ("GET", "/api/matrix?rows=hair&columns=hair", {}, 400),
        ("GET", "/api/matrix?rows=hat", {}, 400),
        ("GET", "/images/22222222.png?size=65", {}, 400),
        ("GET", "/thumbs/22222222.webp", {}, 404),
        ("GET", "/images/22222222/square.png", {}, 400),
        ("GET", "/images/22222222/pack.zip", {}, 404),
        ("GET", "/avatar/nelly.jpg", {}, 400),
        ("GET", "/avatar/hat:red/nelly.png", {}, 400),
        ("GET", "/avatar/v/none/hair:pink/nelly.png", {}, 404),
    ],
)
async def test_error_answers_are_as_described(
    client: Client, method: str, url: str, options: dict[str, Any], status: int
) -> None:
    if options.get("data") == b"":
        options = {**options, "headers": {"content-type": "text/plain"}}
    async with client.request(method, url, **options) as answer:
        assert answer.status == status
    assert (await checked_answer(client, method, url, **options))["error"]


async def test_rate_limits_and_a_full_queue_answer_as_described(
    serve: Serve, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await serve(paint_per_minute=1)
    await checked_answer(client, "POST", "/api/avatars", json={"prompt": ""})
    assert await checked_answer(client, "POST", "/api/avatars", json={"prompt": ""})

    async def busy(*args: object, **kwargs: object) -> None:
        raise Busy(2.4)

    monkeypatch.setattr(studio.painting, "create", busy)
    other = await serve()
    await checked_answer(other, "POST", "/api/avatars", json={"prompt": ""})


async def test_a_body_is_required_where_one_without_a_content_type_is_refused(
    client: Client,
) -> None:
    paths = (await checked_answer(client, "GET", "/api/openapi.json"))["paths"]
    bodies = [
        operation["requestBody"]
        for methods in paths.values()
        for operation in methods.values()
        if "requestBody" in operation
    ]
    assert bodies
    assert all(body["required"] for body in bodies)
    async with client.post("/api/avatars/x/variations") as answer:
        assert answer.status == 415
