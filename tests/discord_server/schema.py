"""Validation against Discord's OpenAPI description, if it is available."""

import json
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from external_data import DISCORD_OPENAPI
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from .errors import Form

BASE = "urn:discord"

# Discord's error code and message for each keyword of JSON Schema.
MESSAGES = {
    "required": ("BASE_TYPE_REQUIRED", "This field is required"),
    "maxLength": ("BASE_TYPE_MAX_LENGTH", "Must be {0} or fewer in length."),
    "minLength": ("BASE_TYPE_MIN_LENGTH", "Must be {0} or more in length."),
    "maxItems": ("BASE_TYPE_MAX_LENGTH", "Must be {0} or fewer in length."),
    "minItems": ("BASE_TYPE_MIN_LENGTH", "Must be {0} or more in length."),
    "maximum": ("NUMBER_TYPE_MAX", "int value should be less than or equal to {0}."),
    "minimum": ("NUMBER_TYPE_MIN", "int value should be greater than or equal to {0}."),
    "enum": ("BASE_TYPE_CHOICES", "Value must be one of {0}."),
    "const": ("BASE_TYPE_CHOICES", "Value must be one of {{{0}}}."),
    "oneOf": ("UNION_TYPE_CHOICES", "Value is none of the allowed kinds."),
    "anyOf": ("UNION_TYPE_CHOICES", "Value is none of the allowed kinds."),
    "type": ("BASE_TYPE_BAD_TYPE", "Value is not of type {0}."),
    "uniqueItems": ("SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value"),
}

LENGTH, ITEMS = ("minLength", "maxLength"), ("minItems", "maxItems")
BOUNDS = {"minLength": LENGTH, "maxLength": LENGTH, "minItems": ITEMS, "maxItems": ITEMS}

# Parts of gateway events (None: the whole) that the HTTP API answers with as well.
EVENT_PARTS: dict[str, dict[str, str | None]] = {
    "GUILD_CREATE": {"GuildResponse": None},
    "MESSAGE_CREATE": {"MessageResponse": None},
    "MESSAGE_UPDATE": {"MessageResponse": None},
    "INTERACTION_CREATE": {
        "GuildMemberResponse": "member",
        "UserResponse": "user",
        "MessageResponse": "message",
    },
}


