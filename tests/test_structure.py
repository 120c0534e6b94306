"""Sizes of classes and signatures of the serving side, and what its front ends call."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVING = ("bot", "db")
MAX_PARAMETERS = 7
MAX_CLASS_LINES = 250

Function = ast.FunctionDef | ast.AsyncFunctionDef


def nodes(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                yield str(file.relative_to(ROOT)), node


def parameters(function: Function) -> list[str]:
    """Names of all parameters except self and cls."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    named += [parameter for parameter in (given.vararg, given.kwarg) if parameter is not None]
    return [parameter.arg for parameter in named if parameter.arg not in ("self", "cls")]


@pytest.mark.parametrize("folder", SERVING)
def test_functions_have_at_most_seven_parameters(folder: str) -> None:
    functions = [(file, node) for file, node in nodes(folder) if isinstance(node, Function)]
    assert len(functions) > 50
    for file, function in functions:
        names = parameters(function)
        assert len(names) <= MAX_PARAMETERS, f"{file}: {function.name}({', '.join(names)})"


def test_classes_of_the_serving_side_are_shorter_than_250_lines() -> None:
    for file, node in nodes(*SERVING):
        if isinstance(node, ast.ClassDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            assert lines < MAX_CLASS_LINES, f"{file}: {node.name} has {lines} lines"


@pytest.mark.parametrize("folder", ["bot/web", "bot/discord"])
def test_front_ends_use_neither_the_engine_nor_the_store_of_the_studio(folder: str) -> None:
    """Imports are checked in test_imports; private attributes would be a way around them."""
    for file, node in nodes(folder):
        if isinstance(node, ast.Attribute):
            studio = ast.unparse(node.value).endswith(("studio", "[STUDIO]", "app[STUDIO]"))
            assert not (studio and node.attr.startswith("_")), f"{file}: {ast.unparse(node)}"
