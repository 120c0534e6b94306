"""`python -m train check`: tells which files of a data set are used, which are not, and why."""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.console import Console

from train.arguments import parse
from train.data.errors import SHOWN
from train.data.loading import Inspection, inspect

SHEET_COLUMNS = 16
SHEET_IMAGES = 256
SHOWN_VALUES = 50
"""Number of values that are listed of each attribute."""


def main(given: Sequence[str], console: Console) -> None:
    """Exits with 1 if no image can be used. Raises DataError, OSError."""
    parser = argparse.ArgumentParser(
        prog="python -m train check",
        description="Show the layout of the data, what is used and what is not, and why.",
    )
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="folder, zip file or tar file of images"
    )
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet (PNG)")
    parser.add_argument("--resolution", type=int, default=64, help="training size (64)")
    parser.add_argument("--enlarge", action="store_true", help="accept smaller images")
    parser.add_argument("--attributes", default="", help="names of the attributes: hair,eyes")
    arguments = parse(parser, given)
    if arguments.resolution < 1:
        parser.error("--resolution must be positive")
    found = inspect(
        arguments.data,
        arguments.resolution,
        enlarge=arguments.enlarge,
        attributes=arguments.attributes,
    )
    for line in (*lines(found), found.advice(arguments.resolution)):
        if line:
            console.print(line, markup=False, highlight=False)
    if arguments.sheet and found.records:
        contact_sheet(found).save(arguments.sheet, "PNG")
        console.print(f"contact sheet: {arguments.sheet}", markup=False, highlight=False)
    if not found.records:
        sys.exit(1)


def lines(found: Inspection) -> list[str]:
    """The report of `check`."""
    result = [f"layout: {found.layout}", *found.notes, f"used: {len(found.records):,} images"]
    groups: dict[str, list[str]] = defaultdict(list)
    for skipped in found.skipped:
        groups[skipped.reason].append(skipped.file)
    first = {problem.reason: problem for problem in reversed(found.problems)}
    result.append(f"not used: {sum(map(len, groups.values())):,} files or lines")
    for reason, files in sorted(groups.items(), key=lambda group: -len(group[1])):
        more = ", …" if len(files) > SHOWN else ""
        result.append(f"  {len(files):,} {reason}: {', '.join(files[:SHOWN])}{more}")
        if reason in first:
            result.append(f"    {first[reason].location}: {first[reason].message}")
    for name in found.records[0].tags if found.records else ():
        counts = Counter(record.tags[name] for record in found.records)
        result.append(f"{name}: {len(counts):,} values")
        result += [f"  {value:24} {n:8,}" for value, n in counts.most_common(SHOWN_VALUES)]
        if len(counts) > SHOWN_VALUES:
            result.append(f"  … and {len(counts) - SHOWN_VALUES:,} more")
    return result


def contact_sheet(found: Inspection) -> Image.Image:
    """Up to SHEET_IMAGES of the used images, evenly spaced over the data."""
    step = max(1, -(-len(found.records) // SHEET_IMAGES))
    images = [found.images[record.file] for record in found.records[::step]]
    size, columns = len(images[0]), min(SHEET_COLUMNS, len(images))
    sheet = Image.new("RGB", (columns * size, -(-len(images) // columns) * size), "white")
    for i, image in enumerate(images):
        sheet.paste(Image.fromarray(image), (i % columns * size, i // columns * size))
    return sheet
