"""Whether a new model takes over: only if it is not worse than the one in use."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

from export.figures import AS_ASKED, FD_RATIO, label, number
from export.manifest import CRITIC, GENERATOR, Manifest, ModelError
from export.registry import Registry
from train.critic import best_of
from train.data import Faces
from train.metrics import Judge, Paint

LOWER_IS_BETTER = (FD_RATIO, "near_duplicates")


def promote(
    name: str, registry: Registry, judge: Judge, fakes: int, margin: float, *, force: bool
) -> str:
    """Puts model `name` in use if it may; returns a sentence that says what was compared.

    The model in use is judged anew, by the same judge on as many `fakes`; so is the new one where
    its manifest lacks a figure. `margin` is how much worse a figure may be: a share of it for the
    FD ratio, an absolute share for the others.
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
    new_folder, ours = registry.load(name)
    reason = incomparable(theirs, judge.held_out)
    if reason:
        return f"{name} is registered, not in use: {current} {reason}. Take it with --force"
    names = [*(f"{a.name}{AS_ASKED}" for a in judge.held_out.attributes), *LOWER_IS_BETTER]
    new = ours.metrics
    if not set(names) <= set(new):
        new = judge.examine(*onnx_paint(new_folder, ours), fakes).figures
    old = judge.examine(*onnx_paint(folder, theirs), fakes).figures
    rows, worse = compare(new, old, names, margin)
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
    new: Mapping[str, float], old: Mapping[str, float], names: Sequence[str], margin: float
) -> tuple[list[str], list[str]]:
    """A row for each of the figures, and the labels of those that got worse."""
    rows, worse = [], []
    for name in names:
        allowed = margin * old[name] if name == FD_RATIO else margin
        loss = new[name] - old[name] if name in LOWER_IS_BETTER else old[name] - new[name]
        values = f"{number(name, new[name])} (the model in use: {number(name, old[name])})"
        rows.append(f"{label(name)}: {values}")
        if not loss <= allowed:
            worse.append(label(name))
    return rows, worse


def onnx_paint(
    folder: Path, manifest: Manifest, candidates: int | None = None
) -> tuple[Paint, int]:
    """Paints with an exported model, as the bot does, and how many numbers that takes a picture.

    Of `candidates` pictures, the model's own number by default, its critic keeps one.
    """

    def run(file: str, **given: Tensor) -> Tensor:
        feed = {name: tensor.cpu().numpy() for name, tensor in given.items()}
        (made,) = sessions[file].run(None, feed)
        return torch.from_numpy(made)

    def paint(latents: Tensor, conditions: Tensor) -> Tensor:
        image = run(GENERATOR, latent=latents, condition=conditions)
        return image.permute(0, 3, 1, 2)

    def critic(pictures: Tensor, conditions: Tensor) -> Tensor:
        return run(CRITIC, image=pictures.permute(0, 2, 3, 1), condition=conditions)

    files = {GENERATOR, CRITIC} & set(manifest.files)
    sessions = {
        file: onnxruntime.InferenceSession(folder / file, providers=["CPUExecutionProvider"])
        for file in files
    }
    count = (candidates or manifest.candidates) if CRITIC in files else 1
    return best_of(paint, critic, count), count * manifest.latent_dim
