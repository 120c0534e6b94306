"""Pictures that show a trained model."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from train import report
from train.show.latents import linear, spherical
from train.show.model import Model, ShowError

SIDE = 8
"""Rows and columns of sheets without attributes."""
PAIRS, STEPS = 3, 9
"""Rows and columns of the interpolation."""
CANDIDATES = 64
EPOCHS = (1, 10, 20, 30, 40, 200)
"""Those that the book on PyTorch shows."""
MAX_FRAMES = 60
MAX_PIXELS = 800
"""Upper limit of the longer side of an animation."""
FRAME_MS, LAST_MS = 200, 2000


def samples(model: Model) -> Image.Image:
    """Images of random conditions with the frequencies of the data, not selected."""
    count = SIDE**2
    pictures = model.generate(model.latents(count), model.encode(model.labels(count)))
    return report.sheet(pictures, [""] * SIDE, [""] * SIDE)


def grid(model: Model) -> Image.Image:
    """All values of the first attribute by all of the second, from one latent. With one attribute:
    a row for each value, a column for each latent.

    Raises ShowError without attributes.
    """
    if not model.attributes:
        raise ShowError(
            f"{model.folder} was trained without attributes, so it has no grid; "
            "see its samples or its arithmetic"
        )
    rows, columns = model.attributes[0].values, [""] * SIDE
    labels = model.labels(1).repeat(len(rows) * SIDE, 1)
    latents = model.latents(SIDE).repeat(len(rows), 1)
    if len(model.attributes) > 1:
        columns = list(model.attributes[1].values)
        labels = labels[:1].repeat(len(rows) * len(columns), 1)
        labels[:, 1] = torch.arange(len(columns)).repeat(len(rows))
        latents = latents[:1].repeat(len(labels), 1)
    labels[:, 0] = torch.arange(len(rows)).repeat_interleave(len(columns))
    return report.sheet(model.generate(latents, model.encode(labels)), rows, columns)


def interpolation(model: Model) -> Image.Image:
    """Linear and spherical interpolation of latents, with linear interpolation of conditions."""
    latents = model.latents(2 * PAIRS)
    conditions = model.encode(model.labels(2 * PAIRS))
    pictures = []
    for pair in range(PAIRS):
        one, other = 2 * pair, 2 * pair + 1
        fading = linear(conditions[one], conditions[other], STEPS)
        pictures += [
            model.generate(generator(latents[one], latents[other], STEPS), fading)
            for generator in (linear, spherical)
        ]
    return report.sheet(torch.cat(pictures), ["linear", "spherical"] * PAIRS, [""] * STEPS)


def best(model: Model, count: int | None = None, candidates: int = CANDIDATES) -> Image.Image:
    """The best `count` of the candidates by `Model.score`, best first; by default the best, the
    worst and the first SIDE.

    Raises ShowError for more images than candidates, and for a model without a scorer.
    """
    least = count or SIDE
    if not 1 <= least <= candidates:
        raise ShowError(f"--best {least} --of {candidates}: there must be as many candidates")
    latents, conditions = model.latents(candidates), model.encode(model.labels(candidates))
    pictures = model.generate(latents, conditions)
    order = model.score(pictures, conditions).argsort(descending=True)
    if count is not None:
        columns = math.ceil(math.sqrt(count))
        rows_of_best = math.ceil(count / columns)
        chosen = pictures[order[:count]]
        white = chosen.new_full((rows_of_best * columns - count, *chosen.shape[1:]), 255)
        return report.sheet(torch.cat([chosen, white]), [""] * rows_of_best, [""] * columns)
    rows = {
        f"best of {candidates}": order[:SIDE],
        "worst": order[-SIDE:],
        "not selected": torch.arange(SIDE),
    }
    return report.sheet(pictures[torch.cat(list(rows.values()))], list(rows), [""] * SIDE)


def epochs(model: Model, wanted: Sequence[float] = EPOCHS) -> Image.Image:
    """A row of samples for each of the wanted passes over the data, from the nearest report, and
    for the last report; the same latents and conditions in all rows.

    Raises ShowError for fewer than two reports, or for a log without epochs.
    """
    run, size = model.folder, model.image_size
    reports = {
        line["epochs"]: file
        for line in report.read_log(run)
        if "epochs" in line
        and (file := run / report.sheet_name("samples", line["images"])).exists()
    }
    if len(reports) < 2:
        raise ShowError(
            f"{run} has {len(reports)} reports with samples and epochs, and a row for each needs "
            "two or more: train longer, or with a smaller --report-images"
        )
    last = max(reports)
    near = (min(reports, key=lambda found: abs(found - epoch)) for epoch in wanted if epoch <= last)
    rows = sorted({*near, last})
    pictures = [_diagonal(reports[epoch], size) for epoch in rows]
    labels = [f"epoch {epoch:.3g}" for epoch in rows]
    return report.sheet(torch.cat(pictures), labels, [""] * len(pictures[0]))


def _diagonal(file: Path, size: int) -> Tensor:
    """The pictures on the diagonal of a grid, which differ in all attributes: [N, 3, S, S]."""
    with Image.open(file) as stored:
        grid = torch.from_numpy(np.array(stored.convert("RGB"))).permute(2, 0, 1)
    count = min(SIDE, grid.shape[1] // size, grid.shape[2] // size)
    places = [slice(size * number, size * (number + 1)) for number in range(count)]
    return torch.stack([grid[:, place, place] for place in places])


def frames(run: Path) -> list[Image.Image]:
    """The sample grids of the reports, which have the same latents and conditions, with captions.

    At most MAX_FRAMES, evenly spaced. Raises ShowError for fewer than two reports.
    """
    files = sorted(run.glob("samples-*.png"))
    if len(files) < 2:
        raise ShowError(
            f"{run} has samples of {len(files)} reports, and an animation needs two or more: "
            "train longer, or with a smaller --report-images"
        )
    count = min(MAX_FRAMES, len(files))
    chosen = torch.linspace(0, len(files) - 1, count).round().long().tolist()
    return [_captioned(files[number]) for number in chosen]


def _captioned(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        shown = picture.convert("RGB")
    shown.thumbnail((MAX_PIXELS, MAX_PIXELS))
    frame = Image.new("RGB", (shown.width, shown.height + 20), "white")
    frame.paste(shown)
    found = re.search(r"samples-(\d+)k(\d{3})?", file.name)
    text = f"{int(found[1] + (found[2] or '000')):,} images" if found else file.stem
    place = (frame.width / 2, shown.height + 10)
    ImageDraw.Draw(frame).text(place, text, "black", ImageFont.load_default(12), anchor="mm")
    return frame


def save_animation(file: Path, pictures: list[Image.Image]) -> None:
    """Writes a looping GIF or WebP, by the suffix of `file`; the last frame is shown longer."""
    durations = [FRAME_MS] * (len(pictures) - 1) + [LAST_MS]
    options: dict[str, Any] = {"quality": 80} if file.suffix == ".webp" else {"optimize": True}
    pictures[0].save(
        file, save_all=True, append_images=pictures[1:], duration=durations, loop=0, **options
    )
