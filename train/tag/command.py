"""`python -m train tag`: proposes the values of untagged images, for review by a person."""

import argparse
import base64
import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jinja2 import Environment, PackageLoader
from PIL import Image
from rich.console import Console

import config
from export.graph import ExportError
from export.manifest import ModelError
from export.registry import Registry
from train.arguments import parse
from train.data import SHOWN, DataError, Faces
from train.data.decoding import decode
from train.data.files import TAGS, is_image, is_table, open_files
from train.data.records import Entry
from train.distributed import SINGLE_PROCESS
from train.judging import read_faces
from train.machine import make_ready
from train.metrics.prepare import MIN_IMAGES_PER_VALUE
from train.options import add_flags, given_flags
from train.settings import JudgeSettings, TrainingSettings, TrainSettings
from train.tag.recognizer import Recognizer, of_data, of_model

PAGE, TEMPLATE = "tags.html", "page.html"
MIN_CONFIDENCE = 0.8


@dataclass(frozen=True)
class Tag:
    best: str
    """The likeliest value."""
    confidence: float
    """Its probability, 0…1."""
    value: str
    """The proposed value; empty if it is uncertain."""


def main(given: Sequence[str], console: Console) -> None:
    """Writes `tags.csv` and `tags.html`. Raises DataError, ModelError, ExportError, OSError."""
    parser = argparse.ArgumentParser(
        prog="python -m train tag",
        description="Propose the values of untagged images: write tags.csv, and a page to review "
        "it. They are learned from tagged data (--data); without it, a model recognizes them.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of untagged images")
    parser.add_argument("--model", metavar="NAME", help="the model in use by default")
    parser.add_argument(
        "--min-confidence",
        type=float,
        default=MIN_CONFIDENCE,
        metavar="SHARE",
        help=f"values of a lower confidence are left empty ({MIN_CONFIDENCE})",
    )
    parser.add_argument("--force", action="store_true", help="replace tags that exist already")
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    shown = ("data", "attributes", "resolution", "skip_bad", "runs", "device", "threads")
    add_flags(parser, "train", TrainSettings, shown)
    add_flags(parser, "judge", JudgeSettings, (), prefix="judge.")
    arguments = parse(parser, given)
    if not 0 <= arguments.min_confidence <= 1:
        parser.error("--min-confidence must be between 0 and 1")
    flags = {name: given_flags(arguments, name) for name in ("train", "judge")}
    settings = config.read(TrainingSettings, arguments.config, flags)
    files = check_folder(arguments.folder, force=arguments.force)
    recognizer = find_recognizer(settings, arguments.model, arguments.min_confidence, console)
    images = read_images(arguments.folder, files, recognizer.resolution, console)
    tags = propose(recognizer, images, arguments.min_confidence)
    write_table(arguments.folder / TAGS, recognizer, tags)
    write_page(arguments.folder / PAGE, recognizer, images, tags)
    for line in report(arguments.folder, recognizer, tags):
        console.print(line, markup=False, highlight=False)


