"""Reads training runs from their files, which `python -m train` may be writing meanwhile."""

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
GRID = re.compile(r"(samples|upscaled)-(\d{1,9})k(\d{3})?\.png")

MAX_BYTES = 8 * 2**20  # that are read of a file; a log has some hundred lines
MAX_POINTS = 400  # of a line in a chart

State = Literal["training", "finished", "stopped", "damaged"]


@dataclass(frozen=True, slots=True)
class Grid:
    """A sample sheet, painted after `kimg` thousand images."""

    file: str
    kimg: float


@dataclass(frozen=True, slots=True)
class Chart:
    """`lines` maps names to a value for each of `x`, None where the log has none."""

    title: str
    percent: bool
    x: list[float]
    lines: dict[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class Run:
    """`done` is the completed share of the goal, 0…1, or None if the goal is unknown; `changed` is
    the last write, in seconds of the epoch. `problem` says what is wrong with a damaged run.
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
        """The figure in the newest line that has it."""
        return next((line[figure] for line in reversed(self.log) if figure in line), None)

    def setting(self, name: str) -> float | None:
        """A setting, if it is a number."""
        value = self.settings.get(name)
        return value if _is_number(value) else None


def run_names(folder: Path) -> list[str]:
    """Names of the folders that hold a run or part of one; judges are not runs. A name that is not
    UTF-8 cannot be in a URL and is left out.
    """
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(
        path.name
        for path in found
        if _is_utf8(path.name) and any(_is_file(path / file) for file in (RUN_FILE, LOG_FILE))
    )


def read_runs(folder: Path) -> list[Run]:
    """All runs, the one that changed last first."""
    runs = [read_run(folder, name) for name in run_names(folder)]
    return sorted(runs, key=lambda run: -run.changed)


def read_run(folder: Path, name: str) -> Run:
    """`name` is one of `run_names`. Never raises, whatever the files contain."""
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
    changed = max(_modified(path / file) for file in (RUN_FILE, LOG_FILE, CHECKPOINT_FILE))
    done = None if problem else _done(settings, log)
    state: State = "stopped"
    if problem:
        state = "damaged"
    elif done is not None and done >= 0.999:
        state = "finished"
    elif time.time() - changed < _timeout(settings, log):
        state = "training"
    return Run(name, trains, state, problem, settings, log, _grids(path), done, changed)


def read_log(file: Path) -> list[dict[str, float]]:
    """The numbers of every complete line with a number of images: the last line may be half
    written, and a process that was killed leaves half a line.
    """
    lines = []
    for text in _read(file).splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            line = json.loads(text)
            if isinstance(line, dict) and _is_number(line.get("images")):
                lines.append({name: value for name, value in line.items() if _is_number(value)})
    return lines


def chart_lines(run: Run) -> list[Chart]:
    """The figures of the log over thousands of images, related ones in one chart."""
    step = max(1, math.ceil(len(run.log) / MAX_POINTS))
    # counted from the end, so that the newest line is included
    lines = run.log[::-1][::step][::-1]
    names = dict.fromkeys(name for line in lines for name in line)
    charts: dict[str, list[str]] = {}
    for name in names:
        if name not in ("images", "epochs", "seconds"):
            charts.setdefault(_chart_title(name), []).append(name)
    return [
        Chart(
            title,
            title == "conditional accuracy",
            [line["images"] / 1000 for line in lines],
            {_label(name): [line.get(name) for line in lines] for name in group},
        )
        for title, group in sorted(charts.items(), key=lambda item: _CHART_ORDER.get(item[0], 9))
    ]


_CHART_ORDER = {
    "losses": 0,
    "classification losses": 1,
    "conditional accuracy": 2,
    "images/s": 7,
    "learning rate": 8,
}


_CLASS_LOSSES = ("_classes", "_naming")
"""Ends of the classification losses' names, now and in version 0.2."""
_LOSSES = ("generator", "discriminator", "feature_generator", "feature_discriminator", "loss")


def _chart_title(name: str) -> str:
    if name in _LOSSES:
        return "losses"
    if name.endswith(_CLASS_LOSSES):
        return "classification losses"
    if name.endswith("_as_asked"):
        return "conditional accuracy"
    return "images/s" if name == "images_per_second" else _label(name)


def _label(name: str) -> str:
    for ending in (*_CLASS_LOSSES, "_as_asked"):
        name = name.removesuffix(ending)
    if name in ("psnr", "ssim"):
        return name.upper()
    return "images/s" if name == "images_per_second" else name.replace("_", " ")


def _read_content(file: Path) -> dict[str, Any]:
    """Raises ValueError with a message for the run's page."""
    if not _is_file(file):
        raise ValueError(f"{RUN_FILE} is missing")
    try:
        content = json.loads(_read(file))
    except (ValueError, RecursionError):
        raise ValueError(f"{RUN_FILE} is not valid JSON") from None
    if not isinstance(content, dict):
        raise ValueError(f"{RUN_FILE} does not hold a JSON object")
    return content


def _read(file: Path) -> str:
    """The beginning of the file, or nothing if it cannot be read."""
    if not _is_file(file):  # a FIFO would block
        return ""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _is_file(path: Path) -> bool:
    """Whether it is a regular file, or a link to one; False where that cannot be read."""
    try:
        return path.is_file()
    except OSError:
        return False


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _modified(file: Path) -> float:
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


def _timeout(settings: Mapping[str, Any], log: Sequence[Mapping[str, float]]) -> float:
    """Seconds without a write after which a run counts as stopped. A training reports and writes
    checkpoints at intervals; the shorter one counts.
    """
    minutes = settings.get("checkpoint_minutes")
    interval = 60 * max(0.0, minutes) if _is_number(minutes) else 600.0
    moments = [line["seconds"] for line in log[-6:] if "seconds" in line]
    gaps = [b - a for a, b in itertools.pairwise(moments) if b > a]
    return 60 + 1.5 * min(interval, statistics.median(gaps) if gaps else interval)


def _grids(path: Path) -> list[Grid]:
    """Oldest first."""
    try:
        found = [GRID.fullmatch(file.name) for file in path.iterdir() if _is_file(file)]
    except OSError:
        return []
    return sorted(
        (Grid(m[0], int(m[2] + (m[3] or "000")) / 1000) for m in found if m),
        key=lambda grid: grid.kimg,
    )


def _is_number(value: Any) -> TypeGuard[float]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False
