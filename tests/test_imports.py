"""The rules for imports between packages; see docs/architecture.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"bot", "db", "export", "train", "config"}
TRAINING = {"torch", "torchvision", "torchmetrics", "onnx", "onnxscript", "safetensors", "rich"}
SLOW = {"matplotlib", "timm", "torchmetrics", "torchvision"}
MAY_IMPORT = {
    "bot": {
        "bot",
        "db",
        "config",
        "export.candidates",
        "export.directions",
        "export.figures",
        "export.manifest",
        "export.registry",
    },
    "db": {"db", "config"},
    "export": {"export", "train", "config"},
    "train": {"train", "export", "config"},
}
PLAIN = [
    "export/candidates.py",
    "export/directions.py",
    "export/figures.py",
    "export/manifest.py",
    "export/registry.py",
    "config/__init__.py",
]


def modules(*packages: str) -> list[Path]:
    return [file for package in packages for file in sorted((ROOT / package).rglob("*.py"))]


def imports(file: Path, *, at_start: bool = False) -> Iterator[str]:
    """`at_start`: only those outside of functions and other blocks."""
    module = ast.parse(file.read_text("utf-8"))
    for node in module.body if at_start else ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports are not allowed"
            yield node.module or ""


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package: str) -> None:
    for file in modules(package):
        for name in imports(file):
            if name.split(".")[0] in PACKAGES:
                allowed = any(name == ok or name.startswith(f"{ok}.") for ok in MAY_IMPORT[package])
                assert allowed, f"{file.relative_to(ROOT)} imports {name}"


def test_the_serving_side_imports_no_training_libraries() -> None:
    for file in [*modules("bot", "db"), *(ROOT / name for name in PLAIN)]:
        heavy = TRAINING & {name.split(".")[0] for name in imports(file)}
        assert not heavy, f"{file.relative_to(ROOT)} imports {heavy}"


def test_commands_start_without_slow_libraries() -> None:
    """They are imported where they are used, as most commands do not need them."""
    for file in modules("export", "train"):
        slow = SLOW & {name.split(".")[0] for name in imports(file, at_start=True)}
        assert not slow, f"{file.relative_to(ROOT)} imports {slow}"


def test_front_ends_import_neither_the_engine_nor_repositories() -> None:
    allowed = ("db.records", "db.tasks")
    for file in modules("bot/discord", "bot/web"):
        for name in imports(file):
            if name.split(".")[0] == "db" or name.startswith("bot.inference"):
                assert name in allowed, f"{file.relative_to(ROOT)} imports {name}"


def test_files_do_not_import_each_other_in_a_circle() -> None:
    files = {str(f.relative_to(ROOT)): f for f in [*modules(*MAY_IMPORT, "config")]}
    names = {f.removesuffix(".py").removesuffix("/__init__").replace("/", "."): f for f in files}
    needs = {
        file: {names[name] for name in imports(path) if name in names}
        for file, path in files.items()
    }
    while needs:
        free = {file for file, imported in needs.items() if not imported & needs.keys() - {file}}
        assert free, f"these import each other in a circle: {sorted(needs)}"
        needs = {file: imported for file, imported in needs.items() if file not in free}
