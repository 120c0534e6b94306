"""The rules of the house: which package may import which, and how settings are read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import config
from train.settings import TrainingSettings

ROOT = Path(__file__).parents[1]
OURS = {"bot", "db", "export", "train", "config"}
TRAINING = {"torch", "torchvision", "torchmetrics", "onnx", "onnxscript", "safetensors", "rich"}
MAY_IMPORT = {
    "bot": {
        "bot",
        "db",
        "config",
        "export.candidates",
        "export.figures",
        "export.manifest",
        "export.registry",
    },
    "db": {"db"},
    "export": {"export", "train", "config"},
    "train": {"train", "export", "config"},
}
PLAIN = [
    "export/candidates.py",
    "export/figures.py",
    "export/manifest.py",
    "export/registry.py",
    "config/__init__.py",
]


def modules(*packages: str) -> list[Path]:
    return [file for package in packages for file in sorted((ROOT / package).rglob("*.py"))]


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports here are absolute"
            yield node.module or ""


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package: str) -> None:
    for file in modules(package):
        for name in imports(file):
            if name.split(".")[0] in OURS:
                allowed = any(name == ok or name.startswith(f"{ok}.") for ok in MAY_IMPORT[package])
                assert allowed, f"{file.relative_to(ROOT)} imports {name}"


def test_the_serving_side_never_imports_what_training_needs() -> None:
    for file in [*modules("bot", "db"), *(ROOT / name for name in PLAIN)]:
        heavy = TRAINING & {name.split(".")[0] for name in imports(file)}
        assert not heavy, f"{file.relative_to(ROOT)} imports {heavy}"


def test_front_ends_import_neither_the_engine_nor_repositories() -> None:
    allowed = ("db.records", "db.tasks")
    for file in modules("bot/discord", "bot/web"):
        for name in imports(file):
            if name.split(".")[0] == "db" or name.startswith("bot.inference"):
                assert name in allowed, f"{file.relative_to(ROOT)} imports {name}"


def test_no_circle_of_files() -> None:
    files = {str(f.relative_to(ROOT)): f for f in [*modules(*MAY_IMPORT, "config")]}
    names = {f.removesuffix(".py").removesuffix("/__init__").replace("/", "."): f for f in files}
    needs = {
        file: {names[name] for name in imports(path) if name in names}
        for file, path in files.items()
    }
    while needs:
        free = {file for file, wanted in needs.items() if not wanted & needs.keys() - {file}}
        assert free, f"these import each other in a circle: {sorted(needs)}"
        needs = {file: wanted for file, wanted in needs.items() if file not in free}


def test_a_wrong_section_or_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[trian]\nbatch = 3\n")
    with pytest.raises(config.SettingsError, match=r"unknown section \[trian\]"):
        config.read(TrainingSettings, file)
    file.write_text("[train\n")
    with pytest.raises(config.SettingsError, match="not valid TOML"):
        config.read(TrainingSettings, file)
    file.write_text("[train]\nbatch = 4\nimages = 7\n")
    monkeypatch.setenv("IRODORI_TRAIN__BATCH", "6")
    read = config.read(TrainingSettings, file, {"train": {"images": 9}}).train
    assert (read.optimizer.batch, read.images) == (6, 9), "file < environment < command line"
    monkeypatch.setenv("IRODORI_TRAIN", "batch=6")
    with pytest.raises(config.SettingsError, match='"train"'):
        config.read(TrainingSettings, file)
    monkeypatch.delenv("IRODORI_TRAIN")
    monkeypatch.setenv("IRODORI_TRIAN__BATCH", "6")
    with pytest.raises(config.SettingsError, match="IRODORI_TRIAN__BATCH"):
        config.read(TrainingSettings, file)
