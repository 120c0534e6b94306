"""Messages in a form that scripts of the web page can format: JSON instead of Fluent.

A message is a string, or a list of its parts: strings, variables `{"name": "count"}`, and
selections by a variable `{"name": "count", "variants": {"one": …, "other": …}, "default":
"other"}`, whose variants are messages again. `bot/web/static/words.js` formats them.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeAlias

from fluent.syntax import FluentParser, ast

from bot.i18n.messages import LOCALES

Message: TypeAlias = str | list[Any]


def messages_for_scripts(language: str, prefixes: Iterable[str]) -> dict[str, Message]:
    """The messages whose keys begin with one of the prefixes, by key."""
    prefixes = tuple(prefixes)
    return {key: m for key, m in _all(language).items() if key.startswith(prefixes)}


@cache
def _all(language: str) -> dict[str, Message]:
    found = {}
    for file in sorted((LOCALES / language).glob("*.ftl")):
        for entry in FluentParser().parse(file.read_text("utf-8")).body:
            if isinstance(entry, ast.Message) and entry.value is not None:
                found[entry.id.name] = _convert(entry.value)
    return found


def _convert(pattern: ast.Pattern) -> Message:
    parts = [
        element.value if isinstance(element, ast.TextElement) else _part(element.expression)
        for element in pattern.elements
    ]
    text = [part for part in parts if isinstance(part, str)]
    return "".join(text) if len(text) == len(parts) else parts


def _part(expression: Any) -> str | dict[str, Any]:
    """Raises ValueError for what `words.js` cannot format, such as functions."""
    match expression:
        case ast.StringLiteral():
            return str(expression.parse()["value"])
        case ast.VariableReference():
            return {"name": expression.id.name}
        case ast.SelectExpression(selector=ast.VariableReference() as selector):
            variants = {_key(variant): _convert(variant.value) for variant in expression.variants}
            default = next(_key(variant) for variant in expression.variants if variant.default)
            return {"name": selector.id.name, "variants": variants, "default": default}
    raise ValueError(f"scripts cannot format {type(expression).__name__}")


def _key(variant: ast.Variant) -> str:
    key = variant.key
    return key.name if isinstance(key, ast.Identifier) else str(key.value)
