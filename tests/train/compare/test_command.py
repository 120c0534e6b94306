"""`python -m train compare RUN…`."""

import json
from pathlib import Path

import pytest
from PIL import Image
from small_runs import judge_run, make_run

from train import checkpoint
from train.__main__ import main
from train.data import Faces, load


@pytest.fixture
def faces(faces_zip: Path) -> Faces:
    return load(faces_zip, 32)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")


def diverge(run: Path) -> Path:
    found = checkpoint.Divergence(step=240, images=1920, sign="generator loss is nan")
    checkpoint.write_divergence(run, found)
    return run


def test_table_of_runs(faces: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = judge_run(make_run(tmp_path / "runs/good", faces))
    wild = diverge(make_run(tmp_path / "runs/wild", faces))
    fresh = make_run(tmp_path / "runs/fresh", faces)
    main(["compare", *map(str, (good, wild, fresh))])
    said = capsys.readouterr().out
    assert said.startswith("|  | recipe | pixels | images | minutes | hair as asked |")
    body = {line.split("|")[1].strip(): line for line in said.splitlines() if line.startswith("| ")}
    assert "| 12.5 | 30 | 1.0% | 0.875 | 75.0% | 50.0% | 0.625 | 25.0% | 1.25 |" in body["good"]
    assert "| 32 | 1,600 | 2 | 50.0% | 25.0% | 12.5% |" in body["good"]
    assert "diverged at step 240 (1,920 images): generator loss is nan" in body["wild"]
    assert f"not judged yet: python -m train judge {fresh}" in body["fresh"]
    assert "real faces" in body
    with Image.open(tmp_path / "runs/compare.webp") as sheet:
        assert sheet.height == 34 + 3 * 96
        assert sheet.width > 10 * 96


def test_json_with_candidates(
    faces: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = judge_run(make_run(tmp_path / "run", faces))
    main(["compare", str(run), "--json", "--candidates", "4", "--out", "sheet.webp"])
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "run"
    assert row["figures"]["lite2_fd_ratio"] == 9.5
    assert (tmp_path / "sheet.webp").is_file()


def test_candidates_that_the_scorer_does_not_choose_from_have_a_note(
    faces: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = judge_run(make_run(tmp_path / "run", faces))
    main(["compare", str(run), "--candidates", "3"])
    said = capsys.readouterr().out.replace("\n", " ")
    assert "the scorer of this run does not choose from 3 images" in said


def test_runs_of_different_data_have_a_note(
    faces: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = judge_run(make_run(tmp_path / "one", faces))
    untagged = faces.without_attributes()
    other = judge_run(make_run(tmp_path / "other", untagged))
    main(["compare", str(one), str(other)])
    assert "only figures of the same data are comparable" in capsys.readouterr().out.replace(
        "\n", " "
    )


def test_runs_judged_by_an_earlier_version_have_a_note(
    faces: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "run", faces)
    (run / "judge.json").write_text(json.dumps({"best_of": [{"candidates": 1, "q": 3.0}]}))
    main(["compare", str(run)])
    assert f"judged by an earlier version: python -m train judge {run}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["sheet", "sheet.txt", "sheet.psd"])
def test_error_for_a_sheet_without_the_suffix_of_a_picture(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["compare", "nowhere", "--out", name])
    assert end.value.code == 2
    assert f"{name} has no suffix of a picture's format, such as compare.webp has" in (
        capsys.readouterr().err
    )


def test_error_for_a_folder_that_is_not_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["compare", "nowhere"])
    assert end.value.code == 2
    assert "nowhere is not a run" in capsys.readouterr().out


def test_table_with_a_diverged_run(
    faces: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It diverged before its first checkpoint."""
    run = diverge(make_run(tmp_path / "run", faces))
    (run / checkpoint.CHECKPOINT_FILE).unlink()
    main(["compare", str(run)])
    assert "diverged at step 240" in capsys.readouterr().out
    assert (tmp_path / "compare.webp").is_file()
