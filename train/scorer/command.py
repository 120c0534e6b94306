"""`python -m train defects`: teaches the scorer which images are broken.

`paint` generates images of a model or run, without a scorer, on numbered pages. A person notes the
numbers of broken ones; `fit` learns from them a linear function of image features, with which
`python -m train judge RUN --judge.defects FILE` fits the scorer of a run.
"""

import argparse
import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

import config
from export.registry import Registry
from train import report
from train.arguments import parse_count, parse_seed
from train.numbered_pages import CELL, MarksError, read_marks, save_pages
from train.progress import progress_bar
from train.scorer.marked import (
    BROKEN,
    DEFECTS_FILE,
    DOUBTFUL,
    INTACT,
    MIN_BROKEN,
    MarkedScorer,
    cross_validate,
    fit_weight,
    marked_features,
    save_defects,
)
from train.settings import TrainingSettings
from train.sources import BATCH, find_source

PICTURES_FILE, MARKS_FILE = "pictures.safetensors", "marks.txt"
DOUBT = "?"
"""Suffix of the number of a picture that may be broken."""


def main(given: Sequence[str], console: Console) -> None:
    """Raises MarksError, ModelError, CheckpointError, FeatureNetworkError, SettingsError."""
    arguments = _parser().parse_args(given)
    if arguments.command == "paint":
        paint(arguments, console)
    else:
        fit(arguments.folders, arguments.out, console)


def paint(arguments: argparse.Namespace, console: Console) -> None:
    """Writes the pages and the pictures of a folder. Raises MarksError."""
    out: Path = arguments.out
    if (out / PICTURES_FILE).exists():
        raise MarksError(f"{out / PICTURES_FILE} exists already: choose another --out")
    settings = config.read(TrainingSettings, arguments.config)
    source = find_source(arguments.source, Registry(settings.models.dir), single=True)
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    drawn = source.draw(np.random.RandomState(seed), arguments.pictures)
    batches = list(zip(*(torch.split(part, BATCH) for part in drawn), strict=True))
    parts = []
    with progress_bar(console, "painting") as report_progress:
        for number, (latents, conditions) in enumerate(batches, 1):
            parts.append(source.generate(latents, conditions).cpu())
            report_progress(number / len(batches))
    pictures = torch.cat(parts)
    pages = save_pages(out, report.scaled(pictures, CELL))
    (out / PICTURES_FILE).write_bytes(save({"pictures": pictures.contiguous()}))
    console.print(
        f"{len(pictures)} numbered pictures of {source.name}, each the only candidate, on "
        f"{len(pages)} pages: {', '.join(map(str, pages))}\n"
        f"Write the numbers of broken pictures to {out / MARKS_FILE}, those of doubtful ones as "
        f"12{DOUBT}, then run:\n  python -m train defects fit {out}",
        markup=False,
        highlight=False,
    )


def fit(folders: Sequence[Path], out: Path | None, console: Console) -> None:
    """Writes the function that was learned from the pictures and marks of all folders."""
    out = out or folders[-1] / DEFECTS_FILE
    marked = [read_marked(folder) for folder in folders]
    pictures = [pictures for pictures, _ in marked]
    targets = torch.cat([targets for _, targets in marked])
    broken = int((targets == BROKEN).sum())
    if broken < MIN_BROKEN or int((targets == INTACT).sum()) < MIN_BROKEN:
        raise MarksError(
            f"{broken} of {len(targets)} pictures are marked as broken: at least {MIN_BROKEN} "
            f"broken and {MIN_BROKEN} intact ones are needed, and some hundred pictures are better"
        )
    with progress_bar(console, "features") as report_progress:
        features = torch.cat([marked_features(part, report_progress) for part in pictures], dim=1)
    found = cross_validate(features, targets)
    save_defects(out, fit_weight(features, targets))
    console.print(
        f"{len(targets)} pictures, {found.broken:.1%} of them broken, "
        f"{int((targets == DOUBTFUL).sum())} doubtful\n"
        f"cross-validation: AUC {found.auc:.3f} of broken against intact pictures; "
        f"{found.broken_kept:.1%} of the best {1 - MarkedScorer.rejected_share:.0%} are broken\n"
        f"{out}; use it with: python -m train judge RUN --judge.defects {out}",
        markup=False,
        highlight=False,
    )


def read_marked(folder: Path) -> tuple[Tensor, Tensor]:
    """The pictures uint8 [N, 3, S, S] of a folder, and their targets [N]. Raises MarksError."""
    file = folder / PICTURES_FILE
    try:
        pictures = load_file(file)["pictures"]
    except (OSError, SafetensorError, KeyError) as error:
        raise MarksError(
            f"{file} is not a file of `python -m train defects paint`: {error!r}"
        ) from None
    targets = torch.full((len(pictures),), INTACT)
    for number, suffix in read_marks(folder / MARKS_FILE, len(pictures), DOUBT).items():
        targets[number - 1] = DOUBTFUL if suffix else BROKEN
    return pictures, targets


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train defects",
        description="Teach the scorer which pictures are broken, by marking some.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    painting = commands.add_parser("paint", help="generate pictures on numbered pages")
    painting.add_argument(
        "source",
        nargs="?",
        metavar="MODEL_OR_RUN",
        help="name of a model or folder of a run; by default the model in use",
    )
    painting.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="folder for pages and pictures"
    )
    painting.add_argument("--pictures", type=parse_count, default=600, help="number (default 600)")
    painting.add_argument("--seed", type=parse_seed, help="seed of the pictures (default: random)")
    painting.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    fitting = commands.add_parser("fit", help="learn from the marked pictures of folders")
    fitting.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    fitting.add_argument(
        "--out", type=Path, metavar="FILE", help=f"default: {DEFECTS_FILE} in the last folder"
    )
    return parser