class Schemas:
    """Validates bodies by path and method, or by the name of a schema."""

    def __init__(self, file: Path = DISCORD_OPENAPI) -> None:
        self.document = json.loads(file.read_text("utf-8"))
        schemas = self.document["components"]["schemas"]
        # In the description the codes of nested errors are numbers; Discord sends strings.
        inner = schemas["InnerErrors"]["properties"]["_errors"]
        inner["items"] = {"required": ["code", "message"]}
        # Discord accepts ids as numbers but always sends strings.
        ids = {"type": ["string", "integer"], "pattern": schemas["SnowflakeType"]["pattern"]}
        lenient = {"components": {"schemas": schemas | {"SnowflakeType": ids}}}
        self._requests = Checker(self.document | lenient)
        self._answers = Checker(self.document)

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = self.document["paths"].get(path, {}).get(method.lower())
        return operation

    def check_request(self, method: str, path: str, body: Any, form: Form) -> None:
        """Adds the errors of the JSON body of a request to `form`."""
        operation = self.operation(method, path)
        if operation is None or "requestBody" not in operation:
            return
        pointer = f"/paths/{escape(path)}/{method.lower()}/requestBody/content"
        kind = escape("application/json")
        self._check(f"{pointer}/{kind}/schema", body, form)

    def check_named(self, name: str, body: Any, form: Form) -> None:
        """Adds the errors of `body` under the schema of that name to `form`."""
        self._check(f"/components/schemas/{name}", body, form)

    def response_errors(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Errors of a response of the fake server."""
        operation = self.operation(method, path)
        if operation is None:
            return []
        responses = operation["responses"]
        if status >= 400:
            name = "RatelimitedResponse" if status == 429 else "ErrorResponse"
            pointer = f"/components/schemas/{name}"
        elif str(status) not in responses:
            return [f"{method} {path} never answers {status}; known: {sorted(responses)}"]
        elif "content" not in responses[str(status)]:
            return [f"{method} {path}: {status} has no body"] if body is not None else []
        else:
            pointer = (
                f"/paths/{escape(path)}/{method.lower()}/responses/{status}"
                f"/content/{escape('application/json')}/schema"
            )
        return [
            f"{method} {path} {status}: {'.'.join(map(str, leaf.absolute_path))}: {leaf.message}"
            for leaf in self._answers.errors(pointer, body)
        ]

    def event_errors(self, event: str, data: Any) -> list[str]:
        """Errors of a gateway event in the parts that the description covers."""
        found = []
        for name, part in EVENT_PARTS.get(event, {}).items():
            body = data.get(part) if part else data
            if body is not None:
                errors = self._answers.errors(f"/components/schemas/{name}", body)
                found += [f"{event} {part}: {list(e.absolute_path)}: {e.message}" for e in errors]
        return found

    def _check(self, pointer: str, body: Any, form: Form) -> None:
        for leaf in self._requests.errors(pointer, body):
            path = list(leaf.absolute_path)
            if leaf.validator == "required":
                path.append(leaf.message.split("'")[1])
            elif leaf.validator in ("oneOf", "anyOf") and "type" in keys(leaf.instance):
                path.append("type")
            minimum, maximum = BOUNDS.get(str(leaf.validator), ("", ""))
            if minimum in leaf.schema and maximum in leaf.schema:
                form.bad_length(path, leaf.schema[minimum], leaf.schema[maximum])
                continue
            code, reason = MESSAGES.get(str(leaf.validator), ("BASE_TYPE_INVALID", leaf.message))
            form.add(path, code, reason.format(leaf.validator_value))


class Checker:
    """Finds the errors of bodies under the schemas of an OpenAPI document.

    Most bodies are valid, which `jsonschema_rs` decides a hundred times faster; `jsonschema` finds
    the errors of the others, with the branches of unions.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        resource = DRAFT202012.create_resource(document)
        self._registry: Registry = Registry().with_resource(BASE, resource)
        self._fast_registry = jsonschema_rs.Registry([(BASE, document)])
        self._validators: dict[str, Draft202012Validator] = {}
        self._fast_validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def errors(self, pointer: str, body: Any) -> Iterable[ValidationError]:
        if pointer not in self._validators:
            schema = {"$ref": f"{BASE}#{pointer}"}
            self._validators[pointer] = Draft202012Validator(schema, registry=self._registry)
            self._fast_validators[pointer] = jsonschema_rs.Draft202012Validator(
                schema, registry=self._fast_registry
            )
        if self._fast_validators[pointer].is_valid(body):
            return ()
        return leaves(self._validators[pointer].iter_errors(body))


def escape(part: str) -> str:
    """A part of a JSON pointer in a URI fragment."""
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def keys(instance: Any) -> Iterable[str]:
    return instance if isinstance(instance, dict) else ()


def leaves(errors: Iterable[ValidationError]) -> Iterable[ValidationError]:
    """The innermost errors; of a union, those of the intended branch."""
    for error in errors:
        if not error.context:
            yield error
            continue
        branches: dict[Any, list[ValidationError]] = {}
        for child in error.context:
            branches.setdefault(child.schema_path[0], []).append(child)
        meant = [branch for branch in branches.values() if not _other_kind(branch)]
        if meant:
            closest: list[ValidationError] = min(meant, key=len)
            yield from leaves(closest)
        else:
            yield error


def _other_kind(branch: list[ValidationError]) -> bool:
    """Whether the branch is for null or another component type, so not the intended one."""
    return any(
        (error.relative_path and error.relative_path[-1] == "type" and error.validator == "enum")
        or (error.validator == "type" and not error.relative_path)
        for error in branch
    )


@cache
def discord_schemas() -> Schemas | None:
    """Schemas shared by all tests, since reading the description is slow.

    None, with a warning, if the file is missing.
    """
    if DISCORD_OPENAPI.is_file():
        return Schemas()
    warnings.warn(
        f"bodies are not checked against Discord's schemas: no {DISCORD_OPENAPI}", stacklevel=2
    )
    return None
