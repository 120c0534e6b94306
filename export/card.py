"""What a model shows of itself: `samples.png`, and `MODEL_CARD.md` around it."""

import json
from collections.abc import Callable
from itertools import product

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from export.manifest import GENERATOR, Attribute, Manifest

CARD = "MODEL_CARD.md"
SAMPLES = "samples.png"

Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Latents [N, Z] and conditions [N, C], both float32, to pictures uint8 [N, S, S, 3]."""

_MOST = 16  # rows and columns of the samples: a page wide
_COLUMNS = 8  # where no attribute asks for more or fewer
_BATCH = 16
_FIGURES = {
    "q": "how much farther from the training images than real ones, over all depths; 1 is as near",
    "diversity": "mean distance between pictures of one condition, in units of the real ones'",
    "near_duplicates": "share of pictures closer to another of their condition than all "
    "but one in a thousand real ones",
    "fid": "Fréchet distance of the judge's last features",
    "kid": "kernel distance of the judge's last features",
}


def draw_samples(paint: Paint, manifest: Manifest) -> Image.Image:
    """A labelled grid: rows are the first attribute's values, columns the second's.

    Every picture has a latent of its own, the first ones of a fixed seed: none is picked.
    """
    rows, columns, conditions = _plan(manifest)
    rng = np.random.RandomState(0)
    latents = rng.standard_normal((len(conditions), manifest.latent_dim)).astype(np.float32)
    encoded = np.stack([manifest.encode(condition) for condition in conditions])
    pictures = np.concatenate(
        [
            paint(latents[i : i + _BATCH], encoded[i : i + _BATCH])
            for i in range(0, len(conditions), _BATCH)
        ]
    )
    size = manifest.image_size
    font = ImageFont.load_default(12)
    left = max(int(font.getlength(label)) for label in rows) + 12 if any(rows) else 0
    top = 20 if any(columns) else 0
    grid = Image.new("RGB", (left + size * len(columns), top + size * len(rows)), "white")
    pen = ImageDraw.Draw(grid)
    for y, label in enumerate(rows):
        pen.text((left - 6, top + (y + 0.5) * size), label, "black", font, anchor="rm")
    for x, label in enumerate(columns):
        pen.text((left + (x + 0.5) * size, top / 2), label, "black", font, anchor="mm")
    cells = product(range(len(rows)), range(len(columns)))
    for (y, x), picture in zip(cells, pictures, strict=True):
        grid.paste(Image.fromarray(picture), (left + x * size, top + y * size))
    return grid


def _plan(manifest: Manifest) -> tuple[list[str], list[str], list[dict[str, str]]]:
    """Labels of rows and columns, and the condition of every cell, row by row."""
    named = [[(a.name, value) for value in a.values[:_MOST]] for a in manifest.attributes[:2]]
    empty = [("", "")] * _COLUMNS
    rows, columns = (*named, empty, empty)[:2]
    rng = np.random.RandomState(0)
    conditions = []
    for cell in product(rows, columns):
        others = {
            a.name: a.values[rng.choice(len(a.values), p=_shares(a))]
            for a in manifest.attributes[2:]
        }
        conditions.append({name: value for name, value in cell if name} | others)
    return [value for _, value in rows], [value for _, value in columns], conditions


def _shares(attribute: Attribute) -> np.ndarray:
    return np.array(attribute.frequencies) / sum(attribute.frequencies)


def write_card(manifest: Manifest) -> str:
    """The model card as Markdown, with `samples.png` beside it."""
    size, name = manifest.image_size, manifest.name
    asked = " and ".join(a.name for a in manifest.attributes)
    wishes = f"It can be asked for {asked}; the rest" if asked else "What it draws"
    parts = [
        f"# {name}",
        f"A generator of {size}×{size} pixel pictures, made with"
        f" [Irodori](../../README.md) on {manifest.created:%d %B %Y}. {wishes} comes from"
        f" {manifest.latent_dim} random numbers, the latent.",
        f"![Samples of {name}]({SAMPLES})",
        f"{_axes(manifest)}Every picture has a latent of its own; none was picked.",
        "## What it was trained on",
        _training(manifest),
        "## How good it is",
        _figures(manifest.metrics),
        "## How to use it",
        _usage(manifest),
        "## What to expect of it",
        "It has seen nothing but its training images, and what is rare among them it draws less"
        " well; the shares above say what is rare. Pictures are of the size it was trained at.",
    ]
    return "\n\n".join(parts) + "\n"


def _axes(manifest: Manifest) -> str:
    labels = [a.name for a in manifest.attributes[:2]]
    axes = [f"{axis} are {label}" for axis, label in zip(("Rows", "columns"), labels, strict=False)]
    return ", ".join(axes) + ". " if axes else ""


def _training(manifest: Manifest) -> str:
    settings = manifest.training.get("settings", {})
    facts = [
        f"- Images: {settings.get('data', 'not recorded')}",
        f"- Length: {manifest.training.get('images', 0):,} images shown",
    ]
    for a in manifest.attributes:
        shares = zip(a.values, a.frequencies, strict=True)
        facts.append(f"- {a.name}: " + ", ".join(f"{value} {share:.1%}" for value, share in shares))
    details = json.dumps(settings, indent=2, ensure_ascii=False)
    return (
        "\n".join(facts)
        + "\n\n<details><summary>All settings</summary>\n\n"
        + f"```json\n{details}\n```\n\n</details>"
    )


def _figures(metrics: dict[str, float]) -> str:
    order = [*_FIGURES, *metrics]
    names = [name for name in metrics if not name.endswith("_real")]
    lines = ["| figure | this model | held-out real images | what it says |", "|---|--:|--:|---|"]
    for name in sorted(names, key=lambda name: (not name.endswith("_as_asked"), order.index(name))):
        real = metrics.get(f"{name}_real")
        lines.append(
            f"| {name} | {_number(name, metrics[name])}"
            f" | {'' if real is None else _number(name, real)} | {_meaning(name)} |"
        )
    return (
        "Measured by a small classifier of the same data, the judge; the real images are ones that"
        " neither it nor the generator was trained on. Figures of other data, or of another judge,"
        " do not compare.\n\n" + "\n".join(lines)
    )


def _number(name: str, value: float) -> str:
    if name == "near_duplicates" or name.endswith("_as_asked"):
        return f"{value:.1%}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _meaning(name: str) -> str:
    if name.endswith("_as_asked"):
        return f"share of pictures that show the {name.removesuffix('_as_asked')} asked for"
    if name.startswith("distance_"):
        return f"Fréchet distance at the judge's {name.removeprefix('distance_')}"
    return _FIGURES.get(name, "")


def _usage(manifest: Manifest) -> str:
    wish = {a.name: a.values[int(np.argmax(a.frequencies))] for a in manifest.attributes}
    return f"""\
The bot takes it over, without a restart, after

```sh
python -m export use {manifest.name}
```

and goes back to the one before after `python -m export rollback`. By hand, from the project's root:

```python
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from export.manifest import read_manifest

folder = Path("models/{manifest.name}")
manifest = read_manifest(folder)
generator = onnxruntime.InferenceSession(folder / "{GENERATOR}")
latent = np.random.RandomState(7).standard_normal((1, manifest.latent_dim)).astype(np.float32)
condition = manifest.encode({json.dumps(wish, ensure_ascii=False)})[None]
[image] = generator.run(["image"], {{"latent": latent, "condition": condition}})
Image.fromarray(image[0]).save("avatar.png")
```

| tensor | type | shape | what it is |
|---|---|---|---|
| `latent` | float32 | N × {manifest.latent_dim} | standard normal |
| `condition` | float32 | N × {manifest.condition_dim} | a one-hot block for each attribute; \
a block may be a mixture |
| `image` | uint8 | N × {manifest.image_size} × {manifest.image_size} × 3 | RGB |"""
