"""`python -m train compare RUN…`: the figures of runs in one table, their pictures on one sheet."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console

from train import checkpoint, report
from train.compare import sheet
from train.compare.table import markdown, row_of_run
from train.show.model import Model

SHEET = "compare.webp"


def main(given: Sequence[str], console: Console) -> None:
    """Raises CheckpointError."""
    arguments = _parser().parse_args(given)
    rows = [row_of_run(run, arguments.candidates) for run in arguments.runs]
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        console.print(markdown(rows), markup=False, highlight=False)
        if len({row.fingerprint for row in rows if row.figures}) > 1:
            console.print(
                "\nThese runs are of several data or sizes, each with a judge of its own: only "
                "figures of the same data compare.",
                highlight=False,
            )
    file = arguments.out or arguments.runs[0].parent / SHEET
    save_sheet(file, arguments.runs, arguments.seed)
    if not arguments.json:
        console.print(f"\npictures: {file}", highlight=False)


def save_sheet(file: Path, runs: Sequence[Path], seed: int = 0) -> None:
    """A row a run; the columns are conditions of the first run that has any."""
    infos = [checkpoint.read_run(run) for run in runs]
    wished = sheet.wishes(next((info.attributes for info in infos if info.attributes), ()))
    strips = [
        sheet.strip(Model(run, seed), wished)
        if (run / checkpoint.CHECKPOINT_FILE).is_file()
        else sheet.blank()
        for run in runs
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    labels = [info.run for info in infos]
    report.sheet(torch.cat(strips), labels, sheet.headings(wished)).save(file, quality=85)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train compare",
        description="Compare trained runs: a table of their figures, and a sheet of pictures.",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    parser.add_argument(
        "--candidates",
        type=int,
        choices=[1, 2, 4],
        default=1,
        help="figures of single pictures (1, the default), or of the best of several by the run's"
        " own critic",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the sheet")
    parser.add_argument("--seed", type=int, default=0, help="of the sheet's faces (default 0)")
    return parser