def check_folder(folder: Path, *, force: bool) -> list[str]:
    """The images of a folder. Raises DataError if there are none, or if it has tags already."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; unpack the images into one")
    with open_files(folder) as source:
        images = [name for name in source.files if is_image(name)]
        tables = [name for name in source.files if is_table(name) and "/" not in name]
    if not images:
        raise DataError(f"{folder} has no images")
    if tables and not force:
        raise DataError(f"{folder} has tags in {tables[0]} already; --force writes a new {TAGS}")
    return images


def find_recognizer(
    settings: TrainingSettings, model: str | None, min_confidence: float, console: Console
) -> Recognizer:
    """The classifier of the data in the settings; without data a model. Raises DataError."""
    if settings.train.data is not None and model is None:
        faces = read_faces(settings.train, console)
        recognizer = of_data(faces, settings.train.runs, settings.judge.images, console)
        print_accuracy(recognizer, faces.split()[1], min_confidence, console)
        return recognizer
    make_ready("cpu", settings.train.threads, SINGLE_PROCESS)
    try:
        return of_model(Registry(settings.models.dir), model).choose(settings.train.attributes)
    except (ModelError, ExportError) as error:
        if model is not None:
            raise
        raise DataError(
            f"nothing to recognize values with: {error}. Give tagged images with --data, such as "
            "--data faces64.zip, or a model with weights with --model"
        ) from None


def print_accuracy(
    recognizer: Recognizer, held_out: Faces, min_confidence: float, console: Console
) -> None:
    """Prints how often the values of tagged images are recognized that were not trained on."""
    heads = recognizer.probabilities(held_out.images)
    for column, (attribute, head) in enumerate(zip(recognizer.attributes, heads, strict=True)):
        shares, best = head.max(dim=1)
        right = (best == held_out.labels[:, column].cpu()).float()
        confident = shares >= min_confidence
        accuracy = f"{right[confident].mean():.1%}" if confident.any() else "none"
        console.print(
            f"held-out images of {recognizer.name}: {attribute.name} {right.mean():.1%} right; "
            f"{accuracy} of the {confident.float().mean():.0%} with a confidence of "
            f"{min_confidence:g} or more",
            highlight=False,
        )


def read_images(
    folder: Path, files: Sequence[str], size: int, console: Console
) -> dict[str, np.ndarray]:
    """Decoded images uint8 [S, S, 3] by file; names those that cannot be read."""
    with open_files(folder) as source:
        entries = [Entry(name, name, {}) for name in files]
        images, _, problems = decode(source.files, entries, size, enlarge=True)
    for problem in problems[:SHOWN]:
        console.print(f"not tagged: {problem.message}", markup=False, highlight=False)
    if len(problems) > SHOWN:
        console.print(f"not tagged: {len(problems) - SHOWN:,} more", highlight=False)
    if not images:
        raise DataError(f"no image of {folder} can be read")
    return images


def propose(
    recognizer: Recognizer, images: dict[str, np.ndarray], min_confidence: float
) -> dict[str, list[Tag]]:
    """The tag of each attribute, by file."""
    pixels = torch.from_numpy(np.stack(list(images.values()))).permute(0, 3, 1, 2).contiguous()
    tags: dict[str, list[Tag]] = {file: [] for file in images}
    heads = recognizer.probabilities(pixels)
    for attribute, head in zip(recognizer.attributes, heads, strict=True):
        shares, columns = head.max(dim=1)
        for file, share, column in zip(images, shares.tolist(), columns.tolist(), strict=True):
            best = attribute.values[column]
            tags[file].append(Tag(best, share, best if share >= min_confidence else ""))
    return tags


def write_table(file: Path, recognizer: Recognizer, tags: dict[str, list[Tag]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *(attribute.name for attribute in recognizer.attributes)])
    for name, found in tags.items():
        writer.writerow([name, *(tag.value for tag in found)])
    _replace(file, text.getvalue())


def write_page(
    file: Path,
    recognizer: Recognizer,
    images: dict[str, np.ndarray],
    tags: dict[str, list[Tag]],
) -> None:
    """A page that shows the images by value, in which a person can correct the tags."""
    data = {
        "attributes": [{"name": a.name, "values": a.values} for a in recognizer.attributes],
        "images": [
            {"file": name, "source": _source(image), "tags": [vars(tag) for tag in tags[name]]}
            for name, image in images.items()
        ],
    }
    environment = Environment(loader=PackageLoader("train.tag", "."), autoescape=True)
    page = environment.get_template(TEMPLATE).render(
        name=file.parent.name, source=recognizer.name, table=TAGS, data=data
    )
    _replace(file, page)


def _source(image: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _replace(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}")
    temporary.write_text(text, "utf-8")
    temporary.replace(file)


def report(folder: Path, recognizer: Recognizer, tags: dict[str, list[Tag]]) -> list[str]:
    """The counts of the values, the uncertain images, and what to do next."""
    lines = [f"{len(tags):,} images, values from {recognizer.name}"]
    for column, attribute in enumerate(recognizer.attributes):
        counts = Counter(found[column].value for found in tags.values() if found[column].value)
        listed = ", ".join(f"{value} {count:,}" for value, count in counts.most_common())
        lines.append(f"{attribute.name}: {listed or 'none'}")
        uncertain = [file for file, found in tags.items() if not found[column].value]
        if uncertain:
            named = ", ".join(uncertain[:SHOWN]) + (", …" if len(uncertain) > SHOWN else "")
            lines.append(f"  uncertain, left empty: {len(uncertain):,} ({named})")
        few = [value for value, count in counts.items() if count < MIN_IMAGES_PER_VALUE]
        if few:
            lines.append(
                f"  fewer than {MIN_IMAGES_PER_VALUE} images, too few for a training: "
                + ", ".join(sorted(few))
            )
    return [
        *lines,
        f"written: {folder / TAGS}, {folder / PAGE}",
        f"These are proposals: open {folder / PAGE} in a browser and correct them. Then train with",
        f"  python -m train --data {folder} --skip-bad",
    ]
