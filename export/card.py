"""The model card: `MODEL_CARD.md`, sample images, and images with the lowest scores."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from PIL import Image

from export.candidates import best_candidate
from export.directions import DIRECTIONS_SHEET, NO_DIRECTIONS, Directions
from export.figures import (
    AS_ASKED,
    FD_RATIO,
    FD_RATIO_POOLED,
    REAL,
    label,
    meaning,
    number,
    ordered,
)
from export.manifest import GENERATOR, Attribute, Manifest
from export.sheet import draw_sheet

CARD = "MODEL_CARD.md"
SAMPLES = "samples.png"
WEAKEST = "weakest.png"

GenerateFn = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Latents [N, Z] and conditions [N, C], both float32, to images uint8 [N, S, S, 3]."""

ScoreFn = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Images uint8 [N, S, S, 3] and conditions [N, C] to scores float32 [N], higher is better."""

_MAX_GRID_SIZE = 6  # rows and columns of the samples at most
_COLUMNS = 8  # without attributes
_BATCH = 16
_SCORED = 400  # images of which the weakest ones are shown
_SHOWN = 12  # of them
_JUDGE = (
    " Distances are computed in the features of EfficientNet-Lite2, which was trained on ImageNet"
    " and is not used for training; other figures come from a small classifier trained on the same"
    " data. See `docs/model-quality.md`."
)
_OLD_JUDGE = (
    " All figures come from a small classifier trained on the same data, as in earlier versions;"
    " its features mainly represent color."
)
_BEST_OF_FIGURES = (
    *(FD_RATIO, FD_RATIO_POOLED, "near_duplicates", "diversity", "lite2_precision", "lite2_recall"),
    *("q", "fid", "kid", "precision", "recall"),  # of older models
)
"""Figures in the table of rejection sampling."""


def draw_samples(generate: GenerateFn, manifest: Manifest) -> Image.Image:
    """A labeled grid: rows are values of the first attribute, columns of the second.

    Latents are the first ones of a fixed seed; images are not selected.
    """
    rows, columns, conditions = _plan(manifest)
    rng = np.random.RandomState(0)
    latents = rng.standard_normal((len(conditions), manifest.latent_dim)).astype(np.float32)
    encoded = np.stack([manifest.encode(condition) for condition in conditions])
    pictures = np.concatenate(
        [
            generate(latents[i : i + _BATCH], encoded[i : i + _BATCH])
            for i in range(0, len(conditions), _BATCH)
        ]
    )
    return draw_sheet(pictures, rows, columns)


def draw_weakest(generate: GenerateFn, score: ScoreFn, manifest: Manifest) -> Image.Image:
    """The images with the lowest scores among _SCORED, of single images and of the best of the
    model's candidates. Conditions have the frequencies of the data.
    """
    rng = np.random.RandomState(0)
    conditions = np.zeros((_SCORED, manifest.condition_dim), np.float32)
    for row in conditions:
        wish = {
            a.name: a.values[rng.choice(len(a.values), p=_shares(a))] for a in manifest.attributes
        }
        row[:] = manifest.encode(wish)
    shape = (_SCORED, manifest.candidates, manifest.latent_dim)
    pictures, scores = [], []
    for latents, wanted in zip(rng.standard_normal(shape), conditions, strict=True):
        repeated = np.repeat(wanted[None], len(latents), axis=0)
        pictures.append(generate(latents.astype(np.float32), repeated))
        scores.append(score(pictures[-1], repeated))
    generated, found = np.stack(pictures), np.stack(scores).round(3)
    rows = {}
    for count in sorted({1, manifest.candidates}):
        best = best_candidate(found[:, :count])
        chosen = np.arange(_SCORED), best
        weakest = found[chosen].argsort(kind="stable")[:_SHOWN]
        rows["single" if count == 1 else f"best of {count}"] = generated[chosen][weakest]
    return draw_sheet(np.concatenate(list(rows.values())), list(rows), [""] * _SHOWN)


def _plan(manifest: Manifest) -> tuple[list[str], list[str], list[dict[str, str]]]:
    """Labels of rows and columns, and the condition of each cell, row by row."""
    named = [
        [(a.name, value) for value in a.values[:_MAX_GRID_SIZE]] for a in manifest.attributes[:2]
    ]
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


def write_card(manifest: Manifest, directions: Directions = NO_DIRECTIONS) -> str:
    """The model card in Markdown; it refers to the images in the same folder."""
    size, name = manifest.image_size, manifest.name
    asked = " and ".join(a.name for a in manifest.attributes)
    inputs = f"Its inputs are {asked}, and" if asked else "Its input is"
    parts = [
        f"# {name}",
        f"A generator of images of {size}×{size} pixels, trained with [Irodori](../../README.md)"
        f" and exported on {manifest.created:%d %B %Y}. {inputs} a latent of {manifest.latent_dim}"
        " standard normal numbers.",
        f"![Samples of {name}]({SAMPLES})",
        f"{_axes(manifest)}Each image has a different random latent; the images were not selected.",
        "## Training data",
        _training(manifest),
        "## Evaluation",
        _figures(manifest),
        *_upscaling(manifest.training.get("upscaler")),
        *_directions(directions),
        "## Usage",
        _usage(manifest),
        "## Limitations",
        _expect(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _axes(manifest: Manifest) -> str:
    labels = [a.name for a in manifest.attributes[:2]]
    axes = [f"{axis} are {label}" for axis, label in zip(("Rows", "columns"), labels, strict=False)]
    return ", ".join(axes) + ". " if axes else ""


def _training(manifest: Manifest) -> str:
    settings = manifest.training.get("settings", {})
    judged = manifest.training.get("judged", {})
    images = settings.get("data", "not recorded")
    if "learnt" in judged:
        images += f", {judged['learnt']:,} for training, {judged['held_out']:,} held out"
    facts = [
        f"- Images: {images}",
        f"- Training length: {manifest.training.get('images', 0):,} images shown",
        *([f"- Initial weights: {settings['start']}"] if settings.get("start") else []),
    ]
    for a in manifest.attributes:
        shares = zip(a.values, a.frequencies, strict=True)
        facts.append(f"- {a.name}: " + ", ".join(f"{value} {share:.1%}" for value, share in shares))
    if about := manifest.training.get("about"):
        facts += ["", about]
    details = json.dumps(settings, indent=2, ensure_ascii=False)
    return (
        "\n".join(facts)
        + "\n\n<details><summary>All settings</summary>\n\n"
        + f"```json\n{details}\n```\n\n</details>"
    )


def _figures(manifest: Manifest) -> str:
    metrics, judged = manifest.metrics, manifest.training.get("judged", {})
    lines = ["| figure | this model | held-out real images | meaning |", "|---|--:|--:|---|"]
    for name in ordered(metrics):
        cells = number(name, metrics[name]), number(name, metrics.get(f"{name}{REAL}"))
        lines.append(f"| {label(name)} | {' | '.join(cells)} | {meaning(name)} |")
    fakes = f"{judged['fakes']:,} " if "fakes" in judged else ""
    best = f", each the best of {manifest.candidates}" if manifest.candidates > 1 else ""
    parts = [
        f"Measured on {fakes}generated images{best}. Their conditions have the frequencies of the"
        " data."
        + (_JUDGE if FD_RATIO in metrics else _OLD_JUDGE)
        + " Neither the judge nor the generator was trained on the held-out images."
        " Only figures of the same data are comparable.",
        "\n".join(lines),
        *(_values(name, rows) for name, rows in judged.get("values", {}).items()),
        *_unseen(judged.get("unseen", [])),
        *_dropped(judged.get("dropped", [])),
        *_best_of(judged.get("best_of", [])),
    ]
    return "\n\n".join(parts)


def _values(attribute: str, rows: list[dict[str, Any]]) -> str:
    lines = [f"| requested {attribute} | shown | in real images |", "|---|--:|--:|"]
    lines += [
        f"| {row['value']} | {_share(row['as_asked'])} | {_share(row['as_asked_real'])} |"
        for row in rows
    ]
    return "\n".join(lines)


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _unseen(pairs: list[dict[str, Any]]) -> list[str]:
    if not pairs:
        return []
    lines = ["| pair | shown |", "|---|---|"]
    for pair in pairs:
        wish = ", ".join(f"{value} {name}" for name, value in pair["conditions"].items())
        shares = ", ".join(f"{name} {share:.1%}" for name, share in pair["as_asked"].items())
        lines.append(f"| {wish} | {shares} |")
    return [
        "Pairs of values that no training image has, and the share of images that show each value:",
        "\n".join(lines),
    ]


def _dropped(modes: list[dict[str, Any]]) -> list[str]:
    if not modes:
        return []
    named = [
        f"{' and '.join(f'{value} {name}' for name, value in mode['conditions'].items())}"
        f" ({_share(mode['real'])} of the real images,"
        f" {_share(mode['painted'])} of the generated ones)"
        for mode in modes[:_SHOWN]
    ]
    more = f"; and {len(modes) - _SHOWN} more" if len(modes) > _SHOWN else ""
    return [f"Rarely or never generated: {'; '.join(named)}{more}."]


def _best_of(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    names = [n for n in ordered(rows[0]) if n.endswith(AS_ASKED) or n in _BEST_OF_FIGURES]
    lines = ["| best of | " + " | ".join(map(label, names)) + " |", "|--:|" + "--:|" * len(names)]
    lines += [
        f"| {row['candidates']} | " + " | ".join(number(n, row[n]) for n in names) + " |"
        for row in rows
    ]
    return [
        "Rejection sampling: a scorer rejects candidates whose features are like those of broken"
        " pictures, but unusual ones as well. These figures are of fewer images than those above,"
        " one for each held-out image:",
        "\n".join(lines),
    ]


def _upscaling(upscaler: dict[str, Any] | None) -> list[str]:
    figures = (upscaler or {}).get("figures")
    if not upscaler or not figures:
        return []
    data = upscaler.get("settings", {}).get("data", "images that are not recorded")
    lines = ["| pictures | PSNR | bicubic | SSIM | bicubic |", "|---|--:|--:|--:|--:|"]
    for prefix, what in (("", "degraded as in training"), ("clean_", "downscaled only")):
        cells = (
            f"{figures[f'{prefix}{name}{other}']:{form}}"
            for name, form in (("psnr", ".2f"), ("ssim", ".3f"))
            for other in ("", "_bicubic")
        )
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return [
        "## Upscaler",
        f"The upscaler enlarges images four times in width and height. It was trained on {data},"
        f" with {figures['images']:,} patches. PSNR in dB on {figures['pictures']:,} held-out"
        " images:",
        "\n".join(lines),
    ]


def _directions(directions: Directions) -> list[str]:
    if not directions.names:
        return []
    figures = list(directions.directions[0].figures)
    lines = [
        f"| direction | range | {' | '.join(map(label, figures))} |".replace(" r2 ", " R² "),
        "|---|--:|" + "--:|" * len(figures),
    ]
    for one in directions.directions:
        cells = [number(figure, one.figures.get(figure)) for figure in figures]
        name = one.name.replace("_", " ")
        lines.append(f"| {name} | ±{one.range:g} | {' | '.join(cells)} |")
    return [
        "## Directions",
        f"![Faces moved along each direction]({DIRECTIONS_SHEET})",
        "Rows are faces, columns positions on a direction in the latent space, from -1 to 1; the"
        " range is the distance from 0 to 1. R²: share of the trait's variance that is linear in"
        " the latent, on held-out pictures. Shares of pictures that show the requested value: the"
        " lower one of both ends. Identity change: distance that the face moves from the middle, in"
        " features of EfficientNet-Lite2, divided by the distance between different faces.",
        "\n".join(lines),
    ]


def _expect(manifest: Manifest) -> str:
    judged = manifest.training.get("judged", {})
    parts = [
        "The model is intended for avatars, and for learning how such models work. It has learned"
        " from its training images only: what is rare among them is generated less well, and what"
        " is missing is not generated at all. The generated faces do not show real persons."
    ]
    weak = [
        f"{row['value']} {name} ({row['as_asked']:.1%})"
        for name, rows in judged.get("values", {}).items()
        for row in sorted(
            (row for row in rows if row["as_asked"] is not None), key=lambda row: row["as_asked"]
        )[:2]
    ]
    if weak:
        parts.append(f"The requested values with the lowest shares: {', '.join(weak)}.")
    if manifest.candidates > 1:
        parts += [
            f"![The images with the lowest scores of {manifest.name}]({WEAKEST})",
            f"The {_SHOWN} images with the lowest scores among {_SCORED}: of single images,"
            f" and of the best of {manifest.candidates} candidates, as in the bot.",
        ]
    parts += [
        "The model is part of Irodori, and has the same [license](../../LICENSE). Whether the"
        " training images may be used for a purpose is up to their authors.",
    ]
    return "\n\n".join(parts)


def _usage(manifest: Manifest) -> str:
    wish = {a.name: a.values[int(np.argmax(a.frequencies))] for a in manifest.attributes}
    pixels = f"N × {manifest.image_size} × {manifest.image_size} × 3"
    return f"""\
To use the model in the bot, without a restart:

```sh
python -m export use {manifest.name}
```

`python -m export rollback` returns to the previous model. In Python, from the root of the project:

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

| tensor | type | shape | content |
|---|---|---|---|
| `latent` | float32 | N × {manifest.latent_dim} | standard normal |
| `condition` | float32 | N × {manifest.condition_dim} | one one-hot block per attribute; \
blocks may be mixtures |
| `image` | uint8 | {pixels} | RGB |
| `unrounded` | float32 | {pixels} | the same values before they are rounded, for the upscaler |"""
