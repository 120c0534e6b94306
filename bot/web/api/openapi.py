"""Generates the OpenAPI 3.1 description of the API from its routes and their pydantic models."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from bot.web.api import schemas
from bot.web.requests import BODY_SECONDS, MAX_BODY

JSON = "application/json"
REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = """\
Paints anime avatars, and serves the public ones. Every error is an object with one key, \
`error`, that says what was wrong. Requests that change or paint something must not come from \
another site's page. POST and DELETE need the header `content-type: application/json`, except for \
`/api/open`. The first request that paints sets a cookie that lets the visitor delete these \
pictures. Private, hidden and deleted pictures return 404."""
PATTERN = re.compile(r"\{(\w+)(?::[^{}]*)?\}")  # a part of a path, such as {name:[^/]+}
# Parts of paths, and the models of their schemas.
PATH_PARAMETERS: Mapping[str, Any] = {
    "id": schemas.Id,
    "name": schemas.FaceName,
    "format": schemas.FileFormat,
    "values": schemas.FaceValues,
    "model": schemas.ModelName,
    "crop": schemas.Crop,
}
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
}
ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The request is not valid."),
    403: (
        "NotAllowed",
        "Painting is turned off, the picture belongs to somebody else, or the request comes from "
        "another site's page.",
    ),
    404: ("NotFound", "There is no such public picture or model."),
    408: ("Timeout", f"The body did not arrive within {BODY_SECONDS} seconds."),
    413: ("TooLarge", f"The body is larger than {MAX_BODY // 1024} KiB."),
    415: ("NotJson", "The content type is not the one of the body in this description."),
    429: ("TooMany", "This address has reached its limit."),
    503: ("Unavailable", "The queue is full, or the model or the database cannot be used."),
}
JSON_ERRORS = (400, 408, 413, 415)  # of every request with a JSON body
PAINTING_ERRORS = (*JSON_ERRORS, 403, 429, 503)

