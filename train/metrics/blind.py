"""`python -m train blind`: broken pictures, counted by eye without knowing who painted them.

`paint` shuffles pictures of models or runs and held-out real ones over numbered pages, and writes
the key into a file of its own. Whoever counts writes down the numbers of broken pictures; `resolve`
says how many each source has.
"""

import argparse
import json
import math
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from torch import Tensor

import config
from export.manifest import Attribute
from export.registry import Registry
from train import checkpoint, report
from train.critic import CANDIDATES, Critic, best_of, fit_critic
from train.data import DataError, Faces, load, one_hot
from train.metrics.judge import Paint
from train.models import load_discriminator, load_generator
from train.progress import bar
from train.promote import onnx_paint
from train.settings import TrainingSettings

REAL = "real"
"""Name of the source of held-out real pictures."""
KEY = "key.json"
COLUMNS, ROWS = 10, 10
CELL = 160
"""Pixels of a picture on a page; smaller ones are enlarged."""
LABEL = 22
"""Pixels above a picture, for its number."""
GAP = 6
BATCH = 16
FITTED = 1000
"""Pictures that the critic of a run is fitted on, where the run is not judged yet."""
SURE = 1.96
"""Standard deviations of a 95 % interval."""


class BlindError(Exception):
    """A count that cannot be prepared or resolved, with what would be right."""


@dataclass(frozen=True)
class Source:
    """A model or run that paints."""

    name: str
    paint: Paint
    latent_dim: int
    attributes: tuple[Attribute, ...]
    image_size: int


@dataclass(frozen=True)
class Count:
    """How many pictures of a source are broken."""

    source: str
    pictures: int
    broken: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share that is broken (Wilson 1927)."""
        n, share = self.pictures, self.broken / self.pictures
        middle = share + SURE**2 / (2 * n)
        reach = SURE * math.sqrt(share * (1 - share) / n + SURE**2 / (4 * n**2))
        scale = 1 + SURE**2 / n
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
        raise DataError("real pictures are needed to compare with: name their data with --data")
    faces = load(data, sources[0].image_size, skip_bad=arguments.skip_bad, enlarge=True)
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    with bar(console, "painting") as tell:
        pictures, key = draw(sources, faces, arguments.pictures, seed, tell)
    pages = save(arguments.out, pictures, key)
    console.print(
        f"{len(pictures)} numbered pictures of {len(sources) + 1} sources, on {len(pages)} pages: "
        f"{', '.join(map(str, pages))}\n"
        "Write the numbers of the broken ones into a file, without a look at the key; then:\n"
        f"  python -m train blind resolve {arguments.out / KEY} MARKS",
        markup=False,
        highlight=False,
    )


def find_source(name: str | None, registry: Registry) -> Source:
    """A run's folder, or a model by its name; None is the model in use.

    Raises ModelError, CheckpointError.
    """
    if name is not None and (Path(name) / checkpoint.RUN_FILE).is_file():
        return _run_source(Path(name))
    folder, manifest = registry.load(name)
    paint, latent_dim = onnx_paint(folder, manifest)
    return Source(manifest.name, paint, latent_dim, manifest.attributes, manifest.image_size)


def _run_source(run: Path) -> Source:
    """Paints as the exported model would: the best of several by the run's critic."""
    generator, info = load_generator(run)
    discriminator = load_discriminator(run)
    z, attributes = info.latent_dim, info.attributes

    def single(latents: Tensor, conditions: Tensor) -> Tensor:
        return report.paint(generator, latents, conditions)

    if (run / checkpoint.JUDGED_FILE).is_file():
        judged: dict[str, Any] = json.loads((run / checkpoint.JUDGED_FILE).read_text("utf-8"))
        critic, candidates = Critic(discriminator, judged["bar"]), judged["candidates"]
    else:
        rng = np.random.RandomState(0)
        latents, conditions = _draw(rng, FITTED, z, attributes)
        critic, candidates = fit_critic(discriminator, single, latents, conditions), CANDIDATES
    paint = best_of(single, torch.inference_mode()(critic), candidates)
    return Source(info.run, paint, candidates * z, attributes, info.image_size)


