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
from train.compare.table import markdown

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
    now = [trained for trained in everything if not trained.is_earlier]
    if now:
        from benchmarks.lineage_curves import save_curves  # imports Matplotlib

        save_curves(docs / "lineage" / CURVES, now)
    document.write_text("\n\n".join(_document(everything, notes)) + "\n", "utf-8")
    return document


def _document(everything: Sequence[TrainedRecipe], notes: dict[str, Any]) -> Iterator[str]:
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
        yield _sheet(now)
        yield _conditions(now)
        yield _table(now)
    yield "## What the texts claim"
    yield from _paragraphs(notes, "claims")
    yield from lineage_claims.table(now)
    if now:
        yield "## During training"
        yield f"![{label(FD_RATIO)} and faces found during training](lineage/{CURVES})"
        yield f"{label(FD_RATIO)} at each point (share as asked), with the minutes of training:"
        yield _history(now)
    if earlier:
        yield "## Results of earlier recipes"
        yield from _paragraphs(notes, "earlier")
        yield _sheet(earlier)
        yield markdown([trained.rows[-1] for trained in earlier])
    if everything:
        yield "## The systems"
    for trained in everything:
        yield f"### {trained.name}"
        if trained.plan["recipe"]:
            recipe = recipes.read(trained.plan["recipe"])
            yield f"{recipe.about} — {recipe.source}"
        comments = notes.get("earlier_systems" if trained.is_earlier else "systems", {})
        yield from _paragraphs(comments, trained.name)


def _paragraphs(notes: dict[str, Any], name: str) -> list[str]:
    text: str = notes.get(name, "")
    return text.strip().split("\n\n") if text else []


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
