"""Writes `docs/lineage.md` from the results of `benchmarks/lineage.py`."""

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from export.figures import (
    ALL_AS_ASKED,
    DETECTOR_FACES,
    DETECTOR_FD_RATIO,
    FD_RATIO,
    REAL,
    label,
    number,
)
from train import recipes
from train.compare.table import Row, markdown

COLUMNS = (
    *("hair_as_asked", "eyes_as_asked", ALL_AS_ASKED, FD_RATIO, DETECTOR_FACES, DETECTOR_FD_RATIO),
    *("lite2_precision", "lite2_recall", "near_duplicates", "diversity"),
    *("dropped_conditions", "dropped_clusters", "sharpness"),
)
CURVES = "curves.webp"


@dataclass(frozen=True)
class TrainedRecipe:
    """The stored results of a trained and judged recipe."""

    file: Path

    @cached_property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.file.read_text("utf-8"))
        return content

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def is_earlier(self) -> bool:
        """Whether it was stored by an earlier version of the benchmark, for its recipes."""
        return "format" not in self.content

    @property
    def plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = self.content["plan"]
        return plan

    @property
    def rows(self) -> list[Row]:
        """A row for each point at which it was judged."""
        if self.is_earlier:
            return [Row(**row) for row in (*self.content["on_the_way"], self.content["row"])]
        return [Row(**row) for row in self.content["rows"]]

    def epochs(self, row: Row) -> float:
        return float(row.images / self.content["data_size"])


def write(docs: Path, names: Sequence[str]) -> Path:
    """Writes the document for all stored results; returns its path. `names` gives their order."""
    stored = {file.stem: TrainedRecipe(file) for file in (docs / "lineage").glob("*.json")}
    order = [name for name in names if name in stored]
    order += sorted(stored.keys() - set(names))
    everything = [stored[name] for name in order]
    file = docs / "lineage" / "notes.toml"
    notes = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    document = docs / "lineage.md"
    docs.mkdir(parents=True, exist_ok=True)
    now = [trained for trained in everything if not trained.is_earlier]
    if now:
        save_curves(docs / "lineage" / CURVES, now)
    document.write_text("\n\n".join(_document(everything, notes)) + "\n", "utf-8")
    return document


def _document(everything: Sequence[TrainedRecipe], notes: dict[str, str]) -> Iterator[str]:
    now = [trained for trained in everything if not trained.is_earlier]
    earlier = [trained for trained in everything if trained.is_earlier]
    yield "# The lineage"
    yield (
        "The systems that preceded the default recipe, trained and judged in the same way. Written"
        " by `benchmarks/lineage.py`; the comments are from `docs/lineage/notes.toml`."
    )
    yield from _paragraphs(notes, "summary")
    if now:
        yield "## Results"
        yield _conditions(now)
        yield _table(now)
        yield "### During training"
        yield f"{label(FD_RATIO)} at each point (share as asked), with the minutes of training:"
        yield _history(now)
        yield f"![{label(FD_RATIO)} during training](lineage/{CURVES})"
    if earlier:
        yield "## Results of earlier recipes"
        yield from _paragraphs(notes, "earlier")
        yield markdown([trained.rows[-1] for trained in earlier])
    if everything:
        yield "## Images"
        yield _sheet(everything)
        yield "## The systems"
    for trained in everything:
        yield f"### {trained.name}"
        if trained.plan["recipe"]:
            recipe = recipes.read(trained.plan["recipe"])
            yield f"{recipe.about} — {recipe.source}"
        yield from _paragraphs(notes, trained.name)


def _paragraphs(notes: dict[str, str], name: str) -> list[str]:
    return notes[name].strip().split("\n\n") if name in notes else []


