"""Runs side by side: a row each, of what they are and how their pictures measure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from train import checkpoint

JUDGED = "judge.json"
FIGURES = {
    "q": "Q",
    "fid": "FID",
    "kid": "KID",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "near_duplicates": "near-duplicates",
    "diversity": "diversity",
    "sharpness": "sharpness",
    "dropped_conditions": "dropped conditions",
    "dropped_clusters": "dropped clusters",
}
"""Those that a table shows, and their headings; what was asked for comes before them."""
AS_ASKED = "_as_asked"
SHARES = (
    *("precision", "recall", "coverage", "near_duplicates"),
    *("dropped_conditions", "dropped_clusters"),
)


@dataclass(frozen=True)
class Row:
    name: str
    recipe: str = ""
    image_size: int = 0
    images: int = 0
    """Shown in training."""
    seconds: float = 0.0
    """Of training."""
    fingerprint: str = ""
    """Of the data: the figures of others do not compare."""
    figures: dict[str, float] = field(default_factory=dict)
    """As a judge names them; none of a run that is not judged."""
    note: str = ""


def row_of_run(run: Path, candidates: int = 1) -> Row:
    """What a run's folder tells, its figures being those of the best of so many pictures.

    Raises CheckpointError for a folder that is no run.
    """
    info = checkpoint.read_run(run)
    whole = (run / checkpoint.CHECKPOINT_FILE).is_file()
    found = checkpoint.read_divergence(run)
    row = {
        "name": info.run,
        "recipe": info.settings.get("recipe", ""),
        "image_size": info.image_size,
        "images": info.images,
        "seconds": checkpoint.read_progress(run)["seconds"] if whole else 0.0,
        "fingerprint": info.fingerprint,
    }
    if found:
        return Row(**row, note=diverged(found))
    judge_it = f"python -m train judge {run}"
    if not (run / JUDGED).is_file():
        return Row(**row, note=f"not judged yet: {judge_it}")
    figures = _figures(run / JUDGED, candidates)
    if not figures:
        return Row(**row, note=f"the best of {candidates} was not measured: {judge_it}")
    lacking = FIGURES.keys() - figures.keys() - {"dropped_conditions"}
    note = f"judged by an earlier version: {judge_it}" if lacking else ""
    return Row(**row, figures=figures, note=note)


def diverged(found: checkpoint.Divergence) -> str:
    return f"diverged at step {found.step:,} ({found.images:,} images): {found.sign}"


def _figures(file: Path, candidates: int) -> dict[str, float]:
    try:
        judged: dict[str, Any] = json.loads(file.read_text("utf-8"))
        rows = [row for row in judged["best_of"] if row["candidates"] == candidates]
    except (ValueError, KeyError, TypeError) as error:
        raise checkpoint.CheckpointError(
            f"{file} is damaged, or of an earlier version: judge the run again ({error!r})"
        ) from None
    return {k: v for row in rows for k, v in row.items() if k != "candidates"}


def markdown(rows: Sequence[Row]) -> str:
    """A table with a last row for held-out real faces, of each data there is."""
    figures = columns(rows)
    heads = ["", "recipe", "pixels", "images", "minutes", *figures.values(), ""]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "--:|" * (len(heads) - 3) + "---|"]
    for row in [*rows, *_real(rows)]:
        cells = [
            row.name,
            row.recipe,
            str(row.image_size or ""),
            f"{row.images:,}" if row.seconds else "",
            f"{row.seconds / 60:.0f}" if row.seconds else "",
            *(number(name, row.figures.get(name)) for name in figures),
            row.note,
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def columns(rows: Sequence[Row]) -> dict[str, str]:
    """The figures that any of the rows has, by name, with their headings."""
    names = dict.fromkeys(name for row in rows for name in row.figures)
    asked = [name for name in names if name.endswith(AS_ASKED) and name != f"all{AS_ASKED}"]
    asked += [name for name in names if name == f"all{AS_ASKED}"]
    heads = {name: f"{name.removesuffix(AS_ASKED)} as asked" for name in asked}
    return heads | {name: head for name, head in FIGURES.items() if name in names}


def _real(rows: Sequence[Row]) -> list[Row]:
    """A row for each data and size, of the first run that has most figures of it."""
    found: dict[str, Row] = {}
    for row in rows:
        real = {
            name.removesuffix("_real"): value
            for name, value in row.figures.items()
            if name.endswith("_real")
        }
        if len(real) > len(found.get(row.fingerprint, Row("")).figures):
            found[row.fingerprint] = Row("real faces", image_size=row.image_size, figures=real)
    return list(found.values())


def number(name: str, value: float | None) -> str:
    """A figure as a cell has it."""
    if value is None:
        return ""
    if name in SHARES or name.endswith(AS_ASKED):
        return f"{value:.1%}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
