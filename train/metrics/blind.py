"""`python -m train blind`: a blind count of broken images.

`paint` generates images of models or runs, shuffles them with held-out real images on numbered
pages, and writes the key to a separate file. A person notes the numbers of broken images; `resolve`
counts them by source.
"""

import argparse
import json
import math
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

import config
from export.registry import Registry
from train import report
from train.arguments import parse_seed
from train.data import DataError, Faces, load
from train.numbered_pages import CELL, read_marks, save_pages
from train.progress import progress_bar
from train.settings import TrainingSettings
from train.sources import BATCH, Source, find_source

REAL = "real"
"""Source name of the held-out real images."""
KEY = "key.json"
Z_95 = 1.96
"""Quantile of the normal distribution for a 95 % interval."""


class BlindError(Exception):
    """A blind count cannot be prepared or resolved."""


@dataclass(frozen=True)
class Count:
    """Number of broken images of a source."""

    source: str
    pictures: int
    broken: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the share of broken images (Wilson 1927)."""
        n, share = self.pictures, self.broken / self.pictures
        middle = share + Z_95**2 / (2 * n)
        reach = Z_95 * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
        scale = 1 + Z_95**2 / n
        return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def main(given: Sequence[str], console: Console) -> None:
    """Raises BlindError, ModelError, CheckpointError, DataError, SettingsError."""
    arguments = _parser().parse_args(given)
    if arguments.command == "resolve":
        counts = resolve(arguments.key, arguments.marks)
        console.print(table(counts), markup=False, highlight=False)
        return
    settings = config.read(TrainingSettings, arguments.config)
    registry = Registry(settings.models.dir)
    sources = [find_source(name, registry) for name in arguments.sources or [None]]
    data = arguments.data or settings.train.data
    if data is None:
        raise DataError("real images are needed for comparison: name their data with --data")
    faces = load(data, sources[0].image_size, skip_bad=arguments.skip_bad, enlarge=True)
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    with progress_bar(console, "painting") as report_progress:
        pictures, key = draw(sources, faces, arguments.pictures, seed, report_progress)
    pages = save(arguments.out, pictures, key)
    console.print(
        f"{len(pictures)} numbered pictures of {len(sources) + 1} sources, on {len(pages)} pages: "
        f"{', '.join(map(str, pages))}\n"
        "Without opening the key, write the numbers of broken pictures to a file, then run:\n"
        f"  python -m train blind resolve {arguments.out / KEY} MARKS",
        markup=False,
        highlight=False,
    )


def draw(
    sources: Sequence[Source],
    faces: Faces,
    count: int,
    seed: int,
    report_progress: Any = lambda done: None,
) -> tuple[Tensor, dict[str, Any]]:
    """Draws `count` images uint8 [N, 3, CELL, CELL] in random order, an equal number of each source
    and of held-out images. Returns them and the key. Raises BlindError.
    """
    names = [*(source.name for source in sources), REAL]
    if len(set(names)) < len(names):
        raise BlindError(f"sources must have different names: {', '.join(names)}")
    held_out, rng = faces.split()[1].images, np.random.RandomState(seed)
    shares = [count // len(names) + (n < count % len(names)) for n in range(len(names))]
    if not 0 < shares[-1] <= len(held_out):
        most = len(held_out) * len(names)
        raise BlindError(
            f"{count} pictures of {len(names)} sources cannot be drawn: the number must be from "
            f"{len(names)}, the number of sources, to {most}, since {len(held_out)} real pictures "
            "are held out"
        )
    parts = []
    for source, share in zip(sources, shares, strict=False):
        latents, conditions = source.draw(rng, share)
        batches = zip(torch.split(latents, BATCH), torch.split(conditions, BATCH), strict=True)
        for number, (z, c) in enumerate(batches, 1):
            parts.append(report.scaled(source.generate(z, c).cpu(), CELL))
            done = len(names[: names.index(source.name)]) + min(1, number * BATCH / share)
            report_progress(done / len(sources))
    real = torch.from_numpy(rng.permutation(len(held_out))[: shares[-1]])
    parts.append(report.scaled(held_out[real].cpu(), CELL))
    order = rng.permutation(count)
    of_picture = [name for name, share in zip(names, shares, strict=True) for _ in range(share)]
    cells = {str(cell): of_picture[row] for cell, row in enumerate(order, 1)}
    key = {"data": faces.name, "seed": seed, "sources": names, "cells": cells}
    return torch.cat(parts)[torch.from_numpy(order)], key


def save(folder: Path, pictures: Tensor, key: dict[str, Any]) -> list[Path]:
    """Writes the key and the pages; returns the paths of the pages. Raises BlindError."""
    if (folder / KEY).exists():
        raise BlindError(f"{folder / KEY} exists already: choose another --out")
    pages = save_pages(folder, pictures)
    (folder / KEY).write_text(json.dumps(key, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return pages


def resolve(key: Path, marks: Path) -> list[Count]:
    """Counts the broken images of each source. The file `marks` holds their numbers, separated by
    spaces, commas or newlines; # starts a comment. Raises BlindError, MarksError.
    """
    try:
        cells: dict[str, str] = json.loads(key.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BlindError(
            f"{key} is not a key of `python -m train blind paint`: {error!r}"
        ) from None
    broken = Counter(cells[str(number)] for number in read_marks(marks, len(cells)))
    pictures = Counter(cells.values())
    return [Count(source, count, broken[source]) for source, count in sorted(pictures.items())]


def table(counts: Sequence[Count]) -> str:
    """A Markdown table of the counts."""
    lines = ["| source | pictures | broken | share | 95% interval |", "|---|--:|--:|--:|--:|"]
    for count in sorted(counts, key=lambda count: (count.source == REAL, count.source)):
        low, high = count.interval
        share = f"{count.broken / count.pictures:.1%}"
        lines.append(
            f"| {count.source} | {count.pictures} | {count.broken} | {share} | "
            f"{low:.1%} to {high:.1%} |"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train blind",
        description="Count broken pictures by eye, without knowing their source.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    paint = commands.add_parser(
        "paint", help="generate pictures, and shuffle them on numbered pages"
    )
    paint.add_argument(
        "sources",
        nargs="*",
        metavar="MODEL_OR_RUN",
        help="names of models or folders of runs; by default the model in use",
    )
    paint.add_argument("--data", type=Path, help="data of the real images")
    paint.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="folder for pages and key"
    )
    paint.add_argument("--pictures", type=int, default=400, help="total number (default 400)")
    paint.add_argument(
        "--seed", type=parse_seed, help="seed of pictures and order (default: random)"
    )
    paint.add_argument("--skip-bad", action="store_true", help="omit bad images")
    paint.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    solve = commands.add_parser("resolve", help="count the broken pictures of each source")
    solve.add_argument("key", type=Path, metavar="KEY", help="key.json of the pages")
    solve.add_argument(
        "marks", type=Path, metavar="MARKS", help="file with the numbers of broken pictures"
    )
    return parser
