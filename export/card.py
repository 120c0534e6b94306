"""What a model shows of itself: its pictures, the worst ones too, and `MODEL_CARD.md`."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from PIL import Image

from export.candidates import best_candidate
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

Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Latents [N, Z] and conditions [N, C], both float32, to pictures uint8 [N, S, S, 3]."""

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Pictures uint8 [N, S, S, 3] and conditions [N, C] to scores float32 [N], higher is better."""

_MOST = 16  # rows and columns of the samples: a page wide
_COLUMNS = 8  # where no attribute asks for more or fewer
_BATCH = 16
_TRIED, _SHOWN = 400, 12  # pictures that the weakest ones are of, and how many of them are shown
_JUDGE = (
    " Distances are taken in the features of EfficientNet-Lite2, which was trained on ImageNet and"
    " never trains a generator; what else is measured, by a small classifier of the same data."
    " `docs/model-quality.md` says more."
)
_OLD_JUDGE = (
    " All by a small classifier of the same data, as judges were before distances were taken in"
    " a pretrained network's features; it sees color and little else."
)
_OF_SEVERAL = (
    *(FD_RATIO, FD_RATIO_POOLED, "near_duplicates", "diversity", "lite2_precision", "lite2_recall"),
    *("q", "fid", "kid", "precision", "recall"),  # of older models
)
"""Figures that are shown of the best of several pictures."""


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
    return draw_sheet(pictures, rows, columns)


def draw_weakest(paint: Paint, score: Score, manifest: Manifest) -> Image.Image:
    """The pictures of lowest score among _TRIED: when single ones are painted, and when the best
    of the model's candidates are kept. Values are asked for as often as they come in the data.
    """
    rng = np.random.RandomState(0)
    conditions = np.zeros((_TRIED, manifest.condition_dim), np.float32)
    for row in conditions:
        wish = {
            a.name: a.values[rng.choice(len(a.values), p=_shares(a))] for a in manifest.attributes
        }
        row[:] = manifest.encode(wish)
    shape = (_TRIED, manifest.candidates, manifest.latent_dim)
    pictures, scores = [], []
    for latents, wanted in zip(rng.standard_normal(shape), conditions, strict=True):
        repeated = np.repeat(wanted[None], len(latents), axis=0)
        pictures.append(paint(latents.astype(np.float32), repeated))
        scores.append(score(pictures[-1], repeated))
    painted, found = np.stack(pictures), np.stack(scores).round(3)
    rows = {}
    for count in sorted({1, manifest.candidates}):
        best = best_candidate(found[:, :count])
        chosen = np.arange(_TRIED), best
        weakest = found[chosen].argsort(kind="stable")[:_SHOWN]
        rows["single" if count == 1 else f"best of {count}"] = painted[chosen][weakest]
    return draw_sheet(np.concatenate(list(rows.values())), list(rows), [""] * _SHOWN)


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
        _figures(manifest),
        *_upscaling(manifest.training.get("upscaler")),
        "## How to use it",
        _usage(manifest),
        "## What to expect of it",
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
        images += f", {judged['learnt']:,} to learn from, {judged['held_out']:,} held out"
    facts = [
        f"- Images: {images}",
        f"- Length: {manifest.training.get('images', 0):,} images shown",
        *([f"- Began with the weights of {settings['start']}"] if settings.get("start") else []),
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
    lines = ["| figure | this model | held-out real images | what it says |", "|---|--:|--:|---|"]
    for name in ordered(metrics):
        cells = number(name, metrics[name]), number(name, metrics.get(f"{name}{REAL}"))
        lines.append(f"| {label(name)} | {' | '.join(cells)} | {meaning(name)} |")
    fakes = f"{judged['fakes']:,} " if "fakes" in judged else ""
    best = f", the best of {manifest.candidates} each" if manifest.candidates > 1 else ""
    parts = [
        f"Measured of {fakes}pictures{best}, whose conditions come as often as in the data."
        + (_JUDGE if FD_RATIO in metrics else _OLD_JUDGE)
        + " The real images are ones that neither the judge nor the generator was trained on."
        " Figures of other data do not compare.",
        "\n".join(lines),
        *(_values(name, rows) for name, rows in judged.get("values", {}).items()),
        *_unseen(judged.get("unseen", [])),
        *_dropped(judged.get("dropped", [])),
        *_best_of(judged.get("best_of", [])),
    ]
    return "\n\n".join(parts)


def _values(attribute: str, rows: list[dict[str, Any]]) -> str:
    lines = [f"| {attribute} asked for | shows | in real images |", "|---|--:|--:|"]
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
    lines = ["| pair | shows |", "|---|---|"]
    for pair in pairs:
        wish = ", ".join(f"{value} {name}" for name, value in pair["conditions"].items())
        shares = ", ".join(f"{name} {share:.1%}" for name, share in pair["as_asked"].items())
        lines.append(f"| {wish} | {shares} |")
    return [
        "Pairs that no image shows, and how often they are painted as asked all the same:",
        "\n".join(lines),
    ]


def _dropped(modes: list[dict[str, Any]]) -> list[str]:
    if not modes:
        return []
    named = [
        f"{' and '.join(f'{value} {name}' for name, value in mode['conditions'].items())}"
        f" ({_share(mode['real'])} of the real images, {_share(mode['painted'])} of the pictures)"
        for mode in modes[:_SHOWN]
    ]
    more = f"; and {len(modes) - _SHOWN} more" if len(modes) > _SHOWN else ""
    return [f"Hardly ever seen in its pictures: {'; '.join(named)}{more}."]


def _best_of(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    names = [n for n in ordered(rows[0]) if n.endswith(AS_ASKED) or n in _OF_SEVERAL]
    lines = ["| best of | " + " | ".join(map(label, names)) + " |", "|--:|" + "--:|" * len(names)]
    lines += [
        f"| {row['candidates']} | " + " | ".join(number(n, row[n]) for n in names) + " |"
        for row in rows
    ]
    return [
        "Several pictures painted, and the one that the critic scores highest kept (fewer pictures"
        " than above, one for each held-out image). The model keeps the best of as many as have the"
        " lowest FD ratio:",
        "\n".join(lines),
    ]


def _upscaling(upscaler: dict[str, Any] | None) -> list[str]:
    figures = (upscaler or {}).get("figures")
    if not upscaler or not figures:
        return []
    data = upscaler.get("settings", {}).get("data", "images that are not recorded")
    lines = ["| pictures | PSNR | bicubic | SSIM | bicubic |", "|---|--:|--:|--:|--:|"]
    for prefix, what in (("", "worn as it has learnt to meet them"), ("clean_", "clean")):
        cells = (
            f"{figures[f'{prefix}{name}{other}']:{form}}"
            for name, form in (("psnr", ".2f"), ("ssim", ".3f"))
            for other in ("", "_bicubic")
        )
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return [
        "## Larger pictures",
        f"An upscaler makes four times as wide and high pictures. It was trained on {data}, with"
        f" {figures['images']:,} patches; PSNR in dB, of {figures['pictures']:,} pictures that it"
        " was not trained on:",
        "\n".join(lines),
    ]


def _expect(manifest: Manifest) -> str:
    judged = manifest.training.get("judged", {})
    parts = [
        "It is meant for avatars, and for learning how such models work. It has seen nothing but"
        " its training images: what is rare among them it draws less well, and what is not among"
        " them it does not draw at all. Its pictures show nobody, and say nothing of anybody."
    ]
    weak = [
        f"{row['value']} {name} ({row['as_asked']:.1%})"
        for name, rows in judged.get("values", {}).items()
        for row in sorted(
            (row for row in rows if row["as_asked"] is not None), key=lambda row: row["as_asked"]
        )[:2]
    ]
    if weak:
        parts.append(f"Weakest where it is asked for {', '.join(weak)}.")
    if manifest.candidates > 1:
        parts += [
            f"![The weakest pictures of {manifest.name}]({WEAKEST})",
            f"The {_SHOWN} pictures that its critic scores lowest, of {_TRIED}: painted singly, and"
            f" when the best of {manifest.candidates} are kept, as the bot does.",
        ]
    parts += [
        "The model is part of Irodori and comes under its [licence](../../LICENSE); whether the"
        " training images may be used for what you have in mind, ask those who made them.",
    ]
    return "\n\n".join(parts)


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
