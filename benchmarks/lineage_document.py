"""What `benchmarks/lineage.py` writes of all that is done: `docs/lineage.md` and its sheet."""

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from export.figures import ALL_AS_ASKED, FD_RATIO, label, number
from export.sheet import draw_sheet
from train import recipes
from train.compare import sheet
from train.compare.table import Row, markdown


@dataclass(frozen=True)
class TrainedRecipe:
    """A recipe that was trained and judged, as `docs/lineage/` keeps it."""

    file: Path

    @cached_property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.file.read_text("utf-8"))
        return content

    @property
    def plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = self.content["plan"]
        return plan

    @property
    def row(self) -> Row:
        return Row(**self.content["row"])

    @property
    def on_the_way(self) -> list[Row]:
        """A row for each stop, the last one included."""
        return [*(Row(**row) for row in self.content["on_the_way"]), self.row]

    @property
    def stops(self) -> tuple[str, ...]:
        if "minutes" in self.plan:
            return tuple(f"{stop:g} minutes" for stop in self.plan["minutes"])
        return tuple(f"{stop:,} images" for stop in self.plan["images"])

    @property
    def cells(self) -> list[np.ndarray]:
        """Its strip of pictures, uint8 [S, S, 3] each."""
        with Image.open(self.file.with_suffix(".webp")) as strip:
            return np.split(np.asarray(strip), sheet.COLUMNS, axis=1)


def write(docs: Path, whole: Sequence[str], smaller: Sequence[str], flags: Sequence[str]) -> Path:
    """The document and its sheet, of those names that are done; it returns the former's path.

    `whole` and `smaller` are the names of those of either budget, `flags` all had in common.
    """
    groups = [
        [TrainedRecipe(docs / "lineage" / f"{n}.json") for n in names] for names in (whole, smaller)
    ]
    groups = [[done for done in group if done.file.is_file()] for group in groups]
    file = docs / "lineage" / "notes.toml"
    notes = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    document = docs / "lineage.md"
    docs.mkdir(parents=True, exist_ok=True)
    document.write_text("\n\n".join(_document(groups, notes, flags)) + "\n", "utf-8")
    if everything := list(chain(*groups)):
        cells = [cell for done in everything for cell in done.cells]
        names = [done.row.name for done in everything]
        pictures = draw_sheet(np.stack(cells), names, everything[0].content["asked"])
        pictures.save(docs / "lineage.webp", quality=80, method=6)
    return document


def _document(
    groups: Sequence[Sequence[TrainedRecipe]], notes: dict[str, str], flags: Sequence[str]
) -> Iterator[str]:
    yield "# The lineage"
    yield (
        "Every system that this project grew from, trained and judged alike. Written by"
        " `benchmarks/lineage.py`; the paragraphs are from `docs/lineage/notes.toml`."
    )
    yield from notes.get("summary", "").strip().split("\n\n") if "summary" in notes else ()
    for group, heading in zip(groups, ("The whole budget", "A smaller budget"), strict=True):
        if group:
            yield f"## {heading}"
            yield _budget(group, flags)
            yield markdown([done.row for done in group])
            yield from _on_the_way(group)
    if any(groups):
        yield "## What they paint"
        yield "![A row of pictures each](lineage.webp)"
        yield (
            "The same conditions in each row, where a system can be asked for any; a latent for"
            " each picture, none picked."
        )
        yield "## One by one"
    for done in chain(*groups):
        yield f"### {done.row.name}"
        if done.row.recipe:
            recipe = recipes.read(done.row.recipe)
            yield f"{recipe.about} — {recipe.source}"
        yield from (notes[done.row.name].strip(),) if done.row.name in notes else ()


def _budget(group: Sequence[TrainedRecipe], flags: Sequence[str]) -> str:
    budgets = dict.fromkeys(done.stops[-1] for done in group)
    data = dict.fromkeys(done.plan["data"] for done in group)
    machines = dict.fromkeys(done.content["machine"] for done in group)
    examined = [done.content["examined"] for done in group]
    fakes = dict.fromkeys(f"{found['fakes']:,}" for found in examined if found)
    width = ""
    if all(done.plan["half_width"] for done in group):
        width = ", with half the channels of its recipe"
        if any("--width" in done.plan["flags"] for done in group):
            width += " unless its row says otherwise"
    return (
        f"Each was trained for {' or '.join(budgets)}{width}, on {' and '.join(data)}, by"
        f" {' and '.join(machines)}"
        + (f", with `{' '.join(flags)}`" if flags else "")
        + f". Figures of {' or '.join(fakes) or 'no'} single pictures, none of them chosen by a"
        " critic, measured by one judge of the data."
    )


def _on_the_way(group: Sequence[TrainedRecipe]) -> Iterator[str]:
    """A table of the headline at each stop, and of the share that is as asked."""
    stops = {done.stops for done in group}
    if len(stops) > 1 or len(group[0].stops) == 1:  # they do not compare, or there is no way
        return
    yield "### On the way"
    headline = next(n for n in (FD_RATIO, "q") if all(n in r.figures for r in _rows(group)))
    yield f"{label(headline)}, and the share of pictures that are as asked, after so much of it:"
    lines = ["| | " + " | ".join(group[0].stops) + " |", "|---|" + "---|" * len(group[0].stops)]
    for done in group:
        cells = [_short(headline, row.figures) for row in done.on_the_way]
        lines.append("| " + " | ".join([done.row.name, *cells]) + " |")
    yield "\n".join(lines)


def _rows(group: Sequence[TrainedRecipe]) -> list[Row]:
    """Those that were measured."""
    return [row for done in group for row in done.on_the_way if row.figures]


def _short(headline: str, figures: dict[str, float]) -> str:
    if not figures:
        return "diverged"
    asked = figures.get(ALL_AS_ASKED)
    return number(headline, figures[headline]) + (
        "" if asked is None else f" ({number(ALL_AS_ASKED, asked)})"
    )
