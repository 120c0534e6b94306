"""The stored results of `lineage.py`."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from train.compare.table import Row

Scale = Literal["minutes", "images"]


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
    def plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = self.content["plan"]
        return plan

    @cached_property
    def rows(self) -> list[Row]:
        """A row for each point at which it was judged."""
        return [Row(**row) for row in self.content["rows"]]

    def epochs(self, row: Row) -> float:
        return float(row.images / self.content["data_size"])

    def curve(self, figure: str, scale: Scale) -> tuple[list[float], list[float]]:
        """Minutes or images of the points, and the figure there."""
        rows = [row for row in self.rows if figure in row.figures]
        places = [row.seconds / 60 if scale == "minutes" else float(row.images) for row in rows]
        return places, [row.figures[figure] for row in rows]

    def end(self, scale: Scale) -> float:
        """Minutes or images of the whole training."""
        last = self.rows[-1]
        return last.seconds / 60 if scale == "minutes" else float(last.images)

    def value(self, figure: str, scale: Scale, place: float) -> float | None:
        """The figure at some minutes or images, interpolated over their logarithm; None if it was
        not measured, as after a divergence.
        """
        places, values = self.curve(figure, scale)
        if not places or self.content.get("diverged"):
            return None
        return float(np.interp(math.log(place), np.log(places), values))


def read(docs: Path, names: Sequence[str]) -> list[TrainedRecipe]:
    """All stored results; `names` gives their order."""
    stored = {file.stem: TrainedRecipe(file) for file in (docs / "lineage").glob("*.json")}
    order = [name for name in names if name in stored]
    return [stored[name] for name in (*order, *sorted(stored.keys() - set(names)))]
