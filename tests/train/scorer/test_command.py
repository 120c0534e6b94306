"""`python -m train defects`: pages to mark, and what is learned from the marks."""

import io
from pathlib import Path

import pytest
import torch
from circles import draw, paint
from PIL import Image
from rich.console import Console
from safetensors.torch import load_file, save_file
from tiny_model import add_model

from export.registry import Registry
from train.numbered_pages import MarksError
from train.scorer import MarkedScorer, load_defects
from train.scorer.command import main


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(said: io.StringIO) -> Console:
    return Console(file=said, width=200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """60 pictures, of which every third is broken and marked, and one is doubtful."""
    folder = tmp_path / "marked"
    folder.mkdir()
    pictures = paint(*draw(60, seed=0)).contiguous()
    pictures[::3, :, 12:20, 12:20] = pictures[::3, :, 12:20, :8]
    save_file({"pictures": pictures}, folder / "pictures.safetensors")
    numbers = " ".join(map(str, range(1, 61, 3)))
    (folder / "marks.txt").write_text(f"# by eye\n{numbers}\n60?\n")
    return folder


def test_single_pictures_of_a_model_on_numbered_pages(
    console: Console, said: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    add_model(Registry(tmp_path / "models"), "tiny")
    main(["paint", "tiny", "--out", "marked", "--pictures", "120", "--seed", "1"], console)
    pictures = load_file("marked/pictures.safetensors")["pictures"]
    assert pictures.shape[0] == 120
    assert pictures.dtype == torch.uint8
    assert len(torch.unique(pictures.flatten(1), dim=0)) > 100
    with Image.open("marked/page-2.png") as page:
        assert page.size == (10 * 166 + 6, 2 * 188 + 6)
    assert "python -m train defects fit marked" in said.getvalue()
    with pytest.raises(MarksError, match="exists already: choose another --out"):
        main(["paint", "tiny", "--out", "marked"], console)


@pytest.mark.parametrize("option", ["--seed=-1", "--seed=99999999999", "--pictures=0"])
def test_error_for_a_number_out_of_range(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["paint", "tiny", "--out", "marked", option], Console())
    name, value = option.split("=")
    assert f"argument {name}: {value} is not from " in capsys.readouterr().err


def test_marks_become_a_file_for_the_scorer(
    console: Console, said: io.StringIO, folder: Path, tmp_path: Path
) -> None:
    main(["fit", str(folder), "--out", str(tmp_path / "out")], console)
    assert "60 pictures, 33.3% of them broken, 1 doubtful" in said.getvalue()
    assert "AUC 1.000" in said.getvalue()
    assert f"0.0% of the best {1 - MarkedScorer.rejected_share:.0%} are" in said.getvalue()
    assert load_defects(tmp_path / "out").abs().max() > 0
    main(["fit", str(folder)], console)
    assert torch.equal(load_defects(folder / "defects.safetensors"), load_defects(tmp_path / "out"))


def test_pictures_of_several_folders_are_learned_together(
    console: Console, said: io.StringIO, folder: Path
) -> None:
    main(["fit", str(folder), str(folder)], console)
    assert "120 pictures, 33.3% of them broken, 2 doubtful" in said.getvalue()


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ("1 2 3", "3 of 60 pictures are marked as broken: at least 10 broken and 10 intact"),
        ("1 61", "'61' is not the number of a picture, 1 to 60"),
        ("1 2!", "'2!' is not the number of a picture"),
        (" ".join(map(str, range(1, 61))), "60 of 60 pictures are marked as broken"),
    ],
)
def test_error_for_unusable_marks(marks: str, message: str, console: Console, folder: Path) -> None:
    (folder / "marks.txt").write_text(marks)
    with pytest.raises(MarksError, match=message):
        main(["fit", str(folder)], console)
    assert not (folder / "defects.safetensors").exists()


def test_error_for_missing_pictures_or_marks(console: Console, folder: Path) -> None:
    (folder / "marks.txt").unlink()
    with pytest.raises(MarksError, match=r"marks in .*marks\.txt cannot be read"):
        main(["fit", str(folder)], console)
    (folder / "pictures.safetensors").write_bytes(b"nonsense")
    with pytest.raises(MarksError, match="is not a file of `python -m train defects paint`"):
        main(["fit", str(folder)], console)
