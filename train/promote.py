"""Whether a new model takes over: only if it is not worse than the one in use."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from export.manifest import GENERATOR, Manifest, ModelError
from export.registry import Registry
from train.data import Faces
from train.judge import Judge, Paint

LOWER_IS_BETTER = ("q", "near_duplicates")


def promote(name: str, registry: Registry, judge: Judge, margin: float, *, force: bool) -> str:
    """Puts model `name` in use if it may; returns a sentence that says what was compared.

    The model in use is judged anew, by the same judge on the same data. `margin` is how much worse
    a figure may be: a share of it for Q, an absolute share for the others.
    """
    current = registry.current()
    if force:
        registry.use(name)
        return f"{name} is now in use; nothing was compared (--force)"
    if current is None:
        registry.use(name)
        return f"{name} is now in use; there was no model before it"
    try:
        folder, theirs = registry.load(current)
    except ModelError as error:
        registry.use(name)
        return f"{name} is now in use; the one before it cannot be used: {error}"
    _, ours = registry.load(name)
    reason = incomparable(theirs, judge.held_out)
    if reason:
        return f"{name} is registered, not in use: {current} {reason}. Take it with --force"
    figures = judge.measure(onnx_paint(folder), theirs.latent_dim)
    rows, worse = compare(ours.metrics, figures, judge.held_out, margin)
    table = "\n".join(f"  {row}" for row in rows)
    if worse:
        return (
            f"{name} is registered, but {current} stays in use, since {', '.join(worse)} would be "
            f"worse by more than {margin:g}:\n{table}\nTake it all the same with --force"
        )
    registry.use(name)
    return f"{name} is now in use in place of {current}:\n{table}"


def incomparable(manifest: Manifest, faces: Faces) -> str:
    """Why a model cannot be judged by these faces; empty if it can."""
    if [(a.name, a.values) for a in manifest.attributes] != [
        (a.name, a.values) for a in faces.attributes
    ]:
        return "has other attributes or values than this data, so the two cannot be compared"
    if manifest.image_size != faces.images.shape[-1]:
        return f"paints {manifest.image_size} pixels, so the two cannot be compared"
    return ""


def compare(
    ours: dict[str, float], theirs: dict[str, float], faces: Faces, margin: float
) -> tuple[list[str], list[str]]:
    """A row for each figure that counts, and the names of those that got worse."""
    rows, worse = [], []
    for key in [*(f"{a.name}_as_asked" for a in faces.attributes), *LOWER_IS_BETTER]:
        new, old = ours[key], theirs[key]
        allowed = margin * old if key == "q" else margin
        loss = new - old if key in LOWER_IS_BETTER else old - new
        rows.append(f"{key.replace('_', ' ')}: {new:.3f} (the model in use: {old:.3f})")
        if not loss <= allowed:
            worse.append(key.replace("_", " "))
    return rows, worse


def onnx_paint(folder: Path) -> Paint:
    """Paints with an exported model, as the bot does."""
    session = onnxruntime.InferenceSession(folder / GENERATOR, providers=["CPUExecutionProvider"])

    def paint(latents: Tensor, conditions: Tensor) -> Tensor:
        feed = {
            "latent": latents.cpu().numpy().astype(np.float32),
            "condition": conditions.cpu().numpy().astype(np.float32),
        }
        (image,) = session.run(["image"], feed)
        return torch.from_numpy(np.asarray(image)).permute(0, 3, 1, 2)

    return paint
