"""Writes `docs/lineage.md` from the results of `benchmarks/lineage.py`."""

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from export.figures import ALL_AS_ASKED, FD_RATIO, label, number
from train import recipes
from train.compare.table import Row, markdown


@dataclass(frozen=True)
class TrainedRecipe:
    """The stored results of a trained and judged recipe."""

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
    def history(self) -> list[Row]:
        """A row for each milestone, including the last one."""
        return [*(Row(**row) for row in self.content["on_the_way"]), self.row]

    @property
    def milestones(self) -> tuple[str, ...]:
        if "minutes" in self.plan:
            return tuple(f"{milestone:g} minutes" for milestone in self.plan["minutes"])
        return tuple(f"{milestone:,} images" for milestone in self.plan["images"])


def write(docs: Path, whole: Sequence[str], smaller: Sequence[str], flags: Sequence[str]) -> Path:
    """Writes the document for all stored results; returns its path.

    `whole` and `smaller` are the entries of both budgets, `flags` the options of all trainings.
    """
    groups = [
        [TrainedRecipe(docs / "lineage" / f"{n}.json") for n in names] for names in (whole, smaller)
    ]
    groups = [[trained for trained in group if trained.file.is_file()] for group in groups]
    file = docs / "lineage" / "notes.toml"
    notes = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    document = docs / "lineage.md"
    docs.mkdir(parents=True, exist_ok=True)
    document.write_text("\n\n".join(_document(groups, notes, flags)) + "\n", "utf-8")
    return document


def _document(
    groups: Sequence[Sequence[TrainedRecipe]], notes: dict[str, str], flags: Sequence[str]
) -> Iterator[str]:
    yield "# The lineage"
    yield (
        "The systems that preceded the default recipe, trained and judged in the same way. Written"
        " by `benchmarks/lineage.py`; the comments are from `docs/lineage/notes.toml`."
    )
    yield from notes.get("summary", "").strip().split("\n\n") if "summary" in notes else ()
    for group, heading in zip(groups, ("The whole budget", "A smaller budget"), strict=True):
        if group:
            yield f"## {heading}"
            yield _budget(group, flags)
            yield markdown([trained.row for trained in group])
            yield from _history(group)
    if any(groups):
        yield "## Images"
        yield _sheet(list(chain(*groups)))
        yield "## The systems"
    for trained in chain(*groups):
        yield f"### {trained.row.name}"
        if trained.row.recipe:
            recipe = recipes.read(trained.row.recipe)
            yield f"{recipe.about} — {recipe.source}"
        yield from (notes[trained.row.name].strip(),) if trained.row.name in notes else ()


def _sheet(everything: Sequence[TrainedRecipe]) -> str:
    """A row of images for each recipe."""
    headings = everything[0].content["asked"]
    conditions = "; ".join(heading.replace("\n", ", ") for heading in headings)
    rows = [f"| {t.row.name} | ![{t.row.name}](lineage/{t.file.stem}.webp) |" for t in everything]
    return "\n\n".join(
        [
            f"From left to right, the conditional systems generate: {conditions}. Each image has a"
            " different random latent; the images were not selected.",
            "\n".join(["| | |", "|---|---|", *rows]),
        ]
    )


def _budget(group: Sequence[TrainedRecipe], flags: Sequence[str]) -> str:
    budgets = dict.fromkeys(trained.milestones[-1] for trained in group)
    data = dict.fromkeys(trained.plan["data"] for trained in group)
    machines = dict.fromkeys(trained.content["machine"] for trained in group)
    examined = [trained.content["examined"] for trained in group]
    fakes = dict.fromkeys(f"{found['fakes']:,}" for found in examined if found)
    width = ""
    if all(trained.plan["half_width"] for trained in group):
        width = ", with half the channels of its recipe"
        if any("--width" in trained.plan["flags"] for trained in group):
            width += " unless its row says otherwise"
    return (
        f"Each was trained for {' or '.join(budgets)}{width}, on {' and '.join(data)}, on"
        f" {' and '.join(machines)}"
        + (f", with `{' '.join(flags)}`" if flags else "")
        + f". Figures of {' or '.join(fakes) or 'no'} single images, without rejection"
        " sampling, measured by the same judge."
    )


def _history(group: Sequence[TrainedRecipe]) -> Iterator[str]:
    """A table of the main figure and of the share as asked at each milestone."""
    milestones = {trained.milestones for trained in group}
    if (
        len(milestones) > 1 or len(group[0].milestones) == 1
    ):  # not comparable, or only one milestone
        return
    yield "### During training"
    headline = next(n for n in (FD_RATIO, "q") if all(n in r.figures for r in _rows(group)))
    yield f"{label(headline)}, and the share of images that are as asked, at each point:"
    lines = [
        "| | " + " | ".join(group[0].milestones) + " |",
        "|---|" + "---|" * len(group[0].milestones),
    ]
    for trained in group:
        cells = [_short(headline, row.figures) for row in trained.history]
        lines.append("| " + " | ".join([trained.row.name, *cells]) + " |")
    yield "\n".join(lines)


def _rows(group: Sequence[TrainedRecipe]) -> list[Row]:
    """All rows with figures."""
    return [row for trained in group for row in trained.history if row.figures]


def _short(headline: str, figures: dict[str, float]) -> str:
    if not figures:
        return "diverged"
    asked = figures.get(ALL_AS_ASKED)
    return number(headline, figures[headline]) + (
        "" if asked is None else f" ({number(ALL_AS_ASKED, asked)})"
    )
