"""benchmarks/lineage.py: finished trainings are not repeated, failed ones do not stop others."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from drawn_faces import face_files, write_zip
from judged_once import judged_once
from PIL import Image

from benchmarks import lineage
from benchmarks.lineage import Entry
from train import checkpoint
from train.__main__ import main as train

TINY = ("--resolution", "32", "--width", "4", "--latent-dim", "8", "--batch", "8")
ENTRIES = (
    Entry("good", "", TINY, claim=True),
    Entry("wild", "", (*TINY, "--learning-rate", "1e12"), claim=True),
    Entry("broken", "", (*TINY, "--batch", "7"), claim=False),
    Entry("small", "", TINY, claim=False),
)


@pytest.fixture(scope="module", autouse=True)
def _judged_once() -> Iterator[None]:
    with judged_once():
        yield


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_features: None) -> list[str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lineage, "REPORTS_JUDGE", 320)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    data = write_zip(tmp_path / "faces.zip", face_files(96))
    return [
        *("--data", str(data), "--images", "400", "--rest", "80", "--docs", str(tmp_path / "docs")),
        *("--runs", str(tmp_path / "runs"), "--fakes", "24", "--judge-images", "320"),
        *("--judged-size", "32"),
    ]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Runs trainings in this process, since importing PyTorch again is slow; records arguments."""
    recorded: list[list[str]] = []

    def call(arguments: Sequence[str], log: Path) -> int:
        recorded.append(list(arguments))
        monkeypatch.setenv("IRODORI_JUDGE__IMAGES", "320")
        try:
            train(arguments)
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    monkeypatch.setattr(lineage, "call", call)
    # Only the main thread can handle signals.
    monkeypatch.setattr("train.loop.signal.signal", lambda *_: None)
    return recorded


def content(tmp_path: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        (tmp_path / f"docs/lineage/{name}.json").read_text("utf-8")
    )
    return document


def test_the_benchmark_trains_and_reports_all_recipes(
    arguments: list[str],
    calls: list[list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "docs/lineage").mkdir(parents=True)
    notes = 'summary = "What we saw."\ngood = "It is good."\n'
    (tmp_path / "docs/lineage/notes.toml").write_text(notes)
    assert lineage.main(arguments, ENTRIES) == 1, "one training fails"
    assert "failed, will be tried again: broken" in capsys.readouterr().out
    assert len(calls) == 3 + 1 + 1 + 1, "the claim is also judged at two intermediate points"

    good, wild, small = (content(tmp_path, name)["row"] for name in ("good", "wild", "small"))
    assert (good["images"], small["images"]) == (400, 80)
    assert {"lite2_fd_ratio", "lite2_precision", "dropped_clusters", "all_as_asked"} <= set(
        good["figures"]
    )
    assert good["note"] == f"`{' '.join(TINY)}`", "the settings that differ from the recipe"
    assert wild["figures"] == {}
    assert wild["note"].startswith("diverged at step ")
    document = (tmp_path / "docs/lineage.md").read_text("utf-8")
    first, second = document.split("## A smaller budget")
    assert "Each was trained for 400 images, on faces.zip" in first
    assert "| good |" in first
    assert "diverged at step" in first
    assert "| small |" in second
    assert "What we saw." in first
    assert "It is good." in second
    assert [row["images"] for row in content(tmp_path, "good")["on_the_way"]] == [80, 240]
    assert re.search(r"the conditional systems generate: \w+ hair, \w+ eyes; ", document)
    rows = re.findall(r"^\| (\w+) \| !\[\1\]\((lineage/\1\.webp)\) \|$", document, re.M)
    assert [name for name, _ in rows] == ["good", "wild", "small"]
    for _, picture in rows:
        with Image.open(tmp_path / "docs" / picture) as row:
            assert row.size == (10 * 96, 96)
    assert not list((tmp_path / "docs").rglob("*.safetensors"))

    # In a second run only failed trainings are repeated, even without their folders.
    calls.clear()
    (tmp_path / "runs").rename(tmp_path / "lost")
    lineage.main(arguments, ENTRIES)
    assert len(calls) == 1
    assert "7" in calls[0]
    assert (tmp_path / "docs/lineage.md").read_text("utf-8") == document

    # With another budget the training is repeated.
    calls.clear()
    lineage.main([*arguments, "--rest", "88", "--only", "small"], ENTRIES)
    assert len(calls) == 1
    assert content(tmp_path, "small")["row"]["images"] == 88


def test_an_interrupted_benchmark_is_resumed(
    arguments: list[str], calls: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = lineage.call

    def interrupted(arguments: Sequence[str], log: Path) -> int:
        shortened = list(arguments)
        shortened[shortened.index("--images") + 1] = "80"
        assert real(shortened, log) == 0
        return 130

    with monkeypatch.context() as patch:
        patch.setattr(lineage, "call", interrupted)
        assert lineage.main(arguments, ENTRIES[:1]) == 1
    (run,) = (folder for folder in (tmp_path / "runs").iterdir() if folder.is_dir())
    assert checkpoint.read_run(run).images == 80
    assert lineage.main(arguments, ENTRIES[:1]) == 0
    assert "--resume" in calls[-1]
    assert checkpoint.read_run(run).images == 400
    assert content(tmp_path, "good")["row"]["images"] == 400


def test_the_error_names_an_unknown_recipe(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"there is no 'goood'; there are: good, wild"):
        lineage.main([*arguments, "--only", "goood"], ENTRIES)