def _conditions(group: Sequence[TrainedRecipe]) -> str:
    data = dict.fromkeys(trained.plan["data"] for trained in group)
    machines = dict.fromkeys(trained.content["machine"] for trained in group)
    fakes = dict.fromkeys(f"{trained.content['fakes']:,}" for trained in group)
    return (
        f"Each was trained once on {' or '.join(data)}, on {' or '.join(machines)}, for the minutes"
        " in its row; width is that of the generator and of the discriminator, epochs are passes"
        f" over the data. Figures of {' or '.join(fakes)} single images, without selection;"
        " images of other sizes are scaled to 64 pixels. The options are those that differ from the"
        " recipe."
    )


def _table(group: Sequence[TrainedRecipe]) -> str:
    """The last row of each, and held-out real images."""
    last = {trained.name: trained.rows[-1] for trained in group}
    names = [name for name in COLUMNS if any(name in row.figures for row in last.values())]
    heads = [
        "",
        "recipe",
        "width",
        "batch",
        "images",
        "epochs",
        "minutes",
        *map(label, names),
        "options",
    ]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "--:|" * (len(heads) - 3) + "---|"]
    for trained in group:
        row, content = last[trained.name], trained.content
        options = f"`{' '.join(trained.plan['flags'])}`" if trained.plan["flags"] else ""
        cells = [
            trained.name,
            trained.plan["recipe"],
            "/".join(map(str, dict.fromkeys(content["width"]))),
            str(content["batch"]),
            f"{row.images:,}",
            f"{trained.epochs(row):.1f}",
            f"{row.seconds / 60:.0f}",
            *(number(name, row.figures.get(name)) for name in names),
            "; ".join(filter(None, [options, row.note])),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    real = max((row.figures for row in last.values()), key=len)
    cells = [number(name, real.get(f"{name}{REAL}")) for name in names]
    lines.append("| " + " | ".join(["real faces", *[""] * 6, *cells, ""]) + " |")
    return "\n".join(lines)


def _history(group: Sequence[TrainedRecipe]) -> str:
    count = max(len(trained.rows) for trained in group)
    lines = ["| |" + " |" * count, "|---|" + "---|" * count]
    for trained in group:
        cells = [f"{row.seconds / 60:.0f}: {_short(row.figures)}" for row in trained.rows]
        lines.append("| " + " | ".join([trained.name, *cells, *[""] * (count - len(cells))]) + " |")
    return "\n".join(lines)


def _short(figures: dict[str, float]) -> str:
    if not figures:
        return "diverged"
    asked = figures.get(ALL_AS_ASKED)
    share = "" if asked is None else f" ({number(ALL_AS_ASKED, asked)})"
    return number(FD_RATIO, figures[FD_RATIO]) + share


def save_curves(file: Path, group: Sequence[TrainedRecipe]) -> None:
    """Plots the main figure and the share of images with a face against the minutes."""
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(11, 9), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for number_of_line, trained in enumerate(group):
        rows = [row for row in trained.rows if row.figures]
        minutes = [row.seconds / 60 for row in rows]
        style = ("-", "--", ":")[number_of_line // 10 % 3]
        for axis, name in zip(axes, (FD_RATIO, DETECTOR_FACES), strict=True):
            values = [row.figures[name] for row in rows]
            axis.plot(minutes, values, style, marker="o", markersize=3, label=trained.name)
    axes[0].set(ylabel=label(FD_RATIO), xscale="log", yscale="log")
    axes[1].set(ylabel=label(DETECTOR_FACES), xlabel="minutes", ylim=(0, 1.02))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    png = file.with_suffix(".png")
    figure.savefig(png, dpi=80)
    with Image.open(png) as plotted:
        plotted.convert("RGB").save(file, quality=80, method=6)
    png.unlink()


def _sheet(everything: Sequence[TrainedRecipe]) -> str:
    """A row of images for each recipe."""
    conditions = "; ".join(text.replace("\n", ", ") for text in everything[0].content["asked"])
    rows = [f"| {t.name} | ![{t.name}](lineage/{t.name}.webp) |" for t in everything]
    return "\n\n".join(
        [
            f"From left to right, the conditional systems generate: {conditions}. Each image has a"
            " different random latent; the images were not selected.",
            "\n".join(["| | |", "|---|---|", *rows]),
        ]
    )
