"""The default recipe does not import the classical recipes."""

import ast
from pathlib import Path

import train
from train import adversarial

FOLDER = Path(train.__file__ or "").parent if train.__file__ else Path(train.__path__[0])
JUNCTION = FOLDER / "models.py"
"""The only module that imports both the default and the classical recipes."""


def imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_only_models_imports_the_lineage() -> None:
    lineage = FOLDER / "lineage"
    files = [file for file in FOLDER.rglob("*.py") if lineage not in file.parents]
    assert len(files) > 30
    found = {
        file.relative_to(FOLDER).as_posix()
        for file in files
        if any(name.startswith("train.lineage") for name in imports(file))
    }
    assert found == {"models.py"}


def test_the_default_step_does_not_import_models() -> None:
    """Follows all imports."""
    todo, seen = [FOLDER / "adversarial.py", FOLDER / "loop.py"], set()
    while todo:
        file = todo.pop()
        seen.add(file)
        for name in imports(file):
            parts = name.split(".")
            if parts[0] != "train":
                continue
            ends = (len(parts), len(parts) - 1)
            modules = [FOLDER.joinpath(*parts[1:end]) for end in ends]
            paths = [path.with_suffix(".py") for path in modules]
            paths += [path / "__init__.py" for path in modules]
            todo += [path for path in paths if path.is_file() and path not in seen]
    assert JUNCTION not in seen
    assert FOLDER / "losses.py" in seen


def test_the_default_step_has_at_most_150_lines() -> None:
    assert len(Path(adversarial.__file__).read_text("utf-8").splitlines()) <= 150
