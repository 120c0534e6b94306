"""The blind count of broken pictures: pages, key and counts."""

import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from rich.console import Console
from small_runs import make_run
from tiny_model import add_model

from export.registry import Registry
from train import report
from train.checkpoint import JUDGED_FILE, CheckpointError
from train.data import Faces, load
from train.metrics import blind
from train.metrics.blind import BlindError, Count, draw, main, resolve, save
from train.numbered_pages import MarksError
from train.scorer import UnusualScorer, save_scorer
from train.sources import Source, find_source


@pytest.fixture(scope="module")
def faces(faces_zip: Path) -> Faces:
    return load(faces_zip, 32)


def gray(level: int, requested: list[torch.Tensor] | None = None) -> Source:
    """Generates one shade of gray for all conditions."""

    def paint(latents: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        if requested is not None:
            requested.append(conditions)
        return torch.full((len(latents), 3, 32, 32), level, dtype=torch.uint8)

    return Source(f"gray-{level}", paint, 4, (), 32)


def test_sources_have_equal_numbers_of_cells_in_the_key(faces: Faces) -> None:
    pictures, key = draw([gray(10), gray(200)], faces, 100, seed=5)
    assert pictures.shape == (100, 3, 160, 160)
    cells = key["cells"]
    assert list(cells) == [str(number) for number in range(1, 101)]
    counts = {name: list(cells.values()).count(name) for name in key["sources"]}
    assert counts == {"gray-10": 34, "gray-200": 33, "real": 33}
    for number, source in cells.items():
        levels = torch.unique(pictures[int(number) - 1]).tolist()
        assert (levels == [10], levels == [200]) == (source == "gray-10", source == "gray-200")
    assert list(cells.values()) != sorted(cells.values()), "shuffled"


def test_real_images_are_distinct_held_out_ones(faces: Faces) -> None:
    pictures, key = draw([gray(0)], faces, 240, seed=1)
    real = [int(number) - 1 for number, source in key["cells"].items() if source == "real"]
    held_out = report.scaled(faces.split()[1].images, 160)
    found = {tuple(p.flatten().tolist()[:2000:7]) for p in pictures[real]}
    known = {tuple(p.flatten().tolist()[:2000:7]) for p in held_out}
    assert found <= known
    assert len(real) == 120


def test_draw_depends_on_the_seed(faces: Faces) -> None:
    assert draw([gray(0)], faces, 20, seed=1)[1] == draw([gray(0)], faces, 20, seed=1)[1]
    assert draw([gray(0)], faces, 20, seed=1)[1] != draw([gray(0)], faces, 20, seed=2)[1]


def test_drawn_values_have_the_frequencies_of_the_data(faces: Faces) -> None:
    requested: list[torch.Tensor] = []
    source = gray(0, requested)
    draw([Source("free", source.generate, 4, faces.attributes, 32)], faces, 230, seed=0)
    conditions = torch.cat(requested)
    assert conditions.shape == (115, 7)
    assert conditions[:, :4].sum(dim=1).tolist() == [1] * 115
    assert conditions.mean(dim=0)[:4].tolist() == pytest.approx([0.25] * 4, abs=0.12)


@pytest.mark.parametrize("count", [1, 300])
def test_error_for_too_few_or_too_many_pictures(count: int, faces: Faces) -> None:
    with pytest.raises(BlindError, match="to 240, since 120 real pictures are held out"):
        draw([gray(0)], faces, count, seed=0)


def test_error_for_sources_with_the_same_name(faces: Faces) -> None:
    with pytest.raises(BlindError, match="must have different names: gray-0, gray-0, real"):
        draw([gray(0), gray(0)], faces, 30, seed=0)


def test_marks_become_counts_of_each_source(tmp_path: Path) -> None:
    cells = {str(n): "new" if n % 2 else "real" for n in range(1, 401)}
    key, marks = tmp_path / "key.json", tmp_path / "marks.txt"
    key.write_text(json.dumps({"cells": cells}))
    marks.write_text("1, 3 5\n7;9 # 11 is fine\n2\n2\n")
    new, real = resolve(key, marks)
    assert (new.source, new.pictures, new.broken) == ("new", 200, 5)
    assert (real.source, real.pictures, real.broken) == ("real", 200, 1)
    assert "| new | 200 | 5 | 2.5% | 1.1% to 5.7% |" in blind.table([new, real])


def test_confidence_intervals() -> None:
    """Wilson intervals, with values from statsmodels."""
    assert Count("a", 400, 12).interval == pytest.approx((0.01724, 0.05171), abs=1e-4)
    low, high = Count("a", 133, 0).interval
    assert low == 0
    assert high == pytest.approx(0.0281, abs=1e-4)


@pytest.mark.parametrize("mark", ["0", "5", "x", "1.5"])
def test_error_for_an_invalid_mark(mark: str, tmp_path: Path) -> None:
    key, marks = tmp_path / "key.json", tmp_path / "marks.txt"
    key.write_text(json.dumps({"cells": {str(n): "real" for n in range(1, 5)}}))
    marks.write_text(f"1 {mark} 2")
    with pytest.raises(MarksError, match=f"'{mark}' is not the number of a picture, 1 to 4"):
        resolve(key, marks)
    key.write_text("[]")
    with pytest.raises(BlindError, match=r"key\.json is not a key of"):
        resolve(key, marks)


def test_a_key_is_never_overwritten(faces: Faces, tmp_path: Path) -> None:
    drawn = draw([gray(0)], faces, 240, seed=0)
    pages = save(tmp_path / "sheet", *drawn)
    assert [page.name for page in pages] == ["page-1.png", "page-2.png", "page-3.png"]
    with Image.open(pages[2]) as page:
        assert page.size == (10 * 166 + 6, 4 * 188 + 6)
    with pytest.raises(BlindError, match="exists already: choose another --out"):
        save(tmp_path / "sheet", *drawn)


def test_models_and_runs_from_the_command_line(
    faces: Faces, faces_zip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registry = Registry(tmp_path / "models")
    add_model(registry, "tiny")
    run = make_run(tmp_path / "runs/raw", faces)
    (run / JUDGED_FILE).write_text('{"candidates": 2}')
    save_scorer(run, UnusualScorer(sum(faces.sizes)))
    said = io.StringIO()
    console = Console(file=said, width=200)
    command = ["paint", str(run), "tiny", "--data", str(faces_zip), "--out", "sheet"]
    main([*command, "--pictures", "60"], console)
    assert "60 numbered pictures of 3 sources, on 1 pages: sheet/page-1.png" in said.getvalue()
    key = json.loads(Path("sheet/key.json").read_text())
    assert key["sources"] == ["raw", "tiny", "real"]
    Path("marks.txt").write_text(" ".join(n for n, name in key["cells"].items() if name == "raw"))
    main(["resolve", "sheet/key.json", "marks.txt"], console)
    assert "| raw | 20 | 20 | 100.0% |" in said.getvalue()
    assert "| tiny | 20 | 0 | 0.0% |" in said.getvalue()


@pytest.mark.parametrize("judged", ["{", "[]", '{"best_of": []}'])
def test_error_for_a_run_with_damaged_figures(
    judged: str, faces: Faces, faces_zip: Path, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "runs/run", faces)
    (run / JUDGED_FILE).write_text(judged)
    with pytest.raises(CheckpointError, match=rf"judge the run again \(.* judge {run}\)"):
        find_source(str(run), Registry(tmp_path / "models"))


@pytest.mark.parametrize("seed", ["-1", "99999999999", "x"])
def test_error_for_an_invalid_seed(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["paint", "--out", "sheet", "--seed", seed], Console())
    assert "argument --seed: " in capsys.readouterr().err
