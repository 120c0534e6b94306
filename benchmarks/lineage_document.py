"""Writes `docs/lineage.md` from the results of `benchmarks/lineage.py`."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import lineage_claims, lineage_results
from benchmarks.lineage_results import TrainedRecipe
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

COLUMNS = (
    *("hair_as_asked", "eyes_as_asked", ALL_AS_ASKED, FD_RATIO, DETECTOR_FACES, DETECTOR_FD_RATIO),
    *("lite2_precision", "lite2_recall", "near_duplicates", "diversity"),
    *("dropped_conditions", "dropped_clusters", "sharpness"),
)
CURVES = "curves.webp"


def write(docs: Path, names: Sequence[str]) -> Path:
    """Writes the document for all stored results; returns its path. `names` gives their order."""
    everything = lineage_results.read(docs, names)
    file = docs / "lineage" / "notes.toml"
    notes = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    document = docs / "lineage.md"
    docs.mkdir(parents=True, exist_ok=True)
    if everything:
        from benchmarks.lineage_curves import save_curves  # imports Matplotlib

        save_curves(docs / "lineage" / CURVES, everything)
    document.write_text("\n\n".join(_document(everything, notes)) + "\n", "utf-8")
    return document


def _document(everything: Sequence[TrainedRecipe], notes: dict[str, Any]) -> Iterator[str]:
    yield "# The lineage"
    yield (
        "The systems that preceded the default recipe, trained and judged in the same way. Written"
        " by `benchmarks/lineage.py`; the comments are from `docs/lineage/notes.toml`."
    )
    yield from _paragraphs(notes, "summary")
    if everything:
        yield "## Results"
        yield _sheet(everything)
        yield _figures(everything)
    yield "## What the texts claim"
    yield from _paragraphs(notes, "claims")
    yield from lineage_claims.table(everything)
    if everything:
        yield "## During training"
        yield f"![{label(FD_RATIO)} and faces found during training](lineage/{CURVES})"
        yield f"{label(FD_RATIO)} at each point (share as asked), with the minutes of training:"
        yield _history(everything)
        yield "## The trainings"
        yield _conditions(everything)
        yield _trainings(everything)
        yield "## The systems"
    for trained in everything:
        yield f"### {trained.name}"
        if trained.plan["recipe"]:
            recipe = recipes.read(trained.plan["recipe"])
            yield f"{recipe.about} — {recipe.source}"
        yield from _paragraphs(notes.get("systems", {}), trained.name)


def _paragraphs(notes: dict[str, Any], name: str) -> list[str]:
    text: str = notes.get(name, "")
    return text.strip().split("\n\n") if text else []


def _conditions(group: Sequence[TrainedRecipe]) -> str:
    data = dict.fromkeys(trained.plan["data"] for trained in group)
    machines = dict.fromkeys(trained.content["machine"] for trained in group)
    fakes = dict.fromkeys(f"{trained.content['fakes']:,}" for trained in group)
    return (
        f"Each was trained once on {' or '.join(data)}, on {' or '.join(machines)}; width is that"
        " of the generator and of the discriminator, epochs are passes over the data. Figures of"
        f" {' or '.join(fakes)} single images, without selection; images of other sizes are scaled"
        " to 64 pixels. The options are those that differ from the recipe."
    )


def _trainings(group: Sequence[TrainedRecipe]) -> str:
    """What each was trained with, and for how long."""
    heads = ["", "recipe", "width", "batch", "images", "epochs", "minutes", "options"]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "--:|" * (len(heads) - 3) + "---|"]
    for trained in group:
        row, content = trained.rows[-1], trained.content
        options = f"`{' '.join(trained.plan['flags'])}`" if trained.plan["flags"] else ""
        precision = "in bfloat16" if content.get("bfloat16") else ""
        cells = [
            trained.name,
            trained.plan["recipe"],
            "/".join(map(str, dict.fromkeys(content["width"]))),
            str(content["batch"]),
            f"{row.images:,}",
            f"{trained.epochs(row):.1f}",
            f"{row.seconds / 60:.0f}",
            "; ".join(filter(None, [options, precision, row.note])),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _figures(group: Sequence[TrainedRecipe]) -> str:
    """The figures at the end of each training, and those of held-out real images."""
    last = {trained.name: trained.rows[-1] for trained in group}
    names = [name for name in COLUMNS if any(name in row.figures for row in last.values())]
    heads = ["", "minutes", *map(label, names)]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    for name, row in last.items():
        cells = [number(figure, row.figures.get(figure)) for figure in names]
        shown = name if row.figures else f"{name} (diverged)"
        lines.append("| " + " | ".join([shown, f"{row.seconds / 60:.0f}", *cells]) + " |")
    real = max((row.figures for row in last.values()), key=len)
    cells = [number(figure, real.get(f"{figure}{REAL}")) for figure in names]
    lines.append("| " + " | ".join(["real faces", "", *cells]) + " |")
    return "\n".join(lines)


def _history(group: Sequence[TrainedRecipe]) -> str:
    count = max(len(trained.rows) for trained in group)
    lines = ["| |" + " |" * count, "|---|" + "---|" * count]
    for trained in group:
        cells = [f"{row.seconds / 60:.3g}: {_short(row.figures)}" for row in trained.rows]
        lines.append("| " + " | ".join([trained.name, *cells, *[""] * (count - len(cells))]) + " |")
    return "\n".join(lines)


def _short(figures: dict[str, float]) -> str:
    if not figures:
        return "diverged"
    asked = figures.get(ALL_AS_ASKED)
    share = "" if asked is None else f" ({number(ALL_AS_ASKED, asked)})"
    return number(FD_RATIO, figures[FD_RATIO]) + share


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
