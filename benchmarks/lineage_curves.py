"""Plots the figures of the entries of `lineage.py` during their trainings."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from PIL import Image

from benchmarks.lineage_claims import topics
from benchmarks.lineage_results import Scale, TrainedRecipe
from export.figures import DETECTOR_FACES, FD_RATIO, label

PANELS: tuple[tuple[str, Scale], ...] = (
    (FD_RATIO, "minutes"),
    (FD_RATIO, "images"),
    (DETECTOR_FACES, "minutes"),
)
"""The plots of a topic, from left to right."""
UNITS: dict[Scale, tuple[float, str]] = {"minutes": (1, "minutes"), "images": (1000, "kimg")}


def save_curves(file: Path, everything: Sequence[TrainedRecipe]) -> None:
    """Writes a WebP image with a row of plots for each topic."""
    groups = topics(everything)
    figure = Figure(figsize=(11, 2.6 * len(groups)), layout="constrained")
    rows = figure.subplots(len(groups), len(PANELS), squeeze=False)
    for axes, (name, group) in zip(rows, groups, strict=True):
        for axis, (measured, scale) in zip(axes, PANELS, strict=True):
            _plot(axis, measured, scale, group)
        axes[0].set_title(name, loc="left", fontsize=10)
        axes[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    png = file.with_suffix(".png")
    figure.savefig(png, dpi=80)
    with Image.open(png) as plotted:
        plotted.convert("RGB").save(file, quality=40, method=6)
    png.unlink()


def _plot(axes: Axes, measured: str, scale: Scale, group: Sequence[TrainedRecipe]) -> None:
    unit, name = UNITS[scale]
    for trained in group:
        places, values = trained.curve(measured, scale)
        axes.plot([place / unit for place in places], values, marker="o", ms=3, label=trained.name)
    axes.set(xscale="log", xlabel=name, ylabel=label(measured))
    _number(axes.xaxis)
    if measured == FD_RATIO:
        axes.set_yscale("log")
        _number(axes.yaxis)
    else:
        axes.set_ylim(0, 1.02)


def _number(axis: Axis) -> None:
    """Plain numbers at 1, 2, 5, 10, … of a logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())
