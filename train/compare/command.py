"""`python -m train compare RUN…`: a table of figures and a sheet of pictures of several runs."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from PIL import Image
from rich.console import Console

from train import checkpoint, report
from train.arguments import parse_seed
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
                "\nThese runs have different data or image sizes, and so different judges: only "
                "figures of the same data are comparable.",
                highlight=False,
            )
    file = arguments.out or arguments.runs[0].parent / SHEET
    save_sheet(file, arguments.runs, arguments.seed)
    if not arguments.json:
        console.print(f"\npictures: {file}", highlight=False)


def save_sheet(file: Path, runs: Sequence[Path], seed: int = 0) -> None:
    """Saves a sheet with a row for each run; its columns are conditions of the first tagged run."""
    infos = [checkpoint.read_run(run) for run in runs]
    wishes = sheet.wishes(next((info.attributes for info in infos if info.attributes), ()))
    rows_of_pictures = [
        sheet.row(Model(run, seed), wishes)
        if (run / checkpoint.CHECKPOINT_FILE).is_file()
        else sheet.blank_row()
        for run in runs
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    labels = [info.run for info in infos]
    report.sheet(torch.cat(rows_of_pictures), labels, sheet.headings(wishes)).save(file, quality=85)


def _sheet_file(text: str) -> Path:
    """The path of a picture. Raises ArgumentTypeError for a suffix that is no format's."""
    file, formats = Path(text), Image.registered_extensions()
    if formats.get(file.suffix.lower()) not in Image.SAVE:
        raise argparse.ArgumentTypeError(
            f"{text} has no suffix of a picture's format, such as {SHEET} has"
        )
    return file


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
        default=1,
        metavar="N",
        help="figures of single images (1, the default), or of the best of N images by the scorer"
        " of the run",
    )
    parser.add_argument("--out", type=_sheet_file, metavar="FILE", help="where to write the sheet")
    parser.add_argument("--seed", type=parse_seed, default=0, help="seed of the sheet (default 0)")
    return parser
