"""Promotion: puts a new model in use if it is not worse than the present one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

from config.cores import usable_cores
from export.figures import AS_ASKED, FD_RATIO, label, number
from export.manifest import GENERATOR, SCORER, Manifest, ModelError
from export.registry import Registry
from train.data import Faces
from train.metrics import GenerateFn, Judge
from train.scorer import best_of

LOWER_IS_BETTER = (FD_RATIO, "near_duplicates")


def promote(
    name: str, registry: Registry, judge: Judge, fakes: int, margin: float, *, force: bool
) -> str:
    """Puts model `name` in use if it is not worse; returns a message with the comparison.

    Compares single images, since rejection sampling removes broken images for a larger FD ratio.
    The figures of the new model are those of its manifest; the model in use is measured by `judge`
    in the same way. If the manifest lacks a figure, both are measured on `fakes` images. `margin`
    is the tolerance: relative for the FD ratio, absolute for the others.
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
        return f"{name} is now in use; the model before it cannot be used: {error}"
    new_folder, ours = registry.load(name)
    reason = incomparable(theirs, judge.held_out)
    if reason:
        return f"{name} is registered, not in use: {current} {reason}. {_use(name)}"
    names = [*(f"{a.name}{AS_ASKED}" for a in judge.held_out.attributes), *LOWER_IS_BETTER]
    in_use = onnx_generator(folder, theirs, candidates=1)
    new = _figures_of_single_images(ours)
    if not set(names) <= set(new):
        new = judge.evaluate(*onnx_generator(new_folder, ours, candidates=1), fakes).figures
        old = judge.evaluate(*in_use, fakes).figures
    elif ours.candidates == 1:
        old = judge.evaluate(*in_use, fakes).figures
    else:  # a row of `best_of` is about as many images as are held out
        old = judge.measure(*in_use)
    rows, worse = compare(new, old, names, margin)
    table = "\n".join(f"  {row}" for row in rows)
    if worse:
        return (
            f"{name} is registered, but {current} stays in use, since {', '.join(worse)} would be "
            f"worse by more than {margin:g}:\n{table}\n{_use(name)}"
        )
    registry.use(name)
    return f"{name} is now in use in place of {current}:\n{table}"


def _figures_of_single_images(manifest: Manifest) -> Mapping[str, float]:
    if manifest.candidates == 1:
        return manifest.metrics
    rows = manifest.training.get("judged", {}).get("best_of", [])
    return next((row for row in rows if row.get("candidates") == 1), {})


def _use(name: str) -> str:
    return f"Put it in use anyway with: python -m export use {name}"


def incomparable(manifest: Manifest, faces: Faces) -> str:
    """Why a model cannot be measured on this data; empty if it can."""
    if [(a.name, a.values) for a in manifest.attributes] != [
        (a.name, a.values) for a in faces.attributes
    ]:
        return "has other attributes or values than this data, so the two cannot be compared"
    if manifest.image_size != faces.images.shape[-1]:
        return f"generates {manifest.image_size} pixels, so the two cannot be compared"
    return ""


def compare(
    new: Mapping[str, float], old: Mapping[str, float], names: Sequence[str], margin: float
) -> tuple[list[str], list[str]]:
    """A row for each figure, and the labels of those that are worse by more than `margin`."""
    rows, worse = [], []
    for name in names:
        allowed = margin * old[name] if name == FD_RATIO else margin
        loss = new[name] - old[name] if name in LOWER_IS_BETTER else old[name] - new[name]
        values = f"{number(name, new[name])} (the model in use: {number(name, old[name])})"
        rows.append(f"{label(name)}: {values}")
        if not loss <= allowed:
            worse.append(label(name))
    return rows, worse


def onnx_generator(
    folder: Path, manifest: Manifest, candidates: int | None = None
) -> tuple[GenerateFn, int]:
    """A function that generates with an exported model as the bot does, and its latent dimension.

    The scorer keeps one of `candidates` images; by default the number in the manifest.
    """
    generate, scorer = onnx_networks(folder, manifest)
    if scorer is None:
        return generate, manifest.latent_dim
    count = candidates or manifest.candidates
    return best_of(generate, scorer, count), count * manifest.latent_dim


def onnx_networks(folder: Path, manifest: Manifest) -> tuple[GenerateFn, GenerateFn | None]:
    """The generator of an exported model, and its scorer, which maps images [N, 3, S, S] and
    conditions [N, C] to scores [N]; None without a scorer.
    """

    def run(file: str, **given: Tensor) -> Tensor:
        feed = {name: tensor.cpu().numpy() for name, tensor in given.items()}
        output, *_ = sessions[file].run(None, feed)  # the image is the generator's first
        return torch.from_numpy(output)

    def generate(latents: Tensor, conditions: Tensor) -> Tensor:
        image = run(GENERATOR, latent=latents, condition=conditions)
        return image.permute(0, 3, 1, 2)

    def scorer(pictures: Tensor, conditions: Tensor) -> Tensor:
        return run(SCORER, image=pictures.permute(0, 2, 3, 1), condition=conditions)

    files = {GENERATOR, SCORER} & set(manifest.files)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    sessions = {
        file: onnxruntime.InferenceSession(
            folder / file, options, providers=["CPUExecutionProvider"]
        )
        for file in files
    }
    return generate, scorer if SCORER in files else None
