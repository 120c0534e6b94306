"""The trainings under `runs/`, read as plain files while `python -m train` may be writing them."""

import contextlib
import itertools
import json
import math
import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeGuard

RUN_FILE = "run.json"
LOG_FILE = "log.jsonl"
CHECKPOINT_FILE = "checkpoint.safetensors"
GRID = re.compile(r"(samples|upscaled)-(\d{1,9})k\.png")

MOST_BYTES = 8 * 2**20  # of a file that is read; a log has some hundred lines
MOST_POINTS = 400  # of a curve

State = Literal["training", "finished", "stopped", "damaged"]


@dataclass(frozen=True, slots=True)
class Grid:
    """A picture of what the networks painted after so many thousand images."""

    file: str
    kimg: int


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines in one chart: name -> a value for each of `x`, None where the log has none."""

    title: str
    percent: bool
    x: list[float]
    lines: dict[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class Run:
    """`done` is the share of the goal that is reached, 0…1, None where none is known; `changed` the
    last sign of life, in seconds of the epoch. `problem` says what is wrong with a damaged one.
    """

    name: str
    trains: Literal["generator", "upscaler"]
    state: State
    problem: str
    settings: Mapping[str, Any]
    log: Sequence[Mapping[str, float]]
    grids: Sequence[Grid]
    done: float | None
    changed: float

    def last(self, figure: str) -> float | None:
        """Of the newest line that has it."""
        return next((line[figure] for line in reversed(self.log) if figure in line), None)

    def setting(self, name: str) -> float | None:
        """One that is a number, as it should be."""
        value = self.settings.get(name)
        return value if _is_number(value) else None


def run_names(folder: Path) -> list[str]:
    """Those folders that are runs, or what is left of one; the judges are none."""
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(
        path.name for path in found if (path / RUN_FILE).is_file() or (path / LOG_FILE).is_file()
    )


def read_runs(folder: Path) -> list[Run]:
    """The one that changed last comes first."""
    runs = [read_run(folder, name) for name in run_names(folder)]
    return sorted(runs, key=lambda run: -run.changed)


def read_run(folder: Path, name: str) -> Run:
    """`name` is one of `run_names`. Whatever the files hold, nothing is raised."""
    path = folder / name
    problem, content = "", {}
    try:
        content = _read_content(path / RUN_FILE)
    except ValueError as error:
        problem = str(error)
    trains: Literal["generator", "upscaler"] = (
        "upscaler" if content.get("trains") == "upscaler" else "generator"
    )
    settings = content.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    log = read_log(path / LOG_FILE)
    changed = max(_changed(path / file) for file in (RUN_FILE, LOG_FILE, CHECKPOINT_FILE))
    done = None if problem else _done(settings, log)
    state: State = "stopped"
    if problem:
        state = "damaged"
    elif done is not None and done >= 0.999:
        state = "finished"
    elif time.time() - changed < _patience(settings, log):
        state = "training"
    return Run(name, trains, state, problem, settings, log, _grids(path), done, changed)


def read_log(file: Path) -> list[dict[str, float]]:
    """The numbers of all whole lines that say after how many images: the last one may be half
    written, and a process that was killed leaves half of one.
    """
    lines = []
    for text in _read(file).splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            line = json.loads(text)
            if isinstance(line, dict) and _is_number(line.get("images")):
                lines.append({name: value for name, value in line.items() if _is_number(value)})
    return lines


def curves(run: Run) -> list[Curves]:
    """All that the log says, over thousands of images: what belongs together in one chart."""
    step = max(1, math.ceil(len(run.log) / MOST_POINTS))
    # from the end: the newest line is always there
    lines = run.log[::-1][::step][::-1]
    names = dict.fromkeys(name for line in lines for name in line)
    charts: dict[str, list[str]] = {}
    for name in names:
        if name not in ("images", "seconds"):
            charts.setdefault(_chart(name), []).append(name)
    return [
        Curves(
            title,
            title == "as asked",
            [line["images"] / 1000 for line in lines],
            {_label(name): [line.get(name) for line in lines] for name in group},
        )
        for title, group in sorted(charts.items(), key=lambda item: _ORDER.get(item[0], 9))
    ]


_ORDER = {"losses": 0, "losses of naming": 1, "as asked": 2, "images/s": 7, "learning rate": 8}


def _chart(name: str) -> str:
    if name in ("generator", "discriminator", "loss"):
        return "losses"
    if name.endswith("_naming"):
        return "losses of naming"
    if name.endswith("_as_asked"):
        return "as asked"
    return "images/s" if name == "images_per_second" else _label(name)


def _label(name: str) -> str:
    name = name.removesuffix("_naming").removesuffix("_as_asked")
    if name in ("psnr", "ssim"):
        return name.upper()
    return "images/s" if name == "images_per_second" else name.replace("_", " ")


def _read_content(file: Path) -> dict[str, Any]:
    """Raises ValueError, in words for who sees the run."""
    if not file.is_file():
        raise ValueError(f"{RUN_FILE} is missing")
    try:
        content = json.loads(_read(file))
    except (ValueError, RecursionError):
        raise ValueError(f"{RUN_FILE} is not valid JSON") from None
    if not isinstance(content, dict):
        raise ValueError(f"{RUN_FILE} is not what a training writes")
    return content


def _read(file: Path) -> str:
    """As far as it can be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _done(settings: Mapping[str, Any], log: Sequence[Mapping[str, float]]) -> float | None:
    minutes, images = settings.get("minutes"), settings.get("images")
    last = log[-1] if log else {"images": 0.0, "seconds": 0.0}
    if _is_number(minutes) and minutes > 0:
        return min(1.0, last.get("seconds", 0.0) / (60 * minutes))
    if _is_number(images) and images > 0:
        return min(1.0, last["images"] / images)
    return None


def _patience(settings: Mapping[str, Any], log: Sequence[Mapping[str, float]]) -> float:
    """Seconds without a sign of life after which a training does not go on: it reports and writes
    checkpoints at intervals, of which the shorter one counts.
    """
    minutes = settings.get("checkpoint_minutes")
    interval = 60 * max(0.0, minutes) if _is_number(minutes) else 600.0
    moments = [line["seconds"] for line in log[-6:] if "seconds" in line]
    gaps = [b - a for a, b in itertools.pairwise(moments) if b > a]
    return 60 + 1.5 * min(interval, statistics.median(gaps) if gaps else interval)


def _grids(path: Path) -> list[Grid]:
    """The oldest first."""
    try:
        found = [GRID.fullmatch(file.name) for file in path.iterdir()]
    except OSError:
        return []
    return sorted((Grid(m[0], int(m[2])) for m in found if m), key=lambda grid: grid.kimg)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
