"""benchmarks/lineage.py: finished trainings are not repeated, failed ones do not stop others."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from drawn_faces import face_files, write_zip
from judged_once import judged_once
from PIL import Image
from quick_exports import quick_exports

from benchmarks import lineage, lineage_claims, lineage_document
from benchmarks.lineage_entries import ENTRIES as ALL
from benchmarks.lineage_entries import Entry
from train import checkpoint, recipes
from train.__main__ import main as train
from train.command_line import build_parser, read_settings

TINY = ("--resolution", "32", "--width", "4", "--latent-dim", "8", "--batch", "8")
ENTRIES = (
    Entry("good", "", (*TINY, "--precision", "bfloat16"), 1),
    Entry("wild", "", (*TINY, "--learning-rate", "1e12"), 1),
    Entry("broken", "", (*TINY, "--batch", "7"), 1),
)
DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module", autouse=True)
def _computed_once() -> Iterator[None]:
    with judged_once(), quick_exports():
        yield


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_features: None) -> list[str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lineage, "REPORTS_JUDGE", 320)
    monkeypatch.setattr(lineage, "SHARES", (0.25, 1.0))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    data = write_zip(tmp_path / "faces.zip", face_files(96))
    return [
        *("--data", str(data), "--images", "320", "--docs", str(tmp_path / "docs")),
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
    notes = 'summary = "What we saw."\n[systems]\ngood = "It is good."\n'
    (tmp_path / "docs/lineage/notes.toml").write_text(notes)
    assert lineage.main(arguments, ENTRIES) == 1, "one training fails"
    assert "failed, will be tried again: broken" in capsys.readouterr().out
    assert [arguments[arguments.index("--pause-at") + 1] for arguments in calls[:2]] == [
        "0.25",
        "1.0",
    ]

    good, wild = (content(tmp_path, name)["rows"] for name in ("good", "wild"))
    assert [row["images"] for row in good] == [80, 320]
    assert {"lite2_fd_ratio", "detector_faces", "detector_fd_ratio", "all_as_asked"} <= set(
        good[-1]["figures"]
    )
    assert wild[-1]["figures"] == {}
    document = (tmp_path / "docs/lineage.md").read_text("utf-8")
    assert "What we saw." in document
    assert "### good\n\nIt is good." in document
    assert re.search(r"\| good \| 0 \| [\d.]+% \| ", document), "minutes, and figures"
    assert "| wild (diverged) |" in document
    assert "Each was trained once on faces.zip" in document
    assert re.search(r"\| good \|  \| 4 \| 8 \| 320 \| \d+\.\d \|", document)
    options = f"| `{' '.join(TINY)} --precision bfloat16`; in bfloat16 |"
    assert options in document, "the settings that differ from the recipe"
    assert "diverged at step" in document
    assert re.search(r"the conditional systems generate: \w+ hair, \w+ eyes; ", document)
    rows = re.findall(r"^\| (\w+) \| !\[\1\]\((lineage/\1\.webp)\) \|$", document, re.M)
    assert [name for name, _ in rows] == ["good", "wild"]
    for _, picture in rows:
        with Image.open(tmp_path / "docs" / picture) as shown:
            assert shown.size == (10 * 96, 96)
    with Image.open(tmp_path / "docs/lineage/curves.webp") as curves:
        assert curves.width > 500
    assert "| claim |" not in document, "no text claims something about these entries"
    assert not list((tmp_path / "docs").rglob("*.safetensors"))

    # In a second run only failed trainings are repeated, even without their folders.
    calls.clear()
    (tmp_path / "runs").rename(tmp_path / "lost")
    lineage.main(arguments, ENTRIES)
    assert len(calls) == 1
    assert "7" in calls[0]
    assert (tmp_path / "docs/lineage.md").read_text("utf-8") == document

    # With more images the training goes on from where it was.
    calls.clear()
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)
    (tmp_path / "lost").rename(tmp_path / "runs")
    longer = [
        "640" if given == "320" and flag == "--images" else given
        for flag, given in zip(["", *arguments], arguments, strict=False)
    ]
    lineage.main([*longer, "--only", "good"], ENTRIES)
    assert len(calls) == 1
    assert "--resume" in calls[0]
    assert [row["images"] for row in content(tmp_path, "good")["rows"]] == [80, 320, 640]


def test_an_interrupted_benchmark_is_resumed(
    arguments: list[str], calls: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = lineage.call

    def interrupted(arguments: Sequence[str], log: Path) -> int:
        shortened = list(arguments)
        shortened[shortened.index("--pause-at") + 1] = "0.15"
        return real(shortened, log)

    with monkeypatch.context() as patch:
        patch.setattr(lineage, "call", interrupted)
        assert lineage.main(arguments, ENTRIES[:1]) == 1
    (run,) = (folder for folder in (tmp_path / "runs").iterdir() if folder.is_dir())
    assert checkpoint.read_run(run).images == 48
    assert lineage.main(arguments, ENTRIES[:1]) == 0
    assert "--resume" in calls[-1]
    assert [row["images"] for row in content(tmp_path, "good")["rows"]] == [80, 320]
    monkeypatch.setattr(lineage, "SHARES", (0.95, 1.0))
    assert lineage.main([*arguments, "--images", "336"], ENTRIES[:1]) == 0
    measured = [row["images"] for row in content(tmp_path, "good")["rows"]]
    assert measured == [80, 320, 336], "95 % of 336 images were reached before: one row"


def test_speed_of_the_entries(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineage, "SPEED_STEPS", 1)
    assert lineage.main([*arguments, "--speed"], ENTRIES[:1]) == 0
    assert re.search(r"\| good \| \d+\.\d \| 1 \| [\d,]+ thousand \|", capsys.readouterr().out)


def test_the_error_names_an_unknown_recipe(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"there is no 'goood'; there are: good, wild"):
        lineage.main([*arguments, "--only", "goood"], ENTRIES)


def test_the_entries_are_valid_and_contain_all_recipes() -> None:
    assert {entry.recipe for entry in ALL} == set(recipes.NAMES)
    assert len({entry.name for entry in ALL}) == len(ALL)
    for entry in ALL:
        read_settings(build_parser().parse_args(["--recipe", entry.recipe, *entry.flags]))


def store(docs: Path, name: str, **ends: float) -> None:
    """Writes made-up results of four points, whose figures come closer to those at the end."""
    figures = {
        "lite2_fd_ratio": 20.0,
        "detector_faces": 0.5,
        "near_duplicates": 0.0,
        "dropped_clusters": 0.0,
    } | ends
    minutes = figures.pop("minutes", 60.0)
    rows = [
        {
            "name": name,
            "images": round(1000 * share * minutes),
            "seconds": 60 * share * minutes,
            "figures": {key: value / share for key, value in figures.items()},
        }
        for share in (0.125, 0.25, 0.5, 1.0)
    ]
    content = {
        "format": lineage.FORMAT,
        "plan": {"recipe": "", "flags": [], "data": "faces64.zip"},
        **{"unit": "minutes", "goal": minutes, "diverged": False, "machine": "one thread"},
        **{"width": [32, 32], "batch": 16, "data_size": 14_000, "fakes": 2_000, "asked": []},
        "rows": rows,
    }
    (docs / "lineage").mkdir(parents=True, exist_ok=True)
    (docs / f"lineage/{name}.json").write_text(json.dumps(content))


def claims(docs: Path) -> dict[str, tuple[str, str]]:
    """What the document says about each claim: the figures, and the answer."""
    lineage_document.write(docs, [entry.name for entry in ALL])
    document = (docs / "lineage.md").read_text("utf-8")
    table = document.partition("| claim |")[2].partition("\n\n")[0]
    lines = (line.strip("|").split("|") for line in table.splitlines()[2:])
    return {claim.strip(): (shown.strip(), answer.strip()) for claim, shown, answer in lines}


def test_claims_are_answered_at_as_many_minutes_or_images(tmp_path: Path) -> None:
    store(tmp_path, "dcgan", lite2_fd_ratio=20.0, near_duplicates=0.2, minutes=60)
    store(tmp_path, "wgan-gp", lite2_fd_ratio=16.0, near_duplicates=0.1, minutes=120)
    found = claims(tmp_path)
    measured, answer = found["The WGAN-GP of the paper converges faster than DCGAN, too"]
    assert measured == (
        "FD ratio (Lite2) at 60,000 images: wgan-gp 32 against dcgan 20; "
        "FD ratio (Lite2) at 60 minutes: wgan-gp 32 against dcgan 20"
    )
    assert answer == "no"
    measured, answer = found["A DCGAN that trains well has better images than WGAN-GP (report)"]
    assert measured == "FD ratio (Lite2) at 60 minutes: dcgan 20 against wgan-gp 32"
    assert answer == "yes"
    measured, answer = found["The WGAN-GP of the paper collapses less, too"]
    assert "near-duplicates at 60,000 images: wgan-gp 20.0% against dcgan 20.0%; " in measured
    assert answer == "no difference"
    assert not any("homework" in claim for claim in found), "its training is not there"
    document = (tmp_path / "lineage.md").read_text("utf-8")
    assert re.search(r"Claims that wait for a training of realness-1, .+: \d+\.", document)


def test_claims_that_hold_in_part_and_of_a_diverged_training(tmp_path: Path) -> None:
    store(tmp_path, "realness-1", lite2_fd_ratio=10.0, all_as_asked=0.7)
    store(tmp_path, "realness-5", lite2_fd_ratio=9.8, all_as_asked=0.2)
    store(tmp_path, "realness-5-deep-heads", lite2_fd_ratio=12.0, all_as_asked=0.6)
    store(tmp_path, "realness-5-two-nets", lite2_fd_ratio=12.1, all_as_asked=0.1)
    found = {claim: answer for claim, (_, answer) in claims(tmp_path).items()}
    assert list(found.values()) == ["yes", "no difference", "in part", "no"]
    file = tmp_path / "lineage/realness-5.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"diverged": True}))
    assert next(iter(claims(tmp_path).values()))[1] == "a training diverged"


def test_each_topic_has_its_plots(tmp_path: Path) -> None:
    for number, entry in enumerate(ALL):
        store(tmp_path, entry.name, lite2_fd_ratio=5.0 + number, all_as_asked=0.5)
    found = claims(tmp_path)
    assert len(found) == sum(len(topic.claims) for topic in lineage_claims.TOPICS)
    file = tmp_path / "lineage/curves.webp"
    with Image.open(file) as all_of_them:
        assert all_of_them.height > 900
    assert file.stat().st_size < 60_000
    for file in (tmp_path / "lineage").glob("*.json"):
        if file.stem not in ("dcgan", "wgan-gp"):
            file.unlink()
    claims(tmp_path)
    with Image.open(tmp_path / "lineage/curves.webp") as one_topic:
        assert one_topic.height < 300


def test_each_entry_has_a_topic() -> None:
    shown = [name for topic in lineage_claims.TOPICS for name in topic.entries]
    assert sorted(shown) == sorted(entry.name for entry in ALL)
    for topic in lineage_claims.TOPICS:
        for claim in topic.claims:
            assert claim.entries <= set(shown), claim.text


def test_the_document_is_that_of_the_stored_results(tmp_path: Path) -> None:
    shutil.copytree(DOCS / "lineage", tmp_path / "lineage")
    lineage_document.write(tmp_path, [entry.name for entry in ALL])
    written = (tmp_path / "lineage.md").read_text("utf-8")
    assert written == (DOCS / "lineage.md").read_text("utf-8")
