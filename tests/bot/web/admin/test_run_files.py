import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.admin.run_files import chart_lines, read_log, read_run, read_runs, run_names

SETTINGS = {"images": 4000, "batch": 16, "checkpoint_minutes": 4.0, "report_images": 1000}


def line(images: float, **figures: Any) -> dict[str, Any]:
    return {"images": images, "seconds": images / 50, "images_per_second": 50.0} | figures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def write(
    folder: Path, name: str, *log: object, settings: object = SETTINGS, ago: float = 0, **more: Any
) -> Path:
    run = folder / name
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"format": 1, "settings": settings} | more))
    (run / "log.jsonl").write_text("".join(f"{json.dumps(entry)}\n" for entry in log))
    (run / "samples-000002k.png").write_bytes(b"")
    (run / "samples-000010k.png").write_bytes(b"")
    (run / "samples-000010k016.png").write_bytes(b"")
    for file in run.iterdir():
        os.utime(file, (time.time() - ago,) * 2)
    return run


def test_a_run_reports_its_progress(folder: Path) -> None:
    write(folder, "a", line(1000), line(2000))
    run = read_run(folder, "a")
    assert (run.trains, run.state, run.done) == ("generator", "training", 0.5)
    assert (run.last("images"), run.setting("batch")) == (2000, 16)
    assert [grid.kimg for grid in run.grids] == [2, 10, 10.016]


@pytest.mark.parametrize(
    ("log", "settings", "ago", "state"),
    [
        ([], SETTINGS, 0, "training"),
        ([], SETTINGS, 3600, "stopped"),
        ([line(1000), line(2000)], SETTINGS, 80, "training"),  # a report each 20 s
        ([line(1000), line(2000)], SETTINGS, 200, "stopped"),
        ([line(4000)], SETTINGS, 0, "finished"),
        ([line(9000)], SETTINGS | {"minutes": 3}, 0, "finished"),  # 180 s
        ([line(4500)], SETTINGS | {"minutes": 3}, 0, "training"),
    ],
)
def test_the_state_of_a_run(
    folder: Path, log: list[Any], settings: Any, ago: float, state: str
) -> None:
    write(folder, "a", *log, settings=settings, ago=ago)
    assert read_run(folder, "a").state == state


def test_incomplete_and_invalid_log_lines_are_skipped(folder: Path) -> None:
    run = write(folder, "a", line(1000), [1], {"generator": 1}, line(2000, note="x", ok=True))
    with (run / "log.jsonl").open("ab") as log:
        log.write(b'{"images": NaN}\n\xff\xfe\n' + b"[" * 5000 + b'\n{"images": 3000, "gen')
    assert read_log(run / "log.jsonl") == [line(1000), line(2000)]


def test_the_newest_run_comes_first_and_judges_are_left_out(folder: Path) -> None:
    assert run_names(folder) == []  # no training yet
    write(folder, "old", ago=500)
    write(folder, "new", trains="upscaler")
    (folder / "judge-1234-v1.safetensors").write_bytes(b"")
    (folder / "judges").mkdir()
    (folder / ".hidden").mkdir()
    assert [(run.name, run.trains) for run in read_runs(folder)] == [
        ("new", "upscaler"),
        ("old", "generator"),
    ]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '"run"', "[" * 5000, "\x00"])
def test_a_damaged_run_is_shown_as_such(folder: Path, content: str | None) -> None:
    file = write(folder, "a", line(1000, generator=1.0)) / "run.json"
    file.unlink()
    if content is not None:
        file.write_text(content)
    run = read_run(folder, "a")
    assert (run.state, run.done, run.last("images")) == ("damaged", None, 1000)
    assert "run.json" in run.problem


@given(st.dictionaries(st.sampled_from([*SETTINGS, "minutes"]), st.none() | st.text() | st.floats() | st.lists(st.integers()) | st.integers(-1, 1)))  # fmt: skip  # noqa: E501
def test_any_settings_value_can_be_shown(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    write(folder, "a", line(1000), line(2000), settings=settings)
    run = read_run(folder, "a")
    assert run.state in ("training", "finished")
    assert run.done is None or 0 <= run.done <= 1


def test_related_figures_share_a_chart(folder: Path) -> None:
    write(
        folder,
        "a",
        line(1000, generator=1.0, discriminator=2.0),
        line(2000, generator=3.0, discriminator=4.0, hair_as_asked=0.5, generator_naming=5.0),
    )
    charts = {chart.title: chart for chart in chart_lines(read_run(folder, "a"))}
    assert list(charts) == ["losses", "classification losses", "conditional accuracy", "images/s"]
    assert charts["losses"].x == [1, 2]
    assert charts["losses"].lines == {"generator": [1, 3], "discriminator": [2, 4]}
    assert charts["conditional accuracy"].lines == {"hair": [None, 0.5]}
    assert charts["conditional accuracy"].percent


def test_a_long_log_is_thinned_out_and_keeps_its_last_line(folder: Path) -> None:
    write(folder, "a", *(line(n, generator=n) for n in range(1, 1002)))
    [losses] = [c for c in chart_lines(read_run(folder, "a")) if c.title == "losses"]
    assert len(losses.x) <= 400
    assert losses.lines["generator"][-1] == 1001
