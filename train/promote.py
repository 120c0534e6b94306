"""Whether a new model takes over: only if it is not worse than the one in use."""

from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

from export.manifest import CRITIC, GENERATOR, Manifest, ModelError
from export.registry import Registry
from train.critic import best_of
from train.data import Faces
from train.judge import Judge, Paint

LOWER_IS_BETTER = ("q", "near_duplicates")


def promote(
    name: str, registry: Registry, judge: Judge, fakes: int, margin: float, *, force: bool
) -> str:
    """Puts model `name` in use if it may; returns a sentence that says what was compared.

    The model in use is judged anew, by the same judge on as many `fakes`. `margin` is how much
    worse a figure may be: a share of it for Q, an absolute share for the others.
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
    figures = judge.examine(*onnx_paint(folder, theirs), fakes).figures
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