H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful response. `content` is a model, or the media types of what is not JSON,
    separated by commas.
    """

    description: str
    content: Any = None
    headers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """The description of one handler."""

    answers: Mapping[int, Answer]
    errors: Sequence[int]
    body: type[BaseModel] | str | None  # a string is the media type of a file
    query: type[BaseModel] | None
    header: tuple[str, str] | None


OPERATIONS: dict[Callable[..., Any], Operation] = {}


def describe(
    answers: Mapping[int, Answer],
    *,
    errors: Sequence[int] = (),
    body: type[BaseModel] | str | None = None,
    query: type[BaseModel] | None = None,
    header: tuple[str, str] | None = None,
) -> Callable[[H], H]:
    """Adds a handler to the description. Its docstring becomes summary and description;
    `header` is a request header and what it is for.
    """

    def add(handler: H) -> H:
        OPERATIONS[handler] = Operation(answers, errors, body, query, header)
        return handler

    return add


def build_document(routes: Iterable[web.AbstractRouteDef]) -> dict[str, Any]:
    """The OpenAPI document of those routes whose handlers are described."""
    described = [
        (route, OPERATIONS[route.handler])
        for route in routes
        if isinstance(route, web.RouteDef) and route.handler in OPERATIONS
    ]
    generated = _generate_schemas([operation for _, operation in described])
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in described:
        path = PATTERN.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _describe_operation(
            route, operation, generated
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Irodori",
            "version": "1",
            "license": {"name": "MIT", "identifier": "MIT"},
            "description": DESCRIPTION,
        },
        "paths": paths,
        "components": {
            "parameters": {
                **{
                    name: {
                        "name": name,
                        "in": "path",
                        "required": True,
                        "schema": {"$ref": REFERENCE.format(model=schema.__name__)},
                    }
                    for name, schema in PATH_PARAMETERS.items()
                },
                "filter": {
                    "name": "filter",
                    "in": "query",
                    "style": "form",
                    "explode": True,
                    "description": "Attributes and values such as hair=pink&eyes=orange: only "
                    "pictures that have all of them.",
                    "schema": {"$ref": REFERENCE.format(model="Wish")},
                },
            },
            "responses": {name: _describe_error(status) for status, (name, _) in ERRORS.items()},
            "schemas": generated.definitions,
        },
    }


@dataclass(frozen=True, slots=True)
class _Schemas:
    """The JSON schema of every model in the document, and the definitions that they refer to."""

    by_model: Mapping[int, dict[str, Any]]
    definitions: dict[str, Any]

    def of(self, model: Any) -> dict[str, Any]:
        return self.by_model[id(model)]


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # it would repeat the field's name


def _generate_schemas(operations: Iterable[Operation]) -> _Schemas:
    requests = [m for o in operations for m in (o.body, o.query) if isinstance(m, type)]
    responses = [
        answer.content
        for operation in operations
        for answer in operation.answers.values()
        if answer.content is not None and not isinstance(answer.content, str)
    ]
    inputs = [(id(model), "validation", TypeAdapter(model)) for model in requests]
    outputs = [
        (id(model), "serialization", TypeAdapter(model))
        for model in (*responses, schemas.Error, schemas.Wish, *PATH_PARAMETERS.values())
    ]
    found, rest = TypeAdapter.json_schemas(
        [*inputs, *outputs],  # type: ignore[list-item]  # the modes are literals
        ref_template=REFERENCE,
        schema_generator=_Generator,
    )
    by_model = {key: schema for (key, _), schema in found.items()}
    return _Schemas(by_model, rest.get("$defs", {}))


def _describe_operation(
    route: web.RouteDef, operation: Operation, generated: _Schemas
) -> dict[str, Any]:
    summary, _, description = (inspect.getdoc(route.handler) or "").partition("\n")
    described: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": summary.rstrip("."),
    }
    if description.strip():
        described["description"] = " ".join(description.split())
    parameters = [*_path_parameters(route.path), *_query_parameters(operation, generated)]
    if operation.header:
        name, purpose = operation.header
        header = {"name": name, "in": "header", "description": purpose}
        parameters.append({**header, "schema": {"type": "string"}})
    if parameters:
        described["parameters"] = parameters
    if isinstance(operation.body, str):
        described["requestBody"] = {"required": True, "content": {operation.body: {}}}
    elif operation.body is not None:
        described["requestBody"] = {
            "required": True,  # without a body there is no content type, which answers 415
            "content": {JSON: {"schema": generated.of(operation.body)}},
        }
    described["responses"] = {
        **{str(s): _describe_answer(a, generated) for s, a in operation.answers.items()},
        **{
            str(status): {"$ref": f"#/components/responses/{ERRORS[status][0]}"}
            for status in sorted(operation.errors)
        },
    }
    return described


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in PATTERN.findall(path)]


def _query_parameters(operation: Operation, generated: _Schemas) -> list[dict[str, Any]]:
    model = operation.query
    if model is None:
        return []
    schema = generated.of(model)
    if "$ref" in schema:
        schema = generated.definitions[schema["$ref"].rpartition("/")[2]]
    parameters: list[dict[str, Any]] = []
    if issubclass(model, schemas.FilterQuery):
        parameters.append({"$ref": "#/components/parameters/filter"})
    for name, value in schema.get("properties", {}).items():
        value = dict(value)
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", ())}
        if "description" in value:
            parameter["description"] = value.pop("description")
        if value.get("type") == "array":
            parameter |= {"style": "form", "explode": False}
        parameters.append({**parameter, "schema": value})
    return parameters


def _describe_answer(answer: Answer, generated: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        described["headers"] = dict(answer.headers)
    if isinstance(answer.content, str):
        described["content"] = {media_type: {} for media_type in answer.content.split(", ")}
    elif answer.content is not None:
        described["content"] = {JSON: {"schema": generated.of(answer.content)}}
    return described


def _describe_error(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": ERRORS[status][1],
        "content": {JSON: {"schema": {"$ref": REFERENCE.format(model="Error")}}},
    }
    if status in (429, 503):
        described["headers"] = RETRY_AFTER
    return described
