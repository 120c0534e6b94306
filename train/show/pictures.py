"""What is shown of a trained model: a picture each."""

import math
import re
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont

from train import models, report
from train.critic import Critic
from train.show.latents import linear, spherical
from train.show.model import Model, ShowError

SIDE = 8
"""Rows and columns where nothing else says."""
PAIRS, STEPS = 3, 9
"""Of an interpolation."""
CANDIDATES = 64
MOST_FRAMES = 60
MOST_PIXELS = 800
"""Of an animation's longer side."""
FRAME_MS, LAST_MS = 200, 2000


def samples(model: Model) -> Image.Image:
    """Faces of conditions as they come in the data; none is picked."""
    count = SIDE**2
    pictures = model.paint(model.latents(count), model.encode(model.labels(count)))
    return report.sheet(pictures, [""] * SIDE, [""] * SIDE)


def grid(model: Model) -> Image.Image:
    """All values of the first attribute by all of the second, of one latent: the face stays, and
    the colours change. With one attribute, a row a value and a column a latent.

    Raises ShowError without attributes.
    """
    if not model.attributes:
        raise ShowError(
            f"{model.run} was trained without attributes, so that it has no grid of them; "
            "see its samples, or its arithmetic"
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
    return report.sheet(model.paint(latents, model.encode(labels)), rows, columns)


def interpolation(model: Model) -> Image.Image:
    """From one face to another, by the straight way and on the sphere; the condition fades."""
    latents = model.latents(2 * PAIRS)
    conditions = model.encode(model.labels(2 * PAIRS))
    pictures = []
    for pair in range(PAIRS):
        one, other = 2 * pair, 2 * pair + 1
        fading = linear(conditions[one], conditions[other], STEPS)
        pictures += [
            model.paint(way(latents[one], latents[other], STEPS), fading)
            for way in (linear, spherical)
        ]
    return report.sheet(torch.cat(pictures), ["linear", "spherical"] * PAIRS, [""] * STEPS)


def best(model: Model) -> Image.Image:
    """The best SIDE of CANDIDATES by the discriminator's score, the worst, and the first ones."""
    latents, conditions = model.latents(CANDIDATES), model.encode(model.labels(CANDIDATES))
    pictures = model.paint(latents, conditions)
    critic = Critic(models.load_discriminator(model.run), bar=math.inf)
    with torch.inference_mode():
        order = critic(pictures, conditions).argsort(descending=True)
    rows = {
        f"best of {CANDIDATES}": order[:SIDE],
        "worst": order[-SIDE:],
        "unchosen": torch.arange(SIDE),
    }
    return report.sheet(pictures[torch.cat(list(rows.values()))], list(rows), [""] * SIDE)


def frames(run: Path) -> list[Image.Image]:
    """The reports' samples, which are all of the same latents and conditions, one after the other;
    of many, some that are evenly apart. Each says after how many images it was.

    Raises ShowError with fewer than two reports.
    """
    files = sorted(run.glob("samples-*.png"))
    if len(files) < 2:
        raise ShowError(
            f"{run} has {len(files)} reports' samples, an animation needs two or more: "
            "train longer, or with a smaller --report-images"
        )
    count = min(MOST_FRAMES, len(files))
    chosen = torch.linspace(0, len(files) - 1, count).round().long().tolist()
    return [_captioned(files[number]) for number in chosen]


def _captioned(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        shown = picture.convert("RGB")
    shown.thumbnail((MOST_PIXELS, MOST_PIXELS))
    frame = Image.new("RGB", (shown.width, shown.height + 20), "white")
    frame.paste(shown)
    found = re.search(r"samples-(\d+)k", file.name)
    text = f"{int(found[1]):,},000 images" if found else file.stem
    place = (frame.width / 2, shown.height + 10)
    ImageDraw.Draw(frame).text(place, text, "black", ImageFont.load_default(12), anchor="mm")
    return frame


def save_animation(file: Path, pictures: list[Image.Image]) -> None:
    """GIF or WebP, as the file's name says. It goes on for ever; the last frame stays longer."""
    durations = [FRAME_MS] * (len(pictures) - 1) + [LAST_MS]
    options: dict[str, Any] = {"quality": 80} if file.suffix == ".webp" else {"optimize": True}
    pictures[0].save(
        file, save_all=True, append_images=pictures[1:], duration=durations, loop=0, **options
    )
