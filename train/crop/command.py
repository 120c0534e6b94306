"""`python -m train crop`: finds the faces in pictures, and writes square crops to train on."""

import argparse
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath

import torch
from PIL import Image, ImageOps
from rich.console import Console

from config.cores import usable_cores
from train.arguments import parse
from train.crop.network import MIN_SCORE, Box, Detector, find_faces, load_detector
from train.data import SHOWN, DataError
from train.data.decoding import MAX_PIXELS, one_at_a_time, register_heic, to_rgb
from train.data.files import Files, has_table_suffix, is_image, is_table, open_files
from train.progress import progress_bar

KEPT_FORMATS = {".jpg", ".jpeg", ".png", ".webp"}
"""Formats of crops; crops of other pictures are PNG files."""
NO_FACE = "without a face"
SMALL = "with smaller faces only"
UNREADABLE = "unreadable"
UNREADABLE_TAGS = "tables or captions that cannot be read, and are not copied"


@dataclass(frozen=True)
class Options:
    output: Path
    min_size: int
    margin: float
    every_face: bool
    min_score: float


def main(given: Sequence[str], console: Console) -> None:
    """Raises DataError, OSError."""
    parser = argparse.ArgumentParser(
        prog="python -m train crop",
        description="Find the faces of anime pictures, and write a square crop of each picture's "
        "most certain face. Tables and captions are copied.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="PATH", help="folder, zip file or tar file of pictures"
    )
    parser.add_argument("output", type=Path, metavar="OUT", help="new folder of the crops")
    parser.add_argument("--every-face", action="store_true", help="all faces of a picture")
    parser.add_argument(
        "--min-size", type=int, default=64, metavar="PIXELS", help="side of the smallest crop (64)"
    )
    parser.add_argument(
        "--margin", type=float, default=0.0, metavar="SHARE", help="more around the face (0)"
    )
    parser.add_argument(
        "--min-score",
        type=float,
        default=MIN_SCORE,
        metavar="SHARE",
        help=f"lowest score of a face, 0 to 1 ({MIN_SCORE})",
    )
    arguments = parse(parser, given)
    if arguments.min_size < 1 or arguments.margin < 0:
        parser.error("--min-size must be positive, and --margin at least 0")
    if arguments.output.exists() and any(arguments.output.iterdir()):
        raise DataError(f"{arguments.output} is not empty; give a new folder for the crops")
    options = Options(
        arguments.output,
        arguments.min_size,
        arguments.margin,
        arguments.every_face,
        arguments.min_score,
    )
    with open_files(arguments.folder) as source:
        skipped = crop(source.files, options, console)
    for reason, names in skipped.items():
        listed = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
        console.print(f"  {len(names):,} {reason}: {listed}", markup=False, highlight=False)
    console.print(
        f"look at them: python -m train check {options.output} --sheet crops.png",
        markup=False,
        highlight=False,
    )


def crop(files: Files, options: Options, console: Console) -> dict[str, list[str]]:
    """Writes the crops of all pictures, and copies their tags; returns the pictures without a crop
    and the tags that cannot be read, by reason.
    """
    names = [name for name in files if is_image(name)]
    if not names:
        raise DataError("there are no images to crop")
    register_heic()
    detector = load_detector()
    skipped: dict[str, list[str]] = defaultdict(list)
    written = 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # pictures are handled in parallel
    try:
        with (
            ThreadPoolExecutor(usable_cores()) as pool,
            progress_bar(console, "finding faces") as report_progress,
        ):
            results = pool.map(lambda name: crop_picture(files, name, detector, options), names)
            for number, (name, result) in enumerate(zip(names, results, strict=True), 1):
                if isinstance(result, str):
                    skipped[result].append(name)
                else:
                    written += result
                report_progress(number / len(names))
    finally:
        torch.set_num_threads(threads)
    skipped[UNREADABLE_TAGS] += copy_tags(files, options.output)
    console.print(
        f"{written:,} crops of {len(names):,} pictures in {options.output}",
        markup=False,
        highlight=False,
    )
    return {reason: names for reason, names in skipped.items() if names}


def crop_picture(files: Files, name: str, detector: Detector, options: Options) -> int | str:
    """Writes the crops of a picture; returns their number, or the reason why there is none."""
    try:
        stored = Image.open(io.BytesIO(files[name]()))
    except Exception:  # decoders and zipfile have many errors for damaged files
        return UNREADABLE
    if stored.width * stored.height > MAX_PIXELS:
        return f"of over {MAX_PIXELS:,} pixels"
    with one_at_a_time(stored):
        try:
            picture = to_rgb(ImageOps.exif_transpose(stored))
        except Exception:  # as above
            return UNREADABLE
        found = find_faces(detector, picture, options.min_score)
        large = [box for box in found if box.side >= options.min_size]
        if not large:
            return SMALL if found else NO_FACE
        kept = large if options.every_face else large[:1]
        for file, box in zip(crop_names(name, files), kept, strict=False):
            target = options.output / file
            target.parent.mkdir(parents=True, exist_ok=True)
            picture.crop(square(box, picture.size, options.margin)).save(target, quality=95)
        return len(kept)


def crop_names(name: str, files: Files) -> Iterator[PurePosixPath]:
    """The picture's own name, so that tables and captions name the crop, too; then `name-2`, …
    Names of other pictures are left out.
    """
    path = PurePosixPath(name)
    if path.suffix.lower() not in KEPT_FORMATS:
        as_png = path.with_suffix(".png")
        path = path.with_name(f"{path.name}.png") if str(as_png) in files else as_png
    yield path
    for number in count(2):
        numbered = path.with_stem(f"{path.stem}-{number}")
        if str(numbered) not in files:
            yield numbered


def square(box: Box, size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """The pixels of a box (left, top, right, bottom), moved and scaled into the picture."""
    side = min(round(box.side * (1 + 2 * margin)), *size)
    middle = box.x + box.side / 2, box.y + box.side / 2
    left, top = (
        min(max(0, round(center - side / 2)), whole - side)
        for center, whole in zip(middle, size, strict=True)
    )
    return left, top, left + side, top + side


def copy_tags(files: Files, output: Path) -> list[str]:
    """Copies tables, and the captions of pictures that have a crop. Returns the names of those that
    cannot be read.
    """
    paths = [path.relative_to(output) for path in output.rglob("*.*")]
    crops = {name.as_posix() for path in paths for name in (path, path.with_suffix(""))}
    unreadable = []
    for name, read in files.items():
        is_caption = not is_image(name) and str(PurePosixPath(name).with_suffix("")) in crops
        if is_table(name) or has_table_suffix(name) or is_caption:
            try:
                content = read()
            except Exception:  # zipfile has many errors for damaged or encrypted entries
                unreadable.append(name)
                continue
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            (output / name).write_bytes(content)
    return unreadable
