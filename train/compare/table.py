"""Comparison table of runs: a row with settings and figures for each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from export import figures
from export.figures import AS_ASKED, FD_LAYERS, FD_POOLED, FD_RATIO, REAL, ordered
from train import checkpoint

FIGURES = tuple(name for name in ordered(figures.FIGURES) if name not in (*FD_LAYERS, FD_POOLED))
"""Columns of the table, in order, after the shares as asked."""
NEEDED = (FD_RATIO, "near_duplicates", "dropped_clusters")
"""Figures that every run judged by this version has."""


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
    """Fingerprint of the data; only figures of the same data are comparable."""
    figures: dict[str, float] = field(default_factory=dict)
    """Figures of the judge, by name; empty if the run is not judged."""
    note: str = ""


def row_of_run(run: Path, candidates: int = 1) -> Row:
    """The row of a run, with the figures for the best of `candidates` images.

    Raises CheckpointError for a folder that is not a run.
    """
    info = checkpoint.read_run(run)
    has_checkpoint = (run / checkpoint.CHECKPOINT_FILE).is_file()
    found = checkpoint.read_divergence(run)
    row = {
        "name": info.run,
        "recipe": info.settings.get("recipe", ""),
        "image_size": info.image_size,
        "images": info.images,
        "seconds": checkpoint.read_progress(run).seconds if has_checkpoint else 0.0,
        "fingerprint": info.fingerprint,
    }
    if found:
        return Row(**row, note=diverged(found))
    command = f"python -m train judge {run}"
    if not (run / checkpoint.JUDGED_FILE).is_file():
        return Row(**row, note=f"not judged yet: {command}")
    measured = _figures(run / checkpoint.JUDGED_FILE, candidates)
    if not measured:
        return Row(**row, note=f"the scorer of this run does not choose from {candidates} images")
    missing = set(NEEDED) - measured.keys()
    note = f"judged by an earlier version: {command}" if missing else ""
    return Row(**row, figures=measured, note=note)


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
    """A Markdown table; the last rows are held-out real images, one for each set of data."""
    names = columns(rows)
    heads = ["", "recipe", "pixels", "images", "minutes", *map(figures.label, names), ""]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "--:|" * (len(heads) - 3) + "---|"]
    for row in [*rows, *_real(rows)]:
        cells = [
            row.name,
            row.recipe,
            str(row.image_size or ""),
            f"{row.images:,}" if row.seconds else "",
            f"{row.seconds / 60:.0f}" if row.seconds else "",
            *(figures.number(name, row.figures.get(name)) for name in names),
            row.note,
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def columns(rows: Sequence[Row]) -> list[str]:
    """The figures in any of the rows, in order."""
    names = ordered(name for row in rows for name in row.figures)
    return [name for name in names if name in FIGURES or name.endswith(AS_ASKED)]


def _real(rows: Sequence[Row]) -> list[Row]:
    """A row for each fingerprint, from the first run with the most figures."""
    found: dict[str, Row] = {}
    for row in rows:
        real = {
            name.removesuffix(REAL): value
            for name, value in row.figures.items()
            if name.endswith(REAL)
        }
        if len(real) > len(found.get(row.fingerprint, Row("")).figures):
            found[row.fingerprint] = Row("real faces", image_size=row.image_size, figures=real)
    return list(found.values())