def draw(
    sources: Sequence[Source],
    faces: Faces,
    count: int,
    seed: int,
    tell: Any = lambda done: None,
) -> tuple[Tensor, dict[str, Any]]:
    """`count` pictures uint8 [N, 3, CELL, CELL] in a random order, as many of each source as of
    the held-out faces; and the key to them. Raises BlindError.
    """
    names = [*(source.name for source in sources), REAL]
    if len(set(names)) < len(names):
        raise BlindError(f"sources need names of their own, not {', '.join(names)}")
    held_out, rng = faces.split()[1].images, np.random.RandomState(seed)
    shares = [count // len(names) + (n < count % len(names)) for n in range(len(names))]
    if not 0 < shares[-1] <= len(held_out):
        most = len(held_out) * len(names)
        raise BlindError(
            f"{count} pictures of {len(names)} sources cannot be drawn: as many as there are "
            f"sources, {len(names)}, and no more than {most}, since {len(held_out)} real pictures "
            "are held out"
        )
    parts = []
    for source, share in zip(sources, shares, strict=False):
        latents, conditions = _draw(rng, share, source.latent_dim, source.attributes)
        batches = zip(torch.split(latents, BATCH), torch.split(conditions, BATCH), strict=True)
        for number, (z, c) in enumerate(batches, 1):
            parts.append(report.scaled(source.paint(z, c).cpu(), CELL))
            done = len(names[: names.index(source.name)]) + min(1, number * BATCH / share)
            tell(done / len(sources))
    real = torch.from_numpy(rng.permutation(len(held_out))[: shares[-1]])
    parts.append(report.scaled(held_out[real].cpu(), CELL))
    order = rng.permutation(count)
    of_picture = [name for name, share in zip(names, shares, strict=True) for _ in range(share)]
    cells = {str(cell): of_picture[row] for cell, row in enumerate(order, 1)}
    key = {"data": faces.name, "seed": seed, "sources": names, "cells": cells}
    return torch.cat(parts)[torch.from_numpy(order)], key


def _draw(
    rng: np.random.RandomState, count: int, latent_dim: int, attributes: tuple[Attribute, ...]
) -> tuple[Tensor, Tensor]:
    """Latents [N, Z], and conditions [N, C] whose values come as often as in the data."""
    latents = torch.from_numpy(rng.standard_normal((count, latent_dim)).astype(np.float32))
    columns = [
        rng.choice(len(a.values), count, p=np.array(a.frequencies) / sum(a.frequencies))
        for a in attributes
    ]
    labels = torch.from_numpy(np.array(columns, np.int64).reshape(len(columns), count).T.copy())
    return latents, one_hot(labels, tuple(len(a.values) for a in attributes))


def save(folder: Path, pictures: Tensor, key: dict[str, Any]) -> list[Path]:
    """Writes the key and the pages, whose paths it returns. Raises BlindError."""
    if (folder / KEY).exists():
        raise BlindError(f"{folder / KEY} exists already: choose another --out")
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for number, part in enumerate(torch.split(pictures, COLUMNS * ROWS)):
        pages.append(folder / f"page-{number + 1}.png")
        _page(part, first=1 + number * COLUMNS * ROWS).save(pages[-1])
    (folder / KEY).write_text(json.dumps(key, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return pages


def _page(pictures: Tensor, first: int) -> Image.Image:
    """Pictures uint8 [N, 3, CELL, CELL], each below its number."""
    width, height = CELL + GAP, CELL + LABEL + GAP
    rows = math.ceil(len(pictures) / COLUMNS)
    page = Image.new("RGB", (COLUMNS * width + GAP, rows * height + GAP), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(16)
    for place, picture in enumerate(pictures.permute(0, 2, 3, 1).contiguous().numpy()):
        x, y = GAP + place % COLUMNS * width, GAP + place // COLUMNS * height
        pen.text((x + CELL / 2, y + LABEL / 2), str(first + place), "black", font, anchor="mm")
        page.paste(Image.fromarray(picture), (x, y + LABEL))
    return page


def resolve(key: Path, marks: Path) -> list[Count]:
    """The broken pictures of each source. `marks` holds the numbers of broken pictures, separated
    by spaces, commas or lines; what follows a # is not read. Raises BlindError.
    """
    try:
        cells: dict[str, str] = json.loads(key.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BlindError(f"{key} is no key of `python -m train blind paint`: {error!r}") from None
    try:
        text = re.sub(r"#.*", "", marks.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BlindError(f"the marks in {marks} cannot be read: {error}") from None
    marked = dict.fromkeys(word for word in re.split(r"[\s,;]+", text) if word)
    wrong = [word for word in marked if word not in cells]
    if wrong:
        raise BlindError(
            f"{marks}: {wrong[0]!r} is no picture's number; they are 1 to {len(cells)}, and what "
            "follows a # is not read"
        )
    broken = Counter(cells[word] for word in marked)
    pictures = Counter(cells.values())
    return [Count(source, count, broken[source]) for source, count in sorted(pictures.items())]


def table(counts: Sequence[Count]) -> str:
    """Markdown."""
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
        description="Count broken pictures by eye, without knowing who painted which.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    paint = commands.add_parser("paint", help="shuffle pictures over numbered pages")
    paint.add_argument(
        "sources",
        nargs="*",
        metavar="MODEL_OR_RUN",
        help="a model's name or a run's folder, of which any number; by default the model in use",
    )
    paint.add_argument("--data", type=Path, help="real images, a part of which was held out")
    paint.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="for pages and key"
    )
    paint.add_argument("--pictures", type=int, default=400, help="in all (default 400)")
    paint.add_argument("--seed", type=int, help="of pictures and order (default: random)")
    paint.add_argument("--skip-bad", action="store_true", help="leave out bad images")
    paint.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    solve = commands.add_parser("resolve", help="say how many of each source are broken")
    solve.add_argument("key", type=Path, metavar="KEY", help="key.json of the pages")
    solve.add_argument("marks", type=Path, metavar="MARKS", help="file of broken pictures' numbers")
    return parser
